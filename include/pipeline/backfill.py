"""`strava_backfill`: an athlete's history into the lake, at one call for each activity and one for each 200 listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from include.errors import BadRequest, Gone, IngestError, NotConnected, UnexpectedShape
from include.lake.catalog import Partition
from include.lake.rows import ActivityRows, build_rows
from include.pipeline.copies_due import with_undecided_copies
from include.pipeline.fingerprint import Fingerprint
from include.pipeline.ingest import CLOCK_SKEW_S
from include.pipeline.listing import quarantine
from include.pipeline.services import Services
from include.pipeline.sync import describe, sighting
from include.queue.queued_event import QueuedEvent
from include.state.activities import ActivityState, Lease, LedgerEntry, Mark
from include.state.athletes import AthleteStatus
from include.state.ledger_entry import DUE_AFTER_S
from include.strava.client import Unreadable
from include.strava.models import Activity, StreamSet
from include.strava.quota import DAY_S

BATCH = 25
"""Activities a task loads before it writes: few enough for a 2 GB worker, enough to share a month's object."""

IN_LAKE = (ActivityState.SYNCED, ActivityState.NO_STREAMS)


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """Which history to load: the athlete's activities that started between two days, both included (UTC)."""

    athlete_id: int
    first_day: date
    last_day: date
    dry_run: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> BackfillRequest:
        """The request that the Airflow form describes. Errors: `BadRequest` when the days are in the wrong order."""
        first, last = date.fromisoformat(params["from"]), date.fromisoformat(params["to"])
        if last < first:
            raise BadRequest(f"The backfill ends ({last}) before it starts ({first}); swap the two days.")
        return cls(params["athlete"], first, last, bool(params["dry_run"]))

    @property
    def after_epoch_s(self) -> int:
        """The last second before the first day; Strava's `after` excludes it."""
        return int(datetime.combine(self.first_day, time(), UTC).timestamp()) - 1

    @property
    def before_epoch_s(self) -> int:
        """The first second after the last day; Strava's `before` excludes it."""
        return int(datetime.combine(self.last_day + timedelta(days=1), time(), UTC).timestamp())


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """What a backfill would do, or does; ids only.

    Shape: `batches` holds the activities that the lake lacks, oldest first, at most `BATCH` in each.
    """

    found: int
    in_lake: int
    changed: int
    """In the lake, but edited since: queued for `strava_ingest`."""
    batches: tuple[tuple[int, ...], ...]
    unreadable: int
    """Rows of the list that cannot be read: quarantined by their ids, the others go on."""
    read_calls: int
    """Listing, done already, and loading: an activity that was entered by hand needs no call."""
    listed_at_epoch_s: float
    """When Strava was asked for the list: what is loaded is the athlete's activities as they were then."""

    @property
    def to_load(self) -> int:
        """How many activities the lake lacks."""
        return sum(len(batch) for batch in self.batches)

    def to_json(self) -> dict[str, int]:
        """The plan in numbers, as the run's summary shows it."""
        return {
            "found": self.found,
            "in_lake": self.in_lake,
            "changed": self.changed,
            "to_load": self.to_load,
            "unreadable": self.unreadable,
            "read_calls": self.read_calls,
        }


@dataclass(frozen=True, slots=True)
class BatchLoaded:
    """What one batch stored."""

    loaded: int
    points: int
    skipped: int
    """In the lake already, gone, quarantined, or held by another run, which brings them up to date itself."""
    partitions: tuple[Partition, ...]

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {
            "loaded": self.loaded,
            "points": self.points,
            "skipped": self.skipped,
            "partitions": [partition.to_json() for partition in self.partitions],
        }


