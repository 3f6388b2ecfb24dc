"""A clock for systems that run through hours in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ManualClock:
    """One time for the system and for Strava; it passes only when it is told to."""

    now: float

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.now

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
