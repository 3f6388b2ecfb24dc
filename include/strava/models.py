"""Strava's answers as typed records: the fields that decisions need, and the whole answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType, TypeVar

from include.errors import UnexpectedShape
from include.strava.channels import cleaned, documented_channels
from include.strava.http.error_body import plain

_T = TypeVar("_T")

AthleteId = NewType("AthleteId", int)
ActivityId = NewType("ActivityId", int)
UploadId = NewType("UploadId", int)

_LONGEST = 2**31
"""The longest plausible duration in seconds (68 years) and distance in metres (53 times around the earth)."""


@dataclass(frozen=True, slots=True)
class Athlete:
    """An athlete's public profile, in the answers of the token exchange and of `GET /athlete`."""

    athlete_id: AthleteId
    firstname: str
    lastname: str
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    city: str = ""

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Athlete:
        """The profile in `answer`. Errors: `UnexpectedShape` without an integer id."""
        known = {"id", "firstname", "lastname", "city"}
        return cls(
            athlete_id=AthleteId(_require(answer, "id", int, "athlete")),
            firstname=_text(answer, "firstname") or "",
            lastname=_text(answer, "lastname") or "",
            city=_text(answer, "city") or "",
            extra={name: value for name, value in answer.items() if name not in known},
        )


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity from the list (summary) or by id (detail).

    `fields` is the whole answer and `body` the same as JSON bytes, for the raw zone.
    A length or a text of an undocumented type counts as missing here and stays unchanged in `fields`: one such value
    in a list of 200 must not stop a backfill.
    """

    activity_id: ActivityId
    athlete_id: AthleteId
    name: str
    sport_type: str
    start_at: datetime
    """Aware; in UTC, as Strava writes it."""
    elapsed_s: int
    distance_m: float
    manual: bool
    visibility: str
    """`everyone`, `followers_only` or `only_me`; derived from `private` in an old answer without it."""
    flagged: bool
    external_id: str | None
    upload_id: int | None
    is_detail: bool
    fields: Mapping[str, Any] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def zone(self) -> str:
        """The IANA name of the time zone in which it began; empty where Strava names none."""
        text = self.fields.get("timezone")  # such as "(GMT+01:00) Europe/Berlin"
        return text.rpartition(" ")[2] if isinstance(text, str) else ""

    @classmethod
    def parse(cls, answer: Mapping[str, Any], body: bytes | None = None) -> Activity:
        """The activity in `answer`.

        Errors: `UnexpectedShape` without id, athlete or a readable start date, and for a segment effort, although it
        has all three.
        """
        if "segment" in answer:
            raise UnexpectedShape("activity: it is a segment effort, not an activity")
        athlete = answer.get("athlete")
        start = _require(answer, "start_date", str, "activity")
        activity_id = ActivityId(_require(answer, "id", int, "activity"))
        return cls(
            activity_id=activity_id,
            athlete_id=AthleteId(_require(athlete if isinstance(athlete, Mapping) else {}, "id", int, "athlete")),
            name=_text(answer, "name") or "",
            sport_type=_text(answer, "sport_type") or _text(answer, "type") or "Workout",
            start_at=_instant(start, f"activity {activity_id}: start_date"),
            elapsed_s=int(_length(answer, "elapsed_time")),
            distance_m=_length(answer, "distance"),
            manual=bool(answer.get("manual")),
            visibility=_text(answer, "visibility") or ("only_me" if answer.get("private") else "everyone"),
            flagged=bool(answer.get("flagged")),
            external_id=_text(answer, "external_id"),
            upload_id=_whole(answer, "upload_id"),
            is_detail=answer.get("resource_state") == 3,
            fields=answer,
            body=body if body is not None else json.dumps(answer, separators=(",", ":")).encode(),
        )


@dataclass(frozen=True, slots=True)
class StreamSet:
    """The streams of one activity, keyed by type.

    Shape: `channels` maps a stream type to its samples; arrays usually have one length, but not always, and any element
    may be None. `latlng` holds `[lat, lng]` pairs. `length` is the longest array's.
    """

    channels: Mapping[str, Sequence[Any]] = field(repr=False)
    body: bytes = field(repr=False)
    odd: tuple[str, ...] = ()
    """Channels that are malformed or hold invalid samples; fit for a message."""

    @property
    def length(self) -> int:
        """The number of samples."""
        return max((len(samples) for samples in self.channels.values()), default=0)

    @classmethod
    def parse(cls, body: bytes) -> StreamSet:
        """The streams in an answer, keyed by type or as an array of streams that name theirs.

        Only a malformed stream is left out. An invalid sample counts as None, and so do `NaN` and `Infinity`, which are
        not JSON.
        Errors: `UnexpectedShape` for a body that is not JSON or has no stream.
        """
        documented = documented_channels(body)
        if documented is not None:
            return cls(channels=documented, body=body)
        answer = _sampled(body)
        channels, odd = {}, []
        for name, stream in _named_streams(answer):
            samples = stream.get("data") if isinstance(stream, Mapping) else None
            if not isinstance(samples, list):
                odd.append(plain(name))
                continue
            channels[name] = cleaned(name, samples)
            if channels[name] is not samples:
                odd.append(plain(name))
        if not channels and answer != {}:
            raise UnexpectedShape("streams: the answer holds no stream")
        return cls(channels=channels, body=body, odd=tuple(odd))


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file to upload into an athlete's account; `external_id` is ours, Strava appends the data type to it."""

    external_id: str
    data_type: str
    """`gpx`, `gpx.gz`, `tcx` or `tcx.gz`."""
    content: bytes = field(repr=False)
    name: str
    sport_type: str
    description: str = ""
    points: int | None = None
    """Its number of points, where known."""
    trainer: bool = False
    commute: bool = False
    track_hidden: bool = False
    """Whether the recording's positions were left out."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in Strava's answer: still processing, ready (`activity_id`), or failed (`error`)."""

    upload_id: UploadId
    status: str
    error: str | None
    activity_id: ActivityId | None
    external_id: str | None = None

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Upload:
        """The upload in `answer`. Errors: `UnexpectedShape` without an integer id, or for an error that is not text."""
        activity_id, error = _whole(answer, "activity_id"), answer.get("error")
        if not isinstance(error, str | None):
            raise UnexpectedShape(f"upload: 'error' should be str, is {type(error).__name__}")
        return cls(
            upload_id=UploadId(_require(answer, "id", int, "upload")),
            status=_text(answer, "status") or "",
            error=error or None,
            activity_id=None if activity_id is None else ActivityId(activity_id),
            external_id=_text(answer, "external_id"),
        )


