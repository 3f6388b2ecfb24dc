"""A clock that a test or proof sets, so that hours pass instantly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ManualClock:
    """The time of the system and of Strava; it stands still until `pass_s`."""

    now: float

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.now

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
