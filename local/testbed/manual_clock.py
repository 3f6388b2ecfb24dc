"""A clock that a test or proof sets by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ManualClock:
    """The one time of a system and its simulated Strava; it changes only by `advance` or by assignment."""

    now_epoch_s: float
    """Seconds since 1970 in UTC."""

    def __call__(self) -> float:
        """The time, as a `Clock` of the domain tells it."""
        return self.now_epoch_s

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self.now_epoch_s += seconds
