"""What is known of one activity, as the ledger keeps it, and how that may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from include.state.transition import Transition
from include.strava.models import ActivityId, AthleteId

DUE = "due"
"""What the index of due activities is asked for."""

NOT_LOADED = "listed by a backfill, not loaded"
EXPIRED_REASON = "kept as long as the settings allow, then deleted here"


class ActivityState(StrEnum):
    """What is known of an activity."""

    PENDING = "pending"
    """To be fetched at `next_try_epoch_s`."""
    SYNCED = "synced"
    NO_STREAMS = "no_streams"
    """In the lake without points: a manual activity, or one whose streams Strava does not have."""
    REMOVED = "removed"
    """Strava shows it no longer, and nothing of it is kept."""
    QUARANTINED = "quarantined"
    """Its answer could not be understood; the raw object and the reason are kept."""
    EXPIRED = "expired"
    """Kept as long as the settings allow and then deleted here; it comes back only if an event or a backfill asks."""


_ANY = frozenset(ActivityState)
_S = ActivityState
_FORMER = {"hidden": _S.REMOVED}
"""States that rows of older versions may hold."""

SYNCED = Transition("synced", _ANY, _S.SYNCED, "its streams were fetched and its rows are written")
WITHOUT_STREAMS = Transition("without_streams", _ANY, _S.NO_STREAMS, "it has no streams; its other rows are written")
REMOVED = Transition("removed", _ANY, _S.REMOVED, "Strava shows it no longer, and it is out of the lake")
QUARANTINED = Transition("quarantined", _ANY, _S.QUARANTINED, "an answer about it could not be understood")
WAITING = Transition("waiting", _ANY, _S.PENDING, "a fault that passes, or a spent budget, kept it from being fetched")
LISTED = Transition("listed", _ANY, _S.PENDING, "its list row is stored, its streams are still to be fetched")
EXPIRED = Transition("expired", _ANY - {_S.REMOVED}, _S.EXPIRED, "it is as old as the settings allow, and is deleted")

TRANSITIONS = (SYNCED, WITHOUT_STREAMS, REMOVED, QUARANTINED, WAITING, LISTED, EXPIRED)
"""Every step there is; a row without one is `pending`."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one of Strava's answers says of an activity, as far as the ledger keeps it."""

    fetched_at_epoch_s: float
    """When the answer was asked for."""
    sport_type: str = ""
    start_at_epoch_s: int | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What the ledger says of one activity. Holds no title and no name.

    Its methods are the steps of `TRANSITIONS`; each returns the entry after it.
    """

    athlete_id: AthleteId
    activity_id: ActivityId
    state: ActivityState
    sport_type: str = ""
    start_at_epoch_s: int | None = None
    fingerprint: str = ""
    """Changes when the lake's rows of this activity would."""
    object_keys: tuple[str, ...] = ()
    points: int = 0
    reason: str = ""
    attempts: int = 0
    fetched_at_epoch_s: float | None = None
    """When the answer was asked for that the lake agrees with."""
    next_try_epoch_s: int | None = None

    @classmethod
    def unknown(cls, athlete_id: int, activity_id: int) -> Self:
        """The entry of an activity of which nothing is known yet."""
        return cls(AthleteId(athlete_id), ActivityId(activity_id), ActivityState.PENDING)

    def synced(self, seen: Sighting, points: int) -> Self:
        """Rows and `points` points as `seen`; whoever has written the rows adds their `object_keys`."""
        return replace(self._seen(seen), state=SYNCED.of(self.state), points=points)

    def without_streams(self, seen: Sighting, *, look_again_at_epoch_s: int | None) -> Self:
        """Rows as `seen`, without points; looked at once more at that time where streams may still come."""
        return replace(
            self._seen(seen),
            state=WITHOUT_STREAMS.of(self.state),
            reason="Strava has no streams for it",
            next_try_epoch_s=look_again_at_epoch_s,
        )

    def removed(self, fetched_at_epoch_s: float | None, reason: str) -> Self:
        """Nothing of it is left in the lake."""
        return replace(
            self,
            state=REMOVED.of(self.state),
            fingerprint="",
            object_keys=(),
            points=0,
            reason=reason,
            fetched_at_epoch_s=fetched_at_epoch_s,
            next_try_epoch_s=None,
        )

    def quarantined(
        self, reason: str, *, fetched_at_epoch_s: float | None, next_try_epoch_s: int | None = None
    ) -> Self:
        """What the lake holds of it stays; the answer of that time was not understood."""
        return replace(
            self,
            state=QUARANTINED.of(self.state),
            reason=reason,
            fetched_at_epoch_s=fetched_at_epoch_s,
            next_try_epoch_s=next_try_epoch_s,
        )

    def waiting(self, reason: str, *, next_try_epoch_s: int | None) -> Self:
        """What the lake holds of it stays known; one more attempt has failed."""
        return replace(
            self,
            state=WAITING.of(self.state),
            reason=reason,
            attempts=self.attempts + 1,
            next_try_epoch_s=next_try_epoch_s,
        )

    def listed(self, seen: Sighting) -> Self:
        """Known from a list alone; whoever waits for it to be fetched still does."""
        return replace(
            self._seen(seen),
            state=LISTED.of(self.state),
            fingerprint="",
            object_keys=self.object_keys,
            reason=NOT_LOADED,
            next_try_epoch_s=self.next_try_epoch_s,
        )

    def expired(self) -> Self:
        """Too old to be kept; whoever takes its rows away drops their `object_keys` after it."""
        return replace(
            self,
            state=EXPIRED.of(self.state),
            fingerprint="",
            points=0,
            reason=EXPIRED_REASON,
            next_try_epoch_s=None,
        )

    def asked_for(self, now_epoch_s: float) -> Self:
        """Due at once, since somebody wants to see it in the lake: also what had expired."""
        state = WAITING.of(self.state) if self.state is ActivityState.EXPIRED else self.state
        return replace(self, state=state, next_try_epoch_s=int(now_epoch_s))

    def _seen(self, seen: Sighting) -> Self:
        """All facts as `seen`, none of what was stored before."""
        return replace(
            self,
            sport_type=seen.sport_type,
            start_at_epoch_s=seen.start_at_epoch_s,
            fingerprint=seen.fingerprint,
            object_keys=(),
            points=0,
            reason="",
            attempts=0,
            fetched_at_epoch_s=seen.fetched_at_epoch_s,
            next_try_epoch_s=None,
        )

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """The entry in a row of the table `activities`."""
        return cls(
            athlete_id=AthleteId(fields["athlete_id"]),
            activity_id=ActivityId(fields["activity_id"]),
            state=_FORMER.get(fields["state"]) or ActivityState(fields["state"]),
            sport_type=fields["sport_type"],
            start_at_epoch_s=fields["start_at_epoch_s"],
            fingerprint=fields["fingerprint"],
            object_keys=tuple(fields["object_keys"]),
            points=fields["points"],
            reason=fields["reason"],
            attempts=fields["attempts"],
            fetched_at_epoch_s=fields["fetched_at_epoch_s"],
            next_try_epoch_s=fields["next_try_epoch_s"],
        )

    def to_fields(self) -> dict[str, Any]:
        """The same as fields of the row."""
        return {
            "athlete_id": self.athlete_id,
            "activity_id": self.activity_id,
            "state": str(self.state),
            "sport_type": self.sport_type,
            "start_at_epoch_s": self.start_at_epoch_s,
            "fingerprint": self.fingerprint,
            "object_keys": list(self.object_keys),
            "points": self.points,
            "reason": self.reason,
            "attempts": self.attempts,
            "fetched_at_epoch_s": self.fetched_at_epoch_s,
            "next_try_epoch_s": self.next_try_epoch_s,
            "due": None if self.next_try_epoch_s is None else DUE,
        }
