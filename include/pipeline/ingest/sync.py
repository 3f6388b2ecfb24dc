"""Makes the lake and the ledger agree with Strava about one activity."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from include.copying.reasons import athlete_words
from include.errors import (
    Gone,
    IngestError,
    QuotaSpent,
    RemovalsStopped,
    RetryLater,
    UnexpectedShape,
)
from include.lake.rows.synced import build_rows
from include.pipeline.copying.copies_due import with_copies
from include.pipeline.erasure.coverage import has_unwanted_track
from include.pipeline.ingest.fingerprint import Fingerprint
from include.pipeline.ingest.removal import (
    ANNOUNCED,
    STOPPED,
    UNANNOUNCED,
    StillListed,
    is_hidden_from_grant,
    is_stopped,
    require_gone,
)
from include.pipeline.ingest.sync_item import Synced, SyncItem
from include.pipeline.reconcile.outage import current_outage, outage_shown_by
from include.pipeline.uses import UsesStorageAndStrava
from include.state.activities.ledger import ActivityState, Lease, LedgerEntry
from include.state.activities.observation import Observation
from include.state.application.outages import Outage
from include.strava.models import Activity, StreamSet
from include.strava.quota import DAY_S, utc_text

log = logging.getLogger(__name__)

SETTLING_S = 300
"""How long after its event a 404 may still mean "not there yet" (seen in 0.6 % of creates)."""

MAX_FETCHES = 5
"""How often one sync refetches an activity that changed meanwhile, before reconcile takes over."""


class NotThereYet(RetryLater):
    """Strava answers 404 for a new activity: its event came before Strava could serve it."""


class AnothersActivity(UnexpectedShape):
    """Strava shows an activity under another athlete than the event named."""


def sync(services: UsesStorageAndStrava, item: SyncItem, *, source: str) -> Synced:
    """Fetch the activity's present state and store it: raw answers, lake rows, ledger.

    Errors: `RetryLater` (try the same item again), `Refused` (the athlete or the application has to act).
    A spent quota is no error: the activity is stored as pending until the window opens. Neither is an outage of Strava
    or of the application: the activity is due when the outage is over, and nothing is fetched until then. Nothing is
    fetched where only copies are due.
    Effects: safe to repeat and to run twice at once; only the holder of the row's lease writes.
    """
    entry = LedgerEntry.unknown(item.athlete_id, item.activity_id)
    if item.copies_only:
        return Synced.of(services.state.activities.get(item.athlete_id, item.activity_id) or entry)
    if outage := current_outage(services):
        now_epoch_s = int(services.clock())
        services.state.activities.make_due(
            item.athlete_id, item.activity_id, asked_at_epoch_s=item.event_at_epoch_s, due_at_epoch_s=now_epoch_s
        )
        return Synced.of(entry, reason=_outage_reason(outage))
    for _ in range(MAX_FETCHES):
        lease = services.state.activities.acquire(item.athlete_id, item.activity_id)
        if lease is None:
            return Synced.of(entry, reason="another run holds it and will fetch again")
        try:
            entry = _Fetch(services, lease, item, source, services.clock()).run()
            if not services.state.activities.settle(lease, entry):
                return Synced.of(entry)
        except IngestError as error:
            outage = outage_shown_by(services, error, item.athlete_id)
            entry = _entry_after(error, lease.entry or entry, outage, int(services.clock()))
            services.state.activities.postpone(lease, entry)
            if outage is not None or isinstance(error, QuotaSpent):
                return Synced.of(entry, reason=_outage_reason(outage) if outage else "")
            raise
    return Synced.of(entry, reason="it keeps changing; reconcile continues with it")


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One fetch from Strava under a lease, and the entry that follows from it."""

    services: UsesStorageAndStrava
    lease: Lease
    item: SyncItem
    source: str
    fetched_at_epoch_s: float

    @property
    def previous(self) -> LedgerEntry:
        return self.lease.entry or LedgerEntry.unknown(self.item.athlete_id, self.item.activity_id)

    def guard(self) -> None:
        self.services.state.activities.check(self.lease)

    def run(self) -> LedgerEntry:
        """The entry that the ledger should hold now."""
        try:
            activity = self._activity()
        except Gone:
            if is_hidden_from_grant(self.services, self.previous):
                return self.previous.unproved(fetched_at_epoch_s=self.fetched_at_epoch_s)
            return with_copies(self.services, self.lease, self._remove(), None)
        except AnothersActivity as error:
            return self._quarantined(self.previous, error)
        self.services.lake.raw.put_detail(activity, guard=self.guard)
        stored = self._stored_streams(activity)
        streams = self._streams(activity) if stored is None else stored
        if streams is None:
            if not self._is_lost():
                return self.previous.perhaps_lost(int(self.fetched_at_epoch_s))
            self.services.lake.raw.remove_streams(activity.athlete_id, activity.activity_id, guard=self.guard)
        entry = self._store(activity, streams)
        if stored is not None:
            entry = replace(entry, oldest_answer_epoch_s=self.previous.kept_since_epoch_s)
        return with_copies(self.services, self.lease, entry, activity)

    def _activity(self) -> Activity:
        """The activity as Strava shows it. Errors: `AnothersActivity` too."""
        athlete_id, activity_id = self.item.athlete_id, self.item.activity_id
        with self.services.lake.raw.storing_unreadable(athlete_id, activity_id, guard=self.guard):
            activity = self.services.strava.client.activity(athlete_id, activity_id)
        if (activity.athlete_id, activity.activity_id) != (athlete_id, activity_id):
            raise AnothersActivity(
                f"An event named activity {activity_id} of athlete {athlete_id}, but Strava shows another athlete's. "
                "It is not stored. The event was wrong: there is nothing to do."
            )
        return activity

    def _stored_streams(self, activity: Activity) -> StreamSet | None:
        """The streams of an earlier fetch, while the recording is unchanged.

        Streams with invalid samples may come from one bad answer: every sync fetches them again.
        """
        unchanged = Fingerprint.parse(self.previous.fingerprint).track == Fingerprint.of(activity).track
        usable = unchanged and self.previous.points and not has_unwanted_track(self.services, self.previous)
        stored = self.services.lake.raw.streams(activity.athlete_id, activity.activity_id) if usable else None
        return None if stored is None or stored.odd else stored

    def _streams(self, activity: Activity) -> StreamSet | None:
        """The activity's streams as Strava has them now; None for a manual activity."""
        athlete_id, activity_id = activity.athlete_id, activity.activity_id
        try:
            with self.services.lake.raw.storing_unreadable(athlete_id, activity_id, guard=self.guard):
                streams = None if activity.manual else self.services.strava.client.streams(athlete_id, activity_id)
        except Gone:
            return None
        if streams is not None:
            self.services.lake.raw.put_streams(athlete_id, activity_id, streams, guard=self.guard)
        return streams

    def _is_lost(self) -> bool:
        """Whether stored points are to go: Strava has twice shown none, or the athlete asked for their removal."""
        return self.previous.is_lost(self.fetched_at_epoch_s) or has_unwanted_track(self.services, self.previous)

    def _store(self, activity: Activity, streams: StreamSet | None) -> LedgerEntry:
        entry = describe(self.previous, activity, streams, fetched_at_epoch_s=self.fetched_at_epoch_s)
        try:
            rows = build_rows(
                activity,
                streams,
                made=self.services.state.copies.made_for(activity.athlete_id),
                source=self.source,
                updated_at_epoch_s=self.fetched_at_epoch_s,
            )
        except UnexpectedShape as error:
            since_epoch_s = self.previous.kept_since_epoch_s
            known = replace(entry, object_keys=self.previous.object_keys, oldest_answer_epoch_s=since_epoch_s)
            return self._quarantined(known, error)
        self.services.state.activities.note(self.lease, rows.object_keys)
        written = self.services.lake.tables.write(
            [rows], previous_keys={activity.activity_id: self.previous.object_keys}, guard=self.guard
        )
        return replace(entry, object_keys=written.object_keys[activity.activity_id])

    def _quarantined(self, entry: LedgerEntry, error: UnexpectedShape) -> LedgerEntry:
        """The quarantined entry: fetched again tomorrow, or never where a wrong event named the activity."""
        is_wrong_event = isinstance(error, AnothersActivity) and not entry.object_keys
        tomorrow = int(self.fetched_at_epoch_s) + DAY_S
        log.error("Activity %s of athlete %s is quarantined: %s", entry.activity_id, entry.athlete_id, error)
        return entry.quarantined(
            str(error),
            fetched_at_epoch_s=self.fetched_at_epoch_s,
            look_again_at_epoch_s=None if is_wrong_event else tomorrow,
        )

    def _remove(self) -> LedgerEntry:
        """Remove an activity that Strava no longer shows from the lake, rows first, raw objects after."""
        previous = self.previous
        unseen = not previous.object_keys and previous.state is not ActivityState.REMOVED
        if unseen and not self.item.is_announced and self.fetched_at_epoch_s - self.item.event_at_epoch_s < SETTLING_S:
            raise NotThereYet(
                f"Strava answers 404 for activity {previous.activity_id} of athlete {previous.athlete_id} right after "
                "its event; the call is repeated for some minutes before the activity counts as gone."
            )
        require_gone(self.services, previous, is_announced=self.item.is_announced)
        self.services.lake.tables.remove(
            previous.athlete_id, [previous.activity_id], previous.object_keys, guard=self.guard
        )
        self.services.lake.raw.remove(previous.athlete_id, previous.activity_id, guard=self.guard)
        reason = ANNOUNCED if self.item.is_announced else UNANNOUNCED
        return previous.removed(self.fetched_at_epoch_s, reason)


