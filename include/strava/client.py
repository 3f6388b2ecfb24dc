"""Strava's API as typed calls on behalf of athletes, within the shared budget."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from include.errors import Gone, NotTheApi, OutcomeUnknown, TokenRefused, UnexpectedShape
from include.strava.http.response import Response
from include.strava.http.session import BearerAuth, Call, StravaSession, of_athlete
from include.strava.models import Activity, Athlete, StreamSet, Upload, UploadFile, UploadId
from include.strava.quota import Bucket, Priority
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_WRITE
from include.strava.stream_types import STREAM_TYPES

__all__ = ["PER_PAGE", "Bucket", "Priority", "QuotaGate", "StravaClient", "TokenSource", "Unreadable"]

_T = TypeVar("_T")

log = logging.getLogger(__name__)

PER_PAGE = 200
"""The most activities that Strava lists in one answer."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row of an activity list that does not match Strava's documentation; `activity_id` if it has one."""

    athlete_id: int
    activity_id: int | None
    reason: str


class TokenSource(Protocol):
    """A source of valid access tokens."""

    def access_token(self, athlete_id: int, *, scope: str) -> str:
        """A token that covers `scope`, refreshed if necessary.

        Errors: `NotConnected`, `ScopeMissing`, `TokenRefused`, or those of a refresh.
        """
        ...

    def reject(self, athlete_id: int, access_token: str) -> None:
        """Note that Strava refused `access_token`: the next call of `access_token` refreshes it."""
        ...


class QuotaGate(Protocol):
    """The budget that all workers share."""

    def reserve(self, bucket: Bucket, priority: Priority) -> None:
        """Count one call before it is made. Errors: `QuotaSpent`; then nothing was counted."""
        ...

    def observe(self, headers: Mapping[str, str]) -> None:
        """Learn usage and limits from the headers of an answer."""
        ...


