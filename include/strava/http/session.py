"""HTTP calls to Strava: pooled, bounded, never redirected, repeated only where that is safe."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random,
)
from urllib3.exceptions import NewConnectionError

from include import deadline
from include.clock import Clock
from include.errors import IngestError, OutcomeUnknown, StravaUnavailable, UnexpectedShape
from include.strava.http.deadline import BoundedAdapter, call_remaining_s
from include.strava.http.response import Response

ATTEMPTS = 2
"""One repetition covers a short fault of a gateway; the ledger handles longer faults."""
CONNECT_S = 3.05
DEADLINES_S = (20.0, 60.0)
"""How long a call may take with all its attempts, and how long an upload may take: less than every lease."""
STORING_S = 3.0
"""How long before the deadline of the present work a call ends, so that its answer can still be stored."""
MAX_BODY_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_DIRECT = {"no_proxy": ",".join(_LOOPBACK)}
"""Bypasses the environment's proxy for calls to a simulator on this machine."""
_IDEMPOTENT = frozenset({"GET", "DELETE"})
_NOT_EXECUTED = frozenset({501, 503})
"""The 5xx statuses that mean a call was not executed; after a gateway's 502, 504 or 520 to 524 that is unknown."""
_ASK_FIRST = "Ask Strava for its outcome before sending it again."
_PAUSE = wait_random(0, 1)


class NoAuth(AuthBase):
    """No credentials in the headers; without it, requests would look into `.netrc`."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The unchanged request."""
        return request


class BearerAuth(AuthBase):
    """An access token in the Authorization header."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with the token."""
        request.headers["Authorization"] = f"Bearer {self._access_token}"
        return request


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the request, for whom it is made, and its credentials."""

    method: str
    path: str
    """The path after the base URL, with a leading slash and without a query."""
    whom: str = "the application"
    """For whom it is made, in the words of a message."""
    query: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    file: tuple[str, bytes] | None = field(default=None, repr=False)
    """Name and content of the form's `file`; makes the form multipart."""
    auth: AuthBase = field(default_factory=NoAuth, repr=False)
    """An athlete's token, or the application's own credentials where they are not in the form or the query."""
    is_long: bool = False
    """Whether it transfers a recording, which may take a minute."""

    @property
    def is_idempotent(self) -> bool:
        """Whether sending it twice has the same effect as sending it once."""
        return self.method in _IDEMPOTENT


def _nothing() -> None:
    """The `before` of a call that counts in no quota."""


def _no_report(headers: Mapping[str, str]) -> None:
    """The `after` of a call that counts in no quota."""


class StravaSession:
    """One connection pool for all calls of a process.

    It repeats an idempotent call once, after a random pause or the one that Strava asks for. It ends every call by its
    deadline, however slowly the answer arrives. It keeps no cookies, since one session serves many athletes, follows no
    redirect, and logs nothing.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        sleep: Callable[[float], None] = time.sleep,
        deadlines_s: tuple[float, float] = DEADLINES_S,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._clock = clock
        self._deadlines_s = deadlines_s
        self._max_body_bytes = max_body_bytes
        self._retrying = Retrying(
            wait=_pause,
            retry=retry_if_exception_type(StravaUnavailable),
            sleep=sleep,
            reraise=True,
        )
        self._http = requests.Session()
        self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self._http.mount(scheme, BoundedAdapter(pool_connections=4, pool_maxsize=16, max_retries=0))
        logging.getLogger("urllib3.connectionpool").addFilter(_QUERIES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def send(
        self,
        base_url: str,
        call: Call,
        *,
        before: Callable[[], None] = _nothing,
        after: Callable[[Mapping[str, str]], None] = _no_report,
    ) -> Response:
        """The answer to `call`, of any status below 500.

        It ends `STORING_S` before the deadline of the present work, where there is one.
        `before` runs before each attempt and may refuse it by raising; `after` gets the headers of each answer.
        Errors: `StravaUnavailable` (5xx, too slow, no connection; the call had no effect, or can safely be repeated),
        `OutcomeUnknown` (a call that is not idempotent broke off after it was sent), `UnexpectedShape` (endless body).
        """
        longest_s = min(self._deadlines_s[call.is_long], deadline.remaining_s() - STORING_S)
        if longest_s <= 0:
            raise StravaUnavailable(f"{_subject(call)} was not sent: too little time is left. Try it again.")
        ends_at_s = time.monotonic() + longest_s

        def attempt() -> Response:
            before()
            with deadline.ending_at(ends_at_s):
                answer = self._exchange(base_url, call)
            after(answer.headers)
            if answer.status >= 500 and answer.status not in _NOT_EXECUTED and not call.is_idempotent:
                raise OutcomeUnknown(f"{answer.subject}: {_ASK_FIRST}", retry_after_s=answer.error().retry_after_s)
            if answer.status >= 500:
                raise answer.error()
            return answer

        if not call.is_idempotent:
            return attempt()
        return self._retrying.copy(stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(longest_s))(attempt)

    def _exchange(self, base_url: str, call: Call) -> Response:
        url = base_url + call.path
        try:
            with self._http.request(
                call.method,
                url,
                params=call.query or None,
                data=call.form or None,
                files={"file": call.file} if call.file else None,
                auth=call.auth,
                timeout=(min(CONNECT_S, call_remaining_s()), call_remaining_s()),
                proxies=_DIRECT if urlsplit(url).hostname in _LOOPBACK else None,
                allow_redirects=False,
                stream=True,
            ) as response:
                return Response(
                    status=response.status_code,
                    headers=dict(response.headers),
                    body=self._body(response, call),
                    path=urlsplit(url).path,
                    whom=call.whom,
                    is_applications=not isinstance(call.auth, BearerAuth),
                    received_at_epoch_s=self._clock(),
                )
        except (requests.RequestException, TimeoutError) as err:
            what, was_sent = type(err).__name__, not _never_sent(err)
        # Raised out here, without a cause: the library's error quotes the URL, whose query may hold the client secret.
        if was_sent and not call.is_idempotent:
            raise OutcomeUnknown(f"{_subject(call)} broke off ({what}) after it was sent. {_ASK_FIRST}")
        raise StravaUnavailable(f"{_subject(call)} failed ({what}). Try the same call again later.")

    def _body(self, response: requests.Response, call: Call) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_body_bytes:
                raise UnexpectedShape(
                    f"{_subject(call)} was answered with more than {self._max_body_bytes} bytes and cut off. "
                    "No Strava answer is that long; check the base URL."
                )
        return bytes(body)


class _QueryFilter(logging.Filter):
    """Removes the query from the URLs that urllib3 logs: in subscription calls it holds the client secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.partition("?")[0] if isinstance(argument, str) else argument for argument in record.args
            )
        return True


_QUERIES = _QueryFilter()


def _pause(attempts: RetryCallState) -> float:
    """The wait before the next attempt: the one that Strava asks for, if it does."""
    error = attempts.outcome.exception() if attempts.outcome else None
    asked_s = error.retry_after_s if isinstance(error, IngestError) else 0.0
    return max(_PAUSE(attempts), asked_s)


def _never_sent(err: Exception) -> bool:
    """Whether the connection failed before any byte of the request was sent."""
    reason = getattr(err.args[0], "reason", None) if err.args else None
    return isinstance(err, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)


def _subject(call: Call) -> str:
    return f"{call.method} {call.path} at Strava for {call.whom}"


def of_athlete(athlete_id: int) -> str:
    """The name in messages of the athlete for whom a call is made."""
    return f"athlete {athlete_id}"
