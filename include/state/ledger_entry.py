"""What is known of one activity, as the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from include.strava.models import ActivityId, AthleteId

DUE = "due"
"""What the index of due activities is asked for."""


class ActivityState(StrEnum):
    """What is known of an activity."""

    PENDING = "pending"
    """To be fetched at `next_try_epoch_s`."""
    SYNCED = "synced"
    NO_STREAMS = "no_streams"
    """In the lake without points: a manual activity, or one whose streams Strava does not have."""
    HIDDEN = "hidden"
    REMOVED = "removed"
    QUARANTINED = "quarantined"
    """Its answer could not be understood; the raw object and the reason are kept."""
    EXPIRED = "expired"
    """Kept as long as the settings allow and then deleted here; it comes back only if an event or a backfill asks."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What the ledger says of one activity. Holds no title and no name."""

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

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """The entry in a row of the table `activities`."""
        return cls(
            athlete_id=AthleteId(fields["athlete_id"]),
            activity_id=ActivityId(fields["activity_id"]),
            state=ActivityState(fields["state"]),
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