def plan(services: Services, request: BackfillRequest) -> BackfillPlan:
    """List the athlete's activities of those days and decide which the lake lacks.

    Errors: `NotConnected` for an unknown athlete, or one who is being erased; `QuotaSpent` when the list does not fit
    into the budget now.
    Effects: unless it is a dry run, missing activities are due in the ledger from then on, and their list rows go to
    the raw zone, so that loading them needs no detail call; edited ones are queued for `strava_ingest`. Safe to repeat.
    """
    listed_at = services.clock()
    athlete = services.athletes.get(request.athlete_id)
    if athlete is None or athlete.status is not AthleteStatus.ACTIVE:
        raise NotConnected(
            f"Athlete {request.athlete_id} is not connected; have them connect at the start page, then run this again."
        )
    ledger = {entry.activity_id: entry for entry in services.activities.of_athlete(request.athlete_id)}
    missing: list[Activity] = []
    changed: list[Activity] = []
    unreadable: list[Unreadable] = []
    found = 0
    list_calls = 1  # the empty page that ends the list
    for page in services.strava.activities(
        request.athlete_id,
        after_epoch_s=request.after_epoch_s,
        before_epoch_s=request.before_epoch_s,
        unreadable=unreadable.append,
    ):
        list_calls += 1
        found += len(page)
        for activity in page:
            entry = ledger.get(activity.activity_id)
            if entry is None or entry.state not in IN_LAKE:
                missing.append(activity)
            elif entry.fingerprint != str(Fingerprint.of(activity)):
                changed.append(activity)
    missing.sort(key=lambda activity: activity.start_at)
    if not request.dry_run:
        _prepare(services, missing, changed, listed_at)
        for row in unreadable:
            quarantine(services, row)
    ids = [activity.activity_id for activity in missing]
    return BackfillPlan(
        found=found + len(unreadable),
        in_lake=found - len(missing) - len(changed),
        changed=len(changed),
        unreadable=len(unreadable),
        batches=tuple(tuple(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH)),
        read_calls=list_calls + sum(not activity.manual for activity in missing),
        listed_at_epoch_s=listed_at,
    )


def _prepare(services: Services, missing: Sequence[Activity], changed: Sequence[Activity], listed_at: float) -> None:
    between_s = 2 * DAY_S / services.quota.limits().read_day
    for place, activity in enumerate(missing):
        due_at = int(listed_at + DUE_AFTER_S + place * between_s)
        _keep_summary(services, activity, Mark(_answers_up_to(listed_at), due_at))
    for activity in changed:
        again = QueuedEvent.look_again(activity.athlete_id, activity.activity_id, services.clock())
        services.queue.send(again.to_body())


def _answers_up_to(listed_at_epoch_s: float) -> int:
    """The time of the newest event that what is loaded from a list of that time answers."""
    return int(listed_at_epoch_s) - CLOCK_SKEW_S


def _keep_summary(services: Services, activity: Activity, mark: Mark) -> None:
    """Keep a row of the list, unless everything of the athlete is being erased since it was listed.

    Before it the ledger says that the activity is due, so that reconcile has it fetched where no run comes to load it:
    half an hour from now, and one later than the other by twice what Strava's limit of a day spaces calls at, since a
    run that lives needs its time.
    Looked at once more after the write, see `Erasures`. Errors: `NotConnected`; nothing was kept.
    """
    athlete_id, activity_id = activity.athlete_id, activity.activity_id
    if not services.erasures.forbid_writing(athlete_id):
        start_at = int(activity.start_at.timestamp())
        services.activities.expect(athlete_id, activity_id, mark, start_at_epoch_s=start_at)
        services.raw.put_summary(activity)
        if not services.erasures.clear_away(athlete_id):
            return
        services.raw.remove(athlete_id, activity_id, guard=lambda: None)
        services.activities.forget(athlete_id, activity_id)
    raise NotConnected(f"Athlete {athlete_id} is being erased, so this backfill ends here; nothing more is kept.")


