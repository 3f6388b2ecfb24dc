"""A sync's input and its result; both pass through XCom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from include.state.activities.ledger import ActivityState, LedgerEntry


@dataclass(frozen=True, slots=True)
class SyncItem:
    """One activity to bring up to date, and the newest event that named it."""

    athlete_id: int
    activity_id: int
    event_at_epoch_s: int
    copies_only: bool = False
    """Only its copies are due; nothing is fetched."""
    is_announced: bool = False
    """An event said that it was deleted, or hidden from this application."""

    def to_json(self) -> dict[str, int]:
        """The item as XCom carries it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, int]) -> SyncItem:
        """The item that `to_json` wrote, or an older version's."""
        return cls(
            value["athlete_id"],
            value["activity_id"],
            value["event_at_epoch_s"],
            bool(value.get("copies_only", False)),
            bool(value.get("is_announced", False)),
        )


@dataclass(frozen=True, slots=True)
class Synced:
    """The result of a sync, without a title or a name: Airflow's database outlives an erasure."""

    athlete_id: int
    activity_id: int
    state: str
    sport_type: str
    start_date: str
    points: int
    reason: str = ""

    @classmethod
    def of(cls, entry: LedgerEntry, reason: str = "") -> Synced:
        """The result that the ledger's entry shows; without a `reason` the entry's own."""
        start = entry.start_at_epoch_s
        return cls(
            athlete_id=entry.athlete_id,
            activity_id=entry.activity_id,
            state=entry.state.value,
            sport_type=entry.sport_type,
            start_date="" if start is None else datetime.fromtimestamp(start, UTC).date().isoformat(),
            points=entry.points,
            reason=reason or entry.reason,
        )

    @property
    def label(self) -> str:
        """The activity's label in the Airflow UI: id, sport and date, and the state unless it is synced."""
        state = "" if self.state == ActivityState.SYNCED else self.state
        return " · ".join(part for part in (str(self.activity_id), self.sport_type, self.start_date, state) if part)

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {
            "athlete_id": self.athlete_id,
            "activity_id": self.activity_id,
            "state": self.state,
            "points": self.points,
            "reason": self.reason,
        }
