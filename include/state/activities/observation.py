"""What the ledger takes from an answer of Strava's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Observation:
    """What one of Strava's answers says of an activity, as far as the ledger keeps it."""

    fetched_at_epoch_s: float
    """When the answer was asked for."""
    sport_type: str = ""
    start_at_epoch_s: int | None = None
    fingerprint: str = ""
