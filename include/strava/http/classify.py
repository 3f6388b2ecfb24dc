"""Classifies Strava's answers: decides which answer is which error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from include.errors import (
    ApplicationInactive,
    BadRequest,
    CapacityReached,
    Gone,
    IngestError,
    NotTheApi,
    QuotaSpent,
    ScopeMissing,
    StravaUnavailable,
    TokenRefused,
    UnexpectedShape,
)
from include.strava.http.error_body import Fault, Faults, plain
from include.strava.quota import Report, next_day, next_window, utc_text

_PERMISSION = "_permission"
_RESOURCE = re.compile(r"/(?:activities|uploads|push_subscriptions)/[0-9]+(?:/streams)?$")
"""Paths that request one resource by its id: only here can a 404 be about that resource."""
LONGEST_WAIT_S = 21_600
"""The longest wait that an answer can ask for: as long as the longest wait between two tries of due work."""
_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class _Refusal:
    path: str
    faults: Faults
    subject: str
    is_applications: bool
    report: Report
    retry_after_s: float
    now_epoch_s: float

    @property
    def words(self) -> str:
        return self.faults.words() or "no reason given"


def error_for(
    status: int,
    body: bytes,
    *,
    path: str,
    whom: str,
    is_applications: bool,
    now_epoch_s: float,
    headers: Mapping[str, str] | None = None,
) -> IngestError:
    """The error of an answer, for the caller to raise.

    `whom` is named in the message: for whom the call was made. `is_applications` says that it was made with the
    application's own credentials rather than an athlete's token. `headers` tell a spent day from a spent window, and
    the API's own words from a page: only those are believed. A 2xx status means that the caller could not read the
    body.
    Source: recordings and public reports of 2018 to 2026; the body's form varies, see `Faults`.
    """
    refusal = _Refusal(
        path=path.partition("?")[0],
        faults=Faults.parse(body),
        subject=subject_of(status, path=path, whom=whom, headers=headers or {}),
        is_applications=is_applications,
        report=Report.parse(headers or {}),
        retry_after_s=_retry_after_s(headers or {}, now_epoch_s),
        now_epoch_s=now_epoch_s,
    )
    if status >= 500 or status == 408:
        return StravaUnavailable(
            f"{refusal.subject}: Strava is failing. Try the same call again later.",
            retry_after_s=refusal.retry_after_s,
        )
    if status == 429:
        return _quota_spent(refusal)
    if 300 <= status < 400:
        return _not_the_api(refusal, "a redirect, which is not followed because it would carry credentials elsewhere")
    if not _is_json(body, headers or {}, may_be_empty=status >= 400):
        return _not_the_api(refusal, "not in the form of Strava's API, or only half of it")
    if status >= 400:
        return _BY_STATUS.get(status, _other)(refusal)
    return UnexpectedShape(
        f"{refusal.subject}, but the body is not what the API documents; "
        "if it stays so, compare it with the API's reference."
    )


def subject_of(status: int, *, path: str, whom: str, headers: Mapping[str, str]) -> str:
    """The beginning of a message about an answer: its status, the call, for whom, and Strava's id of the request."""
    return f"Strava answered {status} to {path.partition('?')[0]} for {whom}{_request(headers)}"


def _is_json(body: bytes, headers: Mapping[str, str], *, may_be_empty: bool) -> bool:
    """Whether an answer is in the form of Strava's API: JSON with its media type; `may_be_empty` allows no body."""
    if is_another_type(headers):
        return False
    if not body.strip():
        return may_be_empty and bool(_header(headers, "content-type"))
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def is_another_type(headers: Mapping[str, str]) -> bool:
    """Whether the headers announce another type than JSON."""
    media_type = _header(headers, "content-type").partition(";")[0].strip().lower()
    return media_type not in {"", "application/json"}


def _not_the_api(refusal: _Refusal, what: str) -> NotTheApi:
    return NotTheApi(
        f"{refusal.subject}: {what}. Try again later; if it stays so, check STRAVA_API_URL and STRAVA_OAUTH_URL.",
        retry_after_s=refusal.retry_after_s,
    )


def _header(headers: Mapping[str, str], wanted: str) -> str:
    return next((value for name, value in headers.items() if name.lower() == wanted), "")


def _request(headers: Mapping[str, str]) -> str:
    """The id with which Strava's support finds the call, if the answer has one in a safe form."""
    request_id = _header(headers, "x-request-id")
    return f" (request {request_id})" if _REQUEST_ID.fullmatch(request_id) else ""


