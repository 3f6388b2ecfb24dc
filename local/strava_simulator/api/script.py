"""The answer script: calls that get another answer than Strava's, as from a gateway or during a fault."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from flask import Request, Response

PACE_HEADER = "X-Simulator-Pace"
"""The header that tells the transport how to send an answer, see `Pace`; it is not sent."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "route": (str,),
    "headers": (dict,),
    "content_type": (str,),
    "body": (str, type(None)),
    "does_the_work": (bool,),
    "drops": (bool,),
    "head_bytes_per_s": (int, float),
    "body_bytes_per_s": (int, float),
    "last": (int, type(None)),
    "cut_at": (int, type(None)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the script: calls of `route` get this answer.

    `route` is a method and a path behind the base URL, such as `GET /activities/*/streams` or `POST /oauth/token`;
    `*` matches anything. Of its calls, every `every`-th from the `first` to the `last` gets this answer.
    """

    route: str
    first: int = 1
    last: int | None = None
    every: int = 1
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    """Empty: the answer has no content type."""
    body: str | None = ""
    """None: Strava's own answer, which needs `does_the_work`."""
    does_the_work: bool = False
    """Whether Strava carries out the call, so that only the answer is odd."""
    cut_at: int | None = None
    """How many bytes of the body are sent before the connection ends."""
    drops: bool = False
    """Whether the connection ends without an answer."""
    head_bytes_per_s: float = 0
    """How fast status line and headers are sent; 0 means at once."""
    body_bytes_per_s: float = 0

    @classmethod
    def from_json(cls, values: Any) -> Line:
        """The line in `values`. Errors: ValueError for an unknown name or a wrong value."""
        if not isinstance(values, dict):
            raise ValueError("a line of the script is a JSON object")
        names = [each.name for each in fields(cls)]
        for name, value in values.items():
            if name not in names:
                raise ValueError(f"a line of the script has no {name!r}: choose from {', '.join(names)}")
            if type(value) not in _TYPES.get(name, (int,)):
                raise ValueError(f"{name} is not {value!r}")
        line = cls(**values)
        if line.first < 1 or line.every < 1 or not 100 <= line.status <= 599 or (line.cut_at or 0) < 0:
            raise ValueError("first and every are 1 or more, status is from 100 to 599, cut_at is 0 or more")
        if line.body is None and not line.does_the_work:
            raise ValueError("without a body the line needs does_the_work")
        return line

    def answers(self, call: int) -> bool:
        """Whether the line answers the `call`-th call of its route, counted from 1."""
        return self.first <= call <= (self.last or call) and (call - self.first) % self.every == 0

    def response(self, own: Response | None = None) -> Response:
        """The answer; `own` is Strava's, if it carried out the call."""
        body = own.get_data() if self.body is None and own is not None else (self.body or "").encode()
        whole = len(body)
        response = Response(body if self.cut_at is None else body[: self.cut_at], self.status)
        response.headers["Content-Length"] = str(whole)
        response.headers.remove("Content-Type")
        if self.content_type:
            response.headers["Content-Type"] = self.content_type
        response.headers.update(self.headers)
        if self.drops or self.head_bytes_per_s or self.body_bytes_per_s:
            response.headers[PACE_HEADER] = str(Pace(self.drops, self.head_bytes_per_s, self.body_bytes_per_s))
        return response


@dataclass(frozen=True, slots=True)
class Pace:
    """How an answer is sent."""

    drops: bool = False
    head_bytes_per_s: float = 0
    body_bytes_per_s: float = 0

    def __str__(self) -> str:
        return f"{int(self.drops)} {self.head_bytes_per_s} {self.body_bytes_per_s}"

    @classmethod
    def parse(cls, text: str | None) -> Pace:
        """The pace in the header; without one the answer is sent at once."""
        if not text:
            return cls()
        drops, head, body = text.split()
        return cls(drops == "1", float(head), float(body))

    def seconds(self, head: int, body: int) -> float:
        """How long an answer of that many bytes takes."""
        return sum(
            size / speed for size, speed in ((head, self.head_bytes_per_s), (body, self.body_bytes_per_s)) if speed
        )


class Script:
    """The present lines; the first that matches a call answers it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._calls: list[int] = []

    def write(self, lines: Sequence[Line]) -> None:
        """Replace the present lines; calls are counted from now on."""
        with self._lock:
            self._lines, self._calls = list(lines), [0] * len(lines)

    def to_json(self) -> list[dict[str, Any]]:
        """Every line, with the number of calls of its route in `calls`."""
        with self._lock:
            return [asdict(line) | {"calls": calls} for line, calls in zip(self._lines, self._calls, strict=True)]

    def line_for(self, request: Request) -> Line | None:
        """The line that answers this call, or None for Strava's own answer; every line of its route counts the call."""
        route = f"{request.method} {request.path.removeprefix('/api/v3')}"
        found = None
        with self._lock:
            for at, line in enumerate(self._lines):
                if fnmatchcase(route, line.route):
                    self._calls[at] += 1
                    if found is None and line.answers(self._calls[at]):
                        found = line
        return found
