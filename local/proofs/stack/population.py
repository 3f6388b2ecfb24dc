"""Hundreds of athletes on a running system, connected without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

from include.pipeline.services import Services, open_services
from include.settings import Settings
from include.state.activities.ledger import ActivityState
from local.strava_simulator.control_client import SimulatorControl
from local.testbed.consent import authorize

_FIRST_ID = 5_000_000
_SCOPES = ("read", "activity:read", "activity:read_all")
_APART = timedelta(hours=3)


@dataclass(slots=True)
class Population:
    """Athletes whose activities webhooks report."""

    control: SimulatorControl
    services: Services
    athlete_ids: list[int] = field(default_factory=list)
    owners: dict[int, int] = field(default_factory=dict)
    """The athlete of each activity."""

    @classmethod
    @contextmanager
    def of(cls, settings: Settings, simulator_url: str) -> Iterator[Self]:
        """The population of a system, without athletes at first."""
        with SimulatorControl(simulator_url) as control, open_services(settings) as services:
            yield cls(control, services)

    def grow(self, count: int) -> None:
        """Connect athletes until that many are connected."""
        for number in range(len(self.athlete_ids), count):
            athlete_id = _FIRST_ID + number
            self.control.create_athlete(athlete_id=athlete_id, firstname=f"Runner {number}", lastname="Invented")
            self.services.state.athletes.connect(
                *authorize(self.control, self.services.strava.oauth, athlete_id, _SCOPES)
            )
            self.athlete_ids.append(athlete_id)

    def finish(self, athlete_id: int, number: int, *, points: int, announce: bool = True) -> int:
        """Let the athlete finish a run, each `number` at another hour; returns its id."""
        start_at = datetime.now(UTC).replace(microsecond=0) - (number + 1) * _APART
        activity_id = self.control.generate_activity(
            athlete_id, "run", start_at=start_at, seed=number, points=points, name="Morning run", announce=announce
        )
        self.owners[activity_id] = athlete_id
        return activity_id

    def is_loaded(self, activity_id: int) -> bool:
        """Whether the ledger says that the lake has the activity."""
        entry = self.services.state.activities.get(self.owners[activity_id], activity_id)
        return entry is not None and entry.state is ActivityState.SYNCED
