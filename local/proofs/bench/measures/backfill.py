"""The row about the calls that a backfill costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from include.pipeline.backfill.history import keys, list_batch
from include.pipeline.backfill.loading import load
from include.pipeline.backfill.request import BackfillRequest, ask
from include.pipeline.chunks import ACTIVITIES, in_chunks
from include.pipeline.services import Services, open_services
from include.settings import Settings
from include.strava.client import Priority
from include.strava.scopes import ACTIVITY_READ, READ
from local.proofs.bench.claim import Claim
from local.proofs.bench.scale import Scale
from local.proofs.bench.system import connect
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.server import RunningSimulator, running_simulator
from local.strava_simulator.world.quota import Limits
from local.strava_simulator.world.simulation import Rules
from local.testbed.consent import authorize
from local.testbed.settings import settings_in

_NOW = datetime(2026, 6, 17, 12, 2, tzinfo=UTC).timestamp()
_FIRST_DAY = date(2026, 1, 1)
_APART = timedelta(hours=6)
_NO_LIMITS = Limits(window=1_000_000, day=1_000_000, read_window=1_000_000, read_day=1_000_000)


def backfill_calls(scale: Scale, directory: Path) -> Sequence[Claim]:
    """Read calls for each activity that a backfill brings into the lake, by the simulator's own count."""
    with running_simulator(clock=_clock, rules=Rules(limits=_NO_LIMITS)) as running:
        settings = settings_in(directory, running.base_url, application=running.application)
        with open_services(settings, priority=Priority.BACKFILL, clock=_clock) as services:
            athlete_id = _athlete_with_history(running, settings, services, scale.backfilled)
            before = _reads(running.control)
            loaded = _backfill(services, athlete_id)
            calls = _reads(running.control) - before
    if loaded != scale.backfilled:
        raise AssertionError(f"{loaded} of {scale.backfilled} activities were loaded; the count of calls means nothing")
    return [Claim.bounded("backfill_calls", "calls", [calls / loaded], at_most=1.01)]


def _clock() -> float:
    """A fixed time: the simulated one and ours agree, and no window opens in between."""
    return _NOW


def _athlete_with_history(running: RunningSimulator, settings: Settings, services: Services, count: int) -> int:
    athlete_id = running.control.create_athlete(firstname="Ann", lastname="Other")
    for number in range(count):
        start_at = datetime(_FIRST_DAY.year, _FIRST_DAY.month, _FIRST_DAY.day, 5, tzinfo=UTC) + number * _APART
        running.control.generate_activity(
            athlete_id, "run", start_at=start_at, announce=False, seed=number % 5, points=10
        )
    grant, _ = authorize(running.control, services.strava.oauth, athlete_id, (READ, ACTIVITY_READ))
    connect(settings, grant, _clock)
    return athlete_id


def _backfill(services: Services, athlete_id: int) -> int:
    """How many activities the runs' tasks loaded."""
    last_day = datetime.fromtimestamp(_NOW, UTC).date()
    history = ask(services, BackfillRequest(athlete_id, _FIRST_DAY, last_day, int(_NOW)))
    while history.is_open:
        history = list_batch(services, history)
        for chunk in in_chunks(keys(history), ACTIVITIES):
            load(services, chunk)
        history = services.state.histories.get(athlete_id, history.span) or history
    return history.loaded


def _reads(control: SimulatorControl) -> int:
    return sum(int(call["count"]) for call in control.calls() if call["route"].startswith("GET /api/v3"))
