"""Use cases against a running simulator, on the embedded leaves; the clock moves only when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from include.crypto.backend import open_cipher
from include.lake.query import query
from include.pipeline.backfill.request import BackfillRequest, ask
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.services import Services, open_services
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.accounts.narrowing import Narrowing
from include.state.histories import History
from include.store.backend import open_store
from include.strava.events import WebhookEvent
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.server import RunningSimulator, running_simulator
from local.strava_simulator.world.simulation import Rules
from local.testbed.consent import authorize, open_account
from local.testbed.manual_clock import ManualClock
from local.testbed.settings import NO_STRAVA, settings_in

NOW = datetime(2026, 6, 17, 12, 2, tzinfo=UTC)
PARENT_ID = 71
CHILD_ID = 72
READ = ("read", "activity:read", "activity:read_all")
WRITE = (*READ, "activity:write")


@dataclass(slots=True)
class World:
    """The simulated Strava, what works on it, and the clock of both."""

    settings: Settings
    services: Services
    control: SimulatorControl
    clock: ManualClock
    client_id: int
    waited_s: list[float] = field(default_factory=list)

    def connect(self, athlete_id: int, scopes: tuple[str, ...] = WRITE, *, removes: bool = False) -> None:
        """Give the athlete an account and connect it; who allows less than before means it."""
        open_account(self.control, athlete_id)
        oauth = self.services.strava.oauth
        store = open_store(self.settings.state_url, self.services.clock)
        athletes = Athletes(store, open_cipher(self.settings.key_url), self.services.clock)
        chosen = Narrowing(athlete_id, frozenset(WRITE), removes=removes)
        athletes.connect(*authorize(self.control, oauth, athlete_id, scopes), chosen)
        store.close()

    def finish(self, kind: str = "run", *, hours_ago: float = 1, points: int | None = 60, **values: object) -> int:
        """The parent finishes an invented activity."""
        start_at = datetime.fromtimestamp(self.clock.now_epoch_s, UTC) - timedelta(hours=hours_ago)
        return self.control.generate_activity(PARENT_ID, kind, start_at=start_at, seed=7, points=points, **values)

    def ask(self, form: Mapping[str, object]) -> History:
        """The history that an operator asks for now with the form of the backfill."""
        now = datetime.fromtimestamp(self.clock.now_epoch_s, UTC)
        return ask(self.services, BackfillRequest.from_params(form, default_asked_at=now))

    def item(self, activity_id: int) -> SyncItem:
        """The work item that an event of this second makes."""
        return SyncItem(PARENT_ID, activity_id, int(self.clock.now_epoch_s))

    def calls(self) -> dict[str, int]:
        """How often each route was called so far, whatever the answer."""
        counts: dict[str, int] = {}
        for call in self.control.calls():
            counts[call["route"]] = counts.get(call["route"], 0) + call["count"]
        return counts

    def sql(self, statement: str) -> pa.Table:
        """What the lake answers."""
        return query(statement, self.settings.lake_url)

    def event(self, activity_id: int, **changes: object) -> WebhookEvent:
        """A create event of this second about the parent's activity."""
        values = {
            "object_type": "activity",
            "object_id": activity_id,
            "aspect_type": "create",
            "owner_id": PARENT_ID,
            "subscription_id": 9,
            "event_time_epoch_s": int(self.clock.now_epoch_s),
            **changes,
        }
        return WebhookEvent(**values)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW.timestamp())


@pytest.fixture
def simulator(clock: ManualClock) -> Iterator[RunningSimulator]:
    with running_simulator(clock=clock, rules=Rules(processing_s=1.5)) as running:
        yield running


@pytest.fixture
def settings(simulator: RunningSimulator, tmp_path: Path) -> Settings:
    return settings_in(tmp_path, simulator.base_url, application=simulator.application)


@pytest.fixture
def world(simulator: RunningSimulator, settings: Settings, clock: ManualClock) -> Iterator[World]:
    """Everything open, the parent connected."""
    waited_s: list[float] = []

    def wait(seconds: float) -> None:
        waited_s.append(seconds)
        clock.advance(seconds)

    with open_services(settings, clock=clock, wait=wait) as services:
        world = World(settings, services, simulator.control, clock, simulator.application.client_id, waited_s)
        world.connect(PARENT_ID)
        yield world


@pytest.fixture
def offline(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    """The services of an installation whose Strava does not answer: for rows, objects and messages."""
    with open_services(settings_in(tmp_path, NO_STRAVA), clock=clock, wait=clock.advance) as services:
        yield services


class StateAlone(World):
    """A world in which nothing answers: for what a test decides by the ledgers, or by calls that it answers itself."""

    def connect(self, athlete_id: int, scopes: tuple[str, ...] = WRITE, *, removes: bool = False) -> None:
        """Store the athlete as connected."""
        grant = TokenGrant("access", "refresh", 2_000_000_000, Athlete(AthleteId(athlete_id), "Ann", "Smith"))
        chosen = Narrowing(athlete_id, frozenset(WRITE), removes=removes)
        self.services.state.athletes.connect(grant, frozenset(scopes), chosen)


@pytest.fixture
def alone(offline: Services, tmp_path: Path, clock: ManualClock) -> World:
    """Everything open without a Strava, the parent stored as connected."""
    world = StateAlone(settings_in(tmp_path, NO_STRAVA), offline, SimulatorControl(NO_STRAVA), clock, client_id=1)
    world.connect(PARENT_ID)
    return world


Change = Callable[[World, int], None]
