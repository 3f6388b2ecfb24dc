"""The answer script: which calls are answered otherwise than Strava would, as its gateways and its bad days do it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from flask import Request, Response

PACE_HEADER = "X-Simulator-Pace"
"""Tells the transport how to send an answer, see `Pace`; it does not go out."""

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
    `*` stands for anything. Of its calls the `first` to the `last` are answered so, each `every`-th of them.
    """

    route: str
    first: int = 1
    last: int | None = None
    every: int = 1
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    """Empty: the answer does not say what it is."""
    body: str | None = ""
    """None: what Strava itself would have answered, which needs `does_the_work`."""
    does_the_work: bool = False
    """Whether Strava does what it is asked, and only the answer is odd."""
    cut_at: int | None = None
    """How many bytes of the body come before the connection ends."""
    drops: bool = False
    """Whether the connection ends without an answer."""
    head_bytes_per_s: float = 0
    """How fast status line and headers drip; 0 is at once."""
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
        """Whether the `call`-th call of its route, the first being 1, is answered by it."""
        return self.first <= call <= (self.last or call) and (call - self.first) % self.every == 0

    def response(self, own: Response | None = None) -> Response:
        """The answer; `own` is Strava's where it did the work."""
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
        """The pace that the header says; without one the answer goes out at once."""
        if not text:
            return cls()
        drops, head, body = text.split()
        return cls(drops == "1", float(head), float(body))

    def seconds(self, head: int, body: int) -> float:
        """How long an answer of so many bytes takes."""
        return sum(
            size / speed for size, speed in ((head, self.head_bytes_per_s), (body, self.body_bytes_per_s)) if speed
        )


class Script:
    """The lines in force; the first that answers a call does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._calls: list[int] = []

    def write(self, lines: Sequence[Line]) -> None:
        """Put these lines in the place of the present ones; calls are counted from here on."""
        with self._lock:
            self._lines, self._calls = list(lines), [0] * len(lines)

    def to_json(self) -> list[dict[str, Any]]:
        """Every line, and in `calls` how many calls of its route came."""
        with self._lock:
            return [asdict(line) | {"calls": calls} for line, calls in zip(self._lines, self._calls, strict=True)]

    def line_for(self, request: Request) -> Line | None:
        """The line that answers this call, None where Strava itself does; every line of its route counts the call."""
        route = f"{request.method} {request.path.removeprefix('/api/v3')}"
        found = None
        with self._lock:
            for at, line in enumerate(self._lines):
                if fnmatchcase(route, line.route):
                    self._calls[at] += 1
                    if found is None and line.answers(self._calls[at]):
                        found = line
        return found
