"""One activity's ledger entry, and the steps by which it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

from include.state.activities.observation import Observation
from include.state.activities.start_rank import rank_of, start_of
from include.state.activities.states import (
    EXPIRED,
    LISTED,
    QUARANTINED,
    REMOVED,
    SYNCED,
    WAITING,
    WITHOUT_STREAMS,
    ActivityState,
)
from include.state.due_work import MARK, DueWork, earliest, put_off
from include.store.codec import encode, stored
from include.strava.models import ActivityId, AthleteId

DUE = "due"
"""The index value of due activities."""

DUE_AFTER_S = 1800
"""How long a queued run has before the activity is queued again; doubled each time."""

LONGEST_WAIT_S = 21_600
"""The longest wait between two tries of a due activity."""

ROUND_S = 900
"""Failures within a window after a round began belong to it, as Airflow's tries of one run do."""

MOST_ROUNDS = 10
"""After this many failed rounds an activity goes into quarantine."""

STREAM_LOOKS = 8
"""How often, over a day, streams are fetched again: they may lag the create event by hours."""

DAY_S = 86_400

NOT_LOADED = "listed by a backfill, not loaded"
PERHAPS_LOST = "Strava shows no recording of it just now; what is stored stays until it says so again"
EXPIRED_REASON = "kept as long as the settings allow, then deleted here"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The ledger's entry of one activity, without title or name.

    Its methods are the steps of `TRANSITIONS`; each returns the entry after it.
    """

    athlete_id: AthleteId
    activity_id: ActivityId
    state: ActivityState
    sport_type: str = ""
    start_at_epoch_s: int | None = field(default=None, metadata=stored(read=start_of))
    fingerprint: str = ""
    """The fingerprint of the stored answer: another one means that the lake's rows have to change."""
    object_keys: tuple[str, ...] = ()
    points: int = 0
    reason: str = ""
    rounds: int = 0
    """How many rounds in a row have failed, or found no streams; all tries within a window are one round."""
    round_at_epoch_s: int | None = None
    """When the last of these rounds began."""
    fetched_at_epoch_s: float | None = None
    """When the answer that the lake holds was requested."""
    oldest_answer_epoch_s: float | None = None
    """When the oldest stored answer was requested, if before `fetched_at_epoch_s`."""
    lost_at_epoch_s: int | None = None
    """When Strava first answered that there is no recording, although points are stored."""
    next_try_epoch_s: int | None = field(default=None, metadata=stored("own_try_epoch_s", older="next_try_epoch_s"))
    """When it is to be fetched again, apart from events."""
    asked: DueWork | None = field(default=None, metadata=MARK)
    """Due because of an event of that time or later; cleared by a newer fetch."""
    copies_due: DueWork | None = field(default=None, metadata=MARK)
    """Its copies are due since the lease of that fence; cleared by the run that has planned all of them."""
    queued: int = 0
    """How often reconcile has queued it since a run last finished it."""

    @property
    def kept_since_epoch_s(self) -> float | None:
        """When the oldest stored answer was requested."""
        return self.fetched_at_epoch_s if self.oldest_answer_epoch_s is None else self.oldest_answer_epoch_s

    @property
    def fetch_at_epoch_s(self) -> int | None:
        """When it is to be fetched, for whatever reason; None if no fetch is due."""
        asked_at_epoch_s = self.asked.due_at_epoch_s if self.asked else None
        return earliest(self.next_try_epoch_s, asked_at_epoch_s)

    @property
    def due_at_epoch_s(self) -> int | None:
        """When its first work is due; None if no work is."""
        return earliest(self.fetch_at_epoch_s, self.copies_due.due_at_epoch_s if self.copies_due else None)

    @property
    def is_known(self) -> bool:
        """Whether a fetch, a list or a removal is recorded, not only a request."""
        return self.state is not ActivityState.PENDING or self.fetched_at_epoch_s is not None or bool(self.object_keys)

    @classmethod
    def unknown(cls, athlete_id: int, activity_id: int) -> Self:
        """The entry of an unknown activity."""
        return cls(AthleteId(athlete_id), ActivityId(activity_id), ActivityState.PENDING)

    def synced(self, seen: Observation, points: int) -> Self:
        """Synced with `points` points as observed; the caller that writes the rows adds their `object_keys`."""
        return replace(self._seen(seen), state=SYNCED.of(self.state), points=points)

    def without_streams(self, seen: Observation, *, may_come: bool) -> Self:
        """Synced without points; streams that may still come are fetched again over a day at growing intervals."""
        lacked_before = self.state is ActivityState.NO_STREAMS and self.fingerprint == seen.fingerprint
        looks = (self.rounds if lacked_before else 0) + 1
        is_due_again = may_come and looks < STREAM_LOOKS
        next_try_epoch_s = int(seen.fetched_at_epoch_s) + wait_after(looks) if is_due_again else None
        return replace(
            self._seen(seen),
            state=WITHOUT_STREAMS.of(self.state),
            reason="Strava has no streams for it",
            rounds=looks,
            next_try_epoch_s=next_try_epoch_s,
        )

    def perhaps_lost(self, now_epoch_s: int) -> Self:
        """Strava shows no recording, but points are stored: they stay until it shows none again a window later."""
        lost_at_epoch_s = now_epoch_s if self.lost_at_epoch_s is None else self.lost_at_epoch_s
        waiting = self.waiting(PERHAPS_LOST, next_try_epoch_s=max(now_epoch_s, lost_at_epoch_s + ROUND_S))
        return replace(waiting, lost_at_epoch_s=lost_at_epoch_s)

    def is_lost(self, now_epoch_s: float) -> bool:
        """Whether to believe an answer without a recording: no points are stored, or it is the second such answer."""
        said_before = self.lost_at_epoch_s is not None and now_epoch_s - self.lost_at_epoch_s >= ROUND_S
        return said_before or not self.points

    def removed(self, fetched_at_epoch_s: float | None, reason: str) -> Self:
        """Removed from the lake: none of its data and no work stays, only what it was and why it went."""
        return replace(
            self.unknown(self.athlete_id, self.activity_id),
            state=REMOVED.of(self.state),
            sport_type=self.sport_type,
            start_at_epoch_s=self.start_at_epoch_s,
            reason=reason,
            fetched_at_epoch_s=fetched_at_epoch_s,
        )

    def unproved(self, *, fetched_at_epoch_s: float) -> Self:
        """The answer of that time proves nothing: the stored data stays, and no fetch is due."""
        return replace(
            self,
            state=(SYNCED if self.points else WITHOUT_STREAMS).of(self.state),
            reason="",
            rounds=0,
            round_at_epoch_s=None,
            fetched_at_epoch_s=fetched_at_epoch_s,
            oldest_answer_epoch_s=self.kept_since_epoch_s,
            next_try_epoch_s=None,
            asked=None,
            queued=0,
        )

    def quarantined(
        self, reason: str, *, fetched_at_epoch_s: float | None, look_again_at_epoch_s: int | None = None
    ) -> Self:
        """The answer of that time was unreadable, a later one may be readable; stored rows stay."""
        return replace(
            self,
            state=QUARANTINED.of(self.state),
            reason=reason,
            fetched_at_epoch_s=fetched_at_epoch_s,
            oldest_answer_epoch_s=self.kept_since_epoch_s if self.object_keys else None,
            next_try_epoch_s=look_again_at_epoch_s,
            asked=None,
            queued=0,
        )

    def waiting(self, reason: str, *, next_try_epoch_s: int) -> Self:
        """A fetch was not possible, through no fault of the activity; stored rows stay, requests wait for the next try.

        An expired entry loses its fetch time, which would make it expire again before it comes back.
        """
        return replace(
            self,
            state=WAITING.of(self.state),
            fetched_at_epoch_s=None if self.state is ActivityState.EXPIRED else self.fetched_at_epoch_s,
            reason=reason,
            next_try_epoch_s=next_try_epoch_s,
            asked=None,
            queued=0,
        )

    def failed(self, reason: str, now_epoch_s: int, retry_after_s: float) -> Self:
        """A fetch of this activity failed; the wait grows with each round, unless Strava asks for a longer one."""
        goes_on = self.round_at_epoch_s is not None and now_epoch_s - self.round_at_epoch_s < ROUND_S
        round_at_epoch_s = self.round_at_epoch_s if goes_on and self.round_at_epoch_s is not None else now_epoch_s
        failed_before = self.rounds if self.round_at_epoch_s is not None else 0  # else rounds that look for streams
        rounds = failed_before if goes_on else failed_before + 1
        if rounds >= MOST_ROUNDS:
            looked = self.quarantined(
                f"It failed in {rounds} rounds; the last time: {reason}",
                fetched_at_epoch_s=self.fetched_at_epoch_s,
                look_again_at_epoch_s=now_epoch_s + DAY_S,
            )
        else:
            next_try_epoch_s = max(round_at_epoch_s + wait_after(rounds), now_epoch_s + int(retry_after_s))
            looked = self.waiting(reason, next_try_epoch_s=next_try_epoch_s)
        return replace(looked, rounds=rounds, round_at_epoch_s=round_at_epoch_s)

    def listed(self, seen: Observation) -> Self:
        """Known only from a list; a due fetch stays due."""
        return replace(
            self._seen(seen),
            state=LISTED.of(self.state),
            fingerprint="",
            object_keys=self.object_keys,
            points=self.points,
            lost_at_epoch_s=self.lost_at_epoch_s,
            oldest_answer_epoch_s=self.kept_since_epoch_s if self.object_keys else None,
            reason=NOT_LOADED,
        ).still_due_as(self)

    def expired(self) -> Self:
        """Too old to be kept; the caller that removes its rows drops their `object_keys` afterwards."""
        return replace(
            self,
            state=EXPIRED.of(self.state),
            fingerprint="",
            points=0,
            reason=EXPIRED_REASON,
            oldest_answer_epoch_s=None,
            next_try_epoch_s=None,
            asked=None,
            copies_due=None,
            queued=0,
        )

    def asked_for(self, at_epoch_s: int, *, due_at_epoch_s: int) -> Self:
        """An event of `at_epoch_s` asks for it, so that it is due at `due_at_epoch_s` at the latest."""
        before = self.asked or DueWork(at_epoch_s, due_at_epoch_s)
        asked = DueWork(max(before.of, at_epoch_s), min(before.due_at_epoch_s, due_at_epoch_s))
        return replace(self, asked=asked)

    def answered(self, at_epoch_s: int) -> Self:
        """Events up to `at_epoch_s` are answered by an earlier fetch."""
        return replace(self, asked=None) if self.asked and self.asked.of <= at_epoch_s else self

    def copies_planned(self, fence: int) -> Self:
        """Every copy that became due with the lease of that fence is planned."""
        return replace(self, copies_due=None, queued=0) if self.copies_due and self.copies_due.of == fence else self

    def put_off(self, now_epoch_s: float) -> Self:
        """Due work is queued now, and due again after a wait that grows with each run that finished nothing."""
        until_epoch_s = int(now_epoch_s) + min(DUE_AFTER_S * 2**self.queued, LONGEST_WAIT_S)
        own = self.next_try_epoch_s
        return replace(
            self,
            next_try_epoch_s=until_epoch_s if own is not None and own <= now_epoch_s else own,
            asked=put_off(self.asked, now_epoch_s, until_epoch_s),
            copies_due=put_off(self.copies_due, now_epoch_s, until_epoch_s),
            queued=self.queued + 1,
        )

    def still_due_as(self, before: LedgerEntry) -> Self:
        """All work that was due before stays due."""
        return replace(self, next_try_epoch_s=before.next_try_epoch_s, asked=before.asked, copies_due=before.copies_due)

    def _seen(self, seen: Observation) -> Self:
        """All fields as observed, without the former ones, and no work due; the step that was taken sets the state."""
        return replace(
            self.unknown(self.athlete_id, self.activity_id),
            sport_type=seen.sport_type,
            start_at_epoch_s=seen.start_at_epoch_s,
            fingerprint=seen.fingerprint,
            fetched_at_epoch_s=seen.fetched_at_epoch_s,
        )

    def to_fields(self) -> dict[str, Any]:
        """The fields of its row, with those of the index."""
        due_at_epoch_s = self.due_at_epoch_s
        return encode(self) | {
            "start_at_epoch_s": rank_of(self.start_at_epoch_s, self.state),
            "next_try_epoch_s": due_at_epoch_s,
            "due": None if due_at_epoch_s is None else DUE,
        }


def wait_after(rounds: int) -> int:
    """Seconds from the beginning of one round to the next: a window after the first, twice as long each time."""
    return min(ROUND_S << (rounds - 1), LONGEST_WAIT_S)
