"""One activity in the simulator's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SimulatedActivity:
    """The full data of one activity: the answers of `GET /activities/{id}` and its `/streams`.

    Shape: `detail` is Strava's DetailedActivity, including `id`, `athlete.id` and `resource_state: 3`.
    `streams` maps a stream type to `{"data", "series_type", "original_size", "resolution"}` with arrays of one
    length; None where Strava answers 404 (manual activities, some treadmill runs).
    """

    detail: Mapping[str, Any]
    streams: Mapping[str, Mapping[str, Any]] | None

    @property
    def activity_id(self) -> int:
        """Strava's id of the activity."""
        return int(self.detail["id"])

    @property
    def athlete_id(self) -> int:
        """The athlete whose activity it is."""
        return int(self.detail["athlete"]["id"])
