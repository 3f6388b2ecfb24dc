"""The fields of a Strava answer that the ledger keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Observation:
    """The part of one Strava answer about an activity that the ledger keeps."""

    fetched_at_epoch_s: float
    """When the answer was requested."""
    sport_type: str = ""
    start_at_epoch_s: int | None = None
    fingerprint: str = ""