def _retry_after_s(headers: Mapping[str, str], now_epoch_s: float) -> float:
    """How long the answer asks to wait, in seconds or by a date, within bounds; 0 where it does not ask."""
    text = _header(headers, "retry-after").strip()
    try:
        seconds = float(text) if text.isascii() and text.isdigit() else _epoch_s(text) - now_epoch_s
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), float(LONGEST_WAIT_S))


def _epoch_s(date: str) -> float:
    moment = parsedate_to_datetime(date)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _bad_request(refusal: _Refusal) -> IngestError:
    faults = refusal.faults
    if faults.about("RefreshToken"):
        return TokenRefused(
            f"{refusal.subject}: the refresh token is no longer valid. The athlete has to connect again."
        )
    if faults.about("AuthorizationCode", "RequestToken"):
        return BadRequest(
            f"{refusal.subject}: the authorization code is used, expired or not valid yet. "
            "Ask the athlete to connect again."
        )
    subscription = faults.about("PushSubscription")
    if subscription is not None:
        return _subscription_refused(refusal, subscription)
    application = faults.about("Application")
    if application is not None and application.field == "client_id":
        return BadRequest(f"{refusal.subject}: Strava does not know this client id. Check STRAVA_CLIENT_ID.")
    return _other(refusal)


def _subscription_refused(refusal: _Refusal, fault: Fault) -> IngestError:
    if fault.code == "already exists":
        return BadRequest(
            f"{refusal.subject}: the application has a webhook subscription already, and may have only one. "
            "Delete that one first."
        )
    if fault.field == "callback url":
        return BadRequest(
            f"{refusal.subject}: Strava could not verify the callback URL. It must answer Strava's GET from the "
            "internet within 2 seconds, without a redirect; check PUBLIC_URL and WEBHOOK_VERIFY_TOKEN."
        )
    return _other(refusal)


def _unauthorised(refusal: _Refusal) -> IngestError:
    missing = next((entry for entry in refusal.faults.entries if entry.field.endswith(_PERMISSION)), None)
    if missing is not None:
        scope = plain(missing.field.removesuffix(_PERMISSION))
        scope = "activity:write" if scope == "write" else scope
        return ScopeMissing(
            f"{refusal.subject}: the athlete did not grant {scope}. Ask the athlete to connect again and tick it.",
            scope=scope,
        )
    if refusal.is_applications:
        return BadRequest(f"{refusal.subject}: the client secret is wrong. Check STRAVA_CLIENT_SECRET.")
    return TokenRefused(
        f"{refusal.subject}: the access token is no longer valid. Refresh it; if that is refused too, "
        "the athlete has to connect again."
    )


def _forbidden(refusal: _Refusal) -> IngestError:
    application = refusal.faults.about("Application")
    if application is not None and (application.field.lower(), application.code.lower()) == ("status", "inactive"):
        return ApplicationInactive(
            f"{refusal.subject}: Strava has switched the application off. "
            "Its owner needs an active Strava subscription; no athlete has to do anything."
        )
    if "connected athletes" in refusal.words.lower():
        return CapacityReached(
            f"{refusal.subject}: the application may connect no further athletes. "
            "Disconnect one, or ask Strava for a higher athlete capacity."
        )
    return _other(refusal)


def _gone(refusal: _Refusal) -> IngestError:
    route = refusal.faults.about("resource")
    if (route is not None and route.field == "path") or not _RESOURCE.search(refusal.path):
        return _not_the_api(refusal, "it has no such route")
    return Gone(
        f"{refusal.subject}: not found. It is deleted, hidden from this token, or not there yet; "
        "soon after a create event try again, else treat it as removed."
    )


def _quota_spent(refusal: _Refusal) -> IngestError:
    words = refusal.words.lower()
    is_day = refusal.report.day_is_spent() or "daily" in words or "day" in words.split()
    opens_at_epoch_s = next_day(refusal.now_epoch_s) if is_day else next_window(refusal.now_epoch_s)
    until_epoch_s = max(opens_at_epoch_s, int(refusal.now_epoch_s + refusal.retry_after_s))
    return QuotaSpent(
        f"{refusal.subject}: the {'daily' if is_day else '15-minute'} call budget is spent. "
        f"Try again from {utc_text(until_epoch_s)}.",
        until_epoch_s=float(until_epoch_s),
    )


def _other(refusal: _Refusal) -> IngestError:
    return BadRequest(
        f"{refusal.subject}: {refusal.words}. Sending the same call again changes nothing; correct what it asks for."
    )


_BY_STATUS: Mapping[int, Callable[[_Refusal], IngestError]] = {
    400: _bad_request,
    401: _unauthorised,
    403: _forbidden,
    404: _gone,
}