class StravaClient:
    """Typed calls to Strava's API; each names the athlete whose token it uses.

    Every attempt reserves its share of the budget first and reports the answer's headers afterwards.
    A refused access token is refreshed once.
    Errors of every call: `QuotaSpent`, `StravaUnavailable`, `TokenRefused`, `NotConnected`, `ScopeMissing`,
    `ApplicationInactive`, `UnexpectedShape`, `BadRequest`; others are named at the call.
    """

    def __init__(
        self, session: StravaSession, api_url: str, tokens: TokenSource, quota: QuotaGate, priority: Priority
    ) -> None:
        self._session = session
        self._api_url = api_url
        self._tokens = tokens
        self._quota = quota
        self._priority = priority

    def athlete(self, athlete_id: int) -> Athlete:
        """The athlete's profile."""
        answer = self._get("/athlete", athlete_id)
        return answer.read(lambda: Athlete.parse(answer.object()))

    def activity(self, athlete_id: int, activity_id: int) -> Activity:
        """The activity in detail, with its laps.

        Errors: `Gone` (deleted, hidden from this token, or not there yet).
        """
        answer = self._get(f"/activities/{activity_id}", athlete_id, {"include_all_efforts": "false"})
        return _read(answer, lambda: Activity.parse(answer.object(), answer.body))

    def activities(
        self,
        athlete_id: int,
        *,
        after_epoch_s: int | None = None,
        before_epoch_s: int | None = None,
        unreadable: Callable[[Unreadable], None] | None = None,
    ) -> Iterator[list[Activity]]:
        """Pages of up to 200 summaries, each fetched when it is read; no activity is returned twice.

        `unreadable` is called with each row that cannot be read, and the others are returned; without it such a row is
        an error.

        Only an empty page ends the list: Strava drops hidden activities from a page after it has cut it, so a short
        page may be followed by more. That costs one call a listing, 0.001 of a call for each of 1000 activities.
        Units: `after_epoch_s` and `before_epoch_s` bound the start time.
        Errors: `UnexpectedShape` also for a page that only repeats earlier ones, since the list would never end.
        """
        report = unreadable or _refuse
        bounds = {"after": after_epoch_s, "before": before_epoch_s}
        query: dict[str, str | int] = {name: value for name, value in bounds.items() if value is not None}
        query["per_page"] = PER_PAGE
        seen: set[Hashable] = set()
        page = 1
        while rows := self._page(athlete_id, query | {"page": page}):
            fresh = {_identity(row): row for row in rows if _identity(row) not in seen}
            if not fresh:
                raise UnexpectedShape(
                    f"Strava's activity list repeats itself on page {page} for athlete {athlete_id}. Try again later."
                )
            seen.update(fresh)
            for row in fresh.values():
                if isinstance(row, Unreadable):
                    report(row)
            yield [row for row in fresh.values() if isinstance(row, Activity)]
            page += 1

    def streams(self, athlete_id: int, activity_id: int) -> StreamSet:
        """Every stream that the activity has.

        Errors: `Gone` (no streams: a manual activity, not there yet, deleted, or hidden).
        """
        query: Mapping[str, str] = {"keys": ",".join(each.key for each in STREAM_TYPES), "key_by_type": "true"}
        call = Call("GET", f"/activities/{activity_id}/streams", of_athlete(athlete_id), query=query, is_long=True)
        answer = self._ask(call, athlete_id, scope=ACTIVITY_READ).checked()
        if answer.body.strip() in (b"{}", b"[]"):
            raise Gone(f"Activity {activity_id} of athlete {athlete_id} has no streams. Keep it without them.")
        streams = _read(answer, lambda: StreamSet.parse(answer.body))
        if not streams.length:
            raise Gone(f"Activity {activity_id} of athlete {athlete_id} has empty streams. Keep it without them.")
        if streams.odd:
            log.warning(
                "Streams of activity %s of athlete %s hold invalid samples; those are left out, the raw answer is: %s.",
                activity_id,
                athlete_id,
                ", ".join(streams.odd),
            )
        return streams

    def create_upload(self, athlete_id: int, file: UploadFile, before_sending: Callable[[], object]) -> Upload:
        """The upload that Strava has begun, or has refused at once (`error`; its id may then be 0).

        `before_sending` runs right before each sending, after the token and the budget were obtained: it records the
        sending, or raises to prevent it.
        Effects: a new activity in the athlete's account, unless Strava finds it a duplicate.
        Errors: `OutcomeUnknown` (the file may have arrived: ask for the activity before uploading again).
        """
        form = {
            "data_type": file.data_type,
            "external_id": file.external_id,
            "name": file.name,
            "sport_type": file.sport_type,
        }
        if file.description:
            form["description"] = file.description
        form |= {flag: "1" for flag in ("trainer", "commute") if getattr(file, flag)}
        name = f"{file.external_id}.{file.data_type}"
        call = Call("POST", "/uploads", of_athlete(athlete_id), form=form, file=(name, file.content), is_long=True)
        answer = self._ask(call, athlete_id, scope=ACTIVITY_WRITE, bucket=Bucket.UPLOAD, before_sending=before_sending)
        refused = _refused_upload(answer)
        if refused is not None:
            return refused
        try:
            return answer.checked().read(lambda: Upload.parse(answer.object()))
        except (NotTheApi, UnexpectedShape) as err:
            if answer.is_success:
                words = f"{err} The file may have arrived: check with Strava before sending it again."
                raise OutcomeUnknown(words, retry_after_s=err.retry_after_s) from err
            raise

    def upload(self, athlete_id: int, upload_id: int) -> Upload:
        """The state of an upload. Errors: `Gone`."""
        call = Call("GET", f"/uploads/{upload_id}", of_athlete(athlete_id))
        answer = self._ask(call, athlete_id, scope=ACTIVITY_WRITE).checked()
        return answer.read(lambda: Upload.parse(answer.object()))

    def _page(self, athlete_id: int, query: Mapping[str, str | int]) -> list[Activity | Unreadable]:
        answer = self._get("/athlete/activities", athlete_id, query)
        rows = answer.document()
        if not isinstance(rows, list):
            raise UnexpectedShape(str(answer.error()))
        return [_summary(answer, row, athlete_id) for row in rows]

    def _get(self, path: str, athlete_id: int, query: Mapping[str, str | int] | None = None) -> Response:
        call = Call("GET", path, of_athlete(athlete_id), query=query or {})
        return self._ask(call, athlete_id, scope=ACTIVITY_READ).checked()

    def _ask(
        self,
        call: Call,
        athlete_id: int,
        *,
        scope: str,
        bucket: Bucket = Bucket.READ,
        before_sending: Callable[[], object] = lambda: None,
    ) -> Response:
        """The answer to `call` with the athlete's token, or with a refreshed one where Strava refuses that."""
        token = self._tokens.access_token(athlete_id, scope=scope)
        answer = self._send(call, token, bucket, before_sending)
        if answer.status == 401 and isinstance(answer.error(), TokenRefused):
            self._tokens.reject(athlete_id, token)
            fresh = self._tokens.access_token(athlete_id, scope=scope)
            if fresh != token:
                return self._send(call, fresh, bucket, before_sending)
        return answer

    def _send(self, call: Call, token: str, bucket: Bucket, before_sending: Callable[[], object]) -> Response:
        def before() -> None:
            self._quota.reserve(bucket, self._priority)
            before_sending()

        return self._session.send(
            self._api_url,
            replace(call, auth=BearerAuth(token)),
            before=before,
            after=self._quota.observe,
        )


def _read(answer: Response, parse: Callable[[], _T]) -> _T:
    """As `Response.read`; the error carries the answer, so that it can be stored."""
    try:
        return answer.read(parse)
    except UnexpectedShape as error:
        error.answer = answer.body
        raise


def _summary(answer: Response, row: Any, athlete_id: int) -> Activity | Unreadable:
    try:
        return answer.read(lambda: Activity.parse(row))
    except UnexpectedShape as error:
        activity_id = row.get("id") if isinstance(row, Mapping) else None
        whole = isinstance(activity_id, int) and not isinstance(activity_id, bool)
        return Unreadable(athlete_id, activity_id if whole else None, str(error))


def _identity(row: Activity | Unreadable) -> Hashable:
    return row if row.activity_id is None else row.activity_id


def _refuse(row: Unreadable) -> None:
    raise UnexpectedShape(f"A row of the activity list of athlete {row.athlete_id} cannot be read: {row.reason}")


def _refused_upload(answer: Response) -> Upload | None:
    """The upload in a 400 with Strava's reason in `error`, as in the answer to a poll; it may have no id."""
    if answer.status != 400:
        return None
    try:
        document = answer.object()
    except (UnexpectedShape, NotTheApi):
        return None
    error, upload_id = document.get("error"), document.get("id")
    if not isinstance(error, str) or not error:
        return None
    return Upload(
        upload_id=UploadId(upload_id if type(upload_id) is int else 0),
        status="There was an error processing your activity.",
        error=html.unescape(error),
        activity_id=None,
    )