@dataclass(frozen=True, slots=True)
class Subscription:
    """The application's one webhook subscription."""

    subscription_id: int
    callback_url: str = field(repr=False)

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Subscription:
        """The subscription in `answer`. Errors: `UnexpectedShape` without an integer id."""
        return cls(
            subscription_id=_require(answer, "id", int, "subscription"),
            callback_url=_text(answer, "callback_url") or "",
        )


def _require(answer: Mapping[str, Any], name: str, kind: type[_T], what: str) -> _T:
    value = answer.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UnexpectedShape(f"{what}: {name!r} should be {kind.__name__}, is {type(value).__name__}")
    return value


def _text(answer: Mapping[str, Any], name: str) -> str | None:
    value = answer.get(name)
    return value if isinstance(value, str) else None


def _whole(answer: Mapping[str, Any], name: str) -> int | None:
    value = answer.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _length(answer: Mapping[str, Any], name: str) -> float:
    """A duration or a distance; 0 where there is no plausible one."""
    value = answer.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST:
        return 0.0
    return float(value)


def _instant(text: str, what: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise UnexpectedShape(f"{what} {text!r} is not a date") from err
    if moment.tzinfo is None:
        raise UnexpectedShape(f"{what} {text!r} has no time zone")
    return moment


def _named_streams(answer: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(answer, Mapping):
        yield from answer.items()
    elif isinstance(answer, list):
        for stream in answer:
            name = stream.get("type") if isinstance(stream, Mapping) else None
            yield (name, stream) if isinstance(name, str) else ("(unnamed)", None)


def _sampled(body: bytes) -> Any:
    """The body as JSON values, with None for `NaN` and `Infinity`."""
    import msgspec  # not at the top: the webhook's host has no use for it and does not install it

    try:
        return msgspec.json.decode(body)  # four times as fast; it refuses what it would read differently
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    try:
        return json.loads(body, parse_constant=_no_sample)
    except (ValueError, RecursionError) as err:
        raise UnexpectedShape("streams: the answer is not JSON") from err


def _no_sample(_literal: str) -> None:
    """The value of a sample that is not a number."""