def describe(
    previous: LedgerEntry, activity: Activity, streams: StreamSet | None, *, fetched_at_epoch_s: float
) -> LedgerEntry:
    """The ledger entry of an activity whose rows are about to be written, without `object_keys`."""
    seen = observation_of(activity, fetched_at_epoch_s=fetched_at_epoch_s)
    if streams is not None:
        return previous.synced(seen, streams.length)
    return previous.without_streams(seen, may_come=not activity.manual)


def observation_of(activity: Activity, *, fetched_at_epoch_s: float) -> Observation:
    """The fields of the answer that the ledger keeps."""
    return Observation(
        fetched_at_epoch_s=fetched_at_epoch_s,
        sport_type=activity.sport_type,
        start_at_epoch_s=int(activity.start_at.timestamp()),
        fingerprint=str(Fingerprint.of(activity)),
    )


def _entry_after(error: IngestError, before: LedgerEntry, outage: Outage | None, now_epoch_s: int) -> LedgerEntry:
    """The entry of an activity that could not be synced now; a spent quota or an outage does not count as its failure.

    An activity whose removal waits for the operator keeps that reason until Strava shows it again.
    """
    reason = athlete_words(error, account="your account")
    if isinstance(error, RemovalsStopped):
        return before.waiting(reason, next_try_epoch_s=now_epoch_s + DAY_S)
    if is_stopped(before) and not isinstance(error, StillListed):
        reason = STOPPED
    if isinstance(error, QuotaSpent):
        return before.waiting(reason, next_try_epoch_s=int(error.until_epoch_s) + 1)
    if outage is not None:
        return before.waiting(reason, next_try_epoch_s=now_epoch_s)
    return before.failed(reason, now_epoch_s, error.retry_after_s)


def _outage_reason(outage: Outage) -> str:
    return f"Strava has been down since {utc_text(outage.since_epoch_s)}; reconcile continues when it is back"