def load(services: Services, athlete_id: int, activity_ids: Sequence[int], *, listed_at_epoch_s: float) -> BatchLoaded:
    """Fetch the streams of a batch's activities and write each month they fall in once.

    `listed_at_epoch_s` is the plan's: an event of a later time is still to be looked at.
    An activity whose answer cannot be understood is quarantined, the others go on.
    Errors: `QuotaSpent`, `RetryLater`: everything fetched so far is stored, the same batch goes on where it stopped.
    Effects: safe to repeat; activities that are in the lake already cost no call.
    """
    held: list[_Fetched] = []
    partitions: frozenset[Partition] = frozenset()
    try:
        for activity_id in activity_ids:
            entry = services.activities.get(athlete_id, activity_id)
            if entry is None or entry.state not in IN_LAKE:
                fetched = _fetch(services, athlete_id, activity_id, listed_at_epoch_s)
                held += [fetched] if fetched else []
    finally:
        partitions = _write(services, held)
    return BatchLoaded(
        loaded=len(held),
        points=sum(fetched.entry.points for fetched in held),
        skipped=len(activity_ids) - len(held),
        partitions=tuple(sorted(partitions)),
    )


@dataclass(frozen=True, slots=True)
class _Fetched:
    """An activity whose row is leased, with everything that is about to be written."""

    lease: Lease
    rows: ActivityRows
    entry: LedgerEntry


def _fetch(services: Services, athlete_id: int, activity_id: int, listed_at_epoch_s: float) -> _Fetched | None:
    """The activity with its streams, under a lease; None where there is nothing to write, with the row let go."""
    lease = services.activities.acquire(athlete_id, activity_id)
    if lease is None:
        return None
    entry = lease.entry or LedgerEntry.unknown(athlete_id, activity_id)
    try:
        activity = services.raw.detail(athlete_id, activity_id)
        if activity is None:
            services.activities.postpone(lease, entry)
            return None
        entry = _listed(entry, activity, listed_at_epoch_s)
        fetched_at = entry.fetched_at_epoch_s or listed_at_epoch_s
        streams = _streams(services, lease, activity)
        rows = build_rows(activity, streams, source="backfill", updated_at_epoch_s=fetched_at)
    except UnexpectedShape as error:
        quarantined = entry.quarantined(str(error), fetched_at_epoch_s=listed_at_epoch_s)
        services.activities.postpone(lease, _still_due(quarantined, entry, listed_at_epoch_s))
        return None
    except IngestError as error:
        services.activities.postpone(lease, replace(entry, reason=str(error)))
        raise
    described = describe(entry, activity, streams, fetched_at_epoch_s=fetched_at)
    loaded = _still_due(described, entry, listed_at_epoch_s)
    return _Fetched(lease, rows, with_undecided_copies(services, lease, loaded, activity))


def _still_due(entry: LedgerEntry, before: LedgerEntry, listed_at_epoch_s: float) -> LedgerEntry:
    """The entry, with what was left to do before and what is loaded from that list does not answer."""
    return entry.still_due_as(before).answered(_answers_up_to(listed_at_epoch_s))


def _streams(services: Services, lease: Lease, activity: Activity) -> StreamSet | None:
    try:
        streams = None if activity.manual else services.strava.streams(activity.athlete_id, activity.activity_id)
    except Gone:
        return None
    if streams is not None:
        guard = partial(services.activities.check, lease)
        services.raw.put_streams(activity.athlete_id, activity.activity_id, streams, guard=guard)
    return streams


def _listed(before: LedgerEntry, activity: Activity, listed_at_epoch_s: float) -> LedgerEntry:
    """The row of an activity that is about to be loaded; a stored detail is as old as its own fetch."""
    fetched_at = before.fetched_at_epoch_s if activity.is_detail else None
    return before.listed(sighting(activity, fetched_at_epoch_s=fetched_at or listed_at_epoch_s))


def _write(services: Services, held: Sequence[_Fetched]) -> frozenset[Partition]:
    if not held:
        return frozenset()

    def guard() -> None:
        for fetched in held:
            services.activities.check(fetched.lease)

    for fetched in held:
        services.activities.note(fetched.lease, fetched.rows.object_keys)
    written = services.lake.write(
        [fetched.rows for fetched in held],
        previous_keys={
            fetched.lease.activity_id: fetched.lease.entry.object_keys for fetched in held if fetched.lease.entry
        },
        guard=guard,
    )
    for fetched in held:
        object_keys = written.object_keys[fetched.entry.activity_id]
        services.activities.settle(fetched.lease, replace(fetched.entry, object_keys=object_keys))
    return written.partitions
