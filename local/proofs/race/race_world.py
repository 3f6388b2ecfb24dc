"""The world of a race: a simulated Strava, a store, and a clock that only the coordinator moves."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from include.crypto.backend import open_cipher
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.store.backend import open_store
from include.store.store import Store
from include.strava.http.session import StravaSession
from include.strava.oauth import OAuthClient
from local.proofs.race.aws import CREDENTIALS, PREFIX, create_all_tables, service
from local.proofs.race.workers.pool import SharedClock, hosted
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.server import running_simulator
from local.strava_simulator.world.quota import Limits
from local.strava_simulator.world.simulation import Rules
from local.testbed.consent import authorize, open_account
from local.testbed.settings import settings_in

ATHLETE_ID = 71
_MORNING = datetime(2026, 6, 17, tzinfo=UTC).timestamp()
_UNLIMITED = Limits(window=10**8, day=10**8, read_window=10**8, read_day=10**8)


class StoreKind(StrEnum):
    """The two implementations of `Store`."""

    SQLITE = "sqlite"
    DYNAMODB = "dynamodb"


@dataclass(frozen=True, slots=True)
class RaceWorld:
    """Everything that the processes of a race share; one athlete, `ATHLETE_ID`, is connected."""

    clock: SharedClock
    settings: Settings
    environ: Mapping[str, str]
    """The environment variables with which a process reaches the store."""
    simulator_url: str

    def open_store(self) -> Store:
        """The store, for the present process."""
        os.environ.update(self.environ)
        return open_store(self.settings.state_url, self.clock)

    def oauth(self) -> OAuthClient:
        """The application's own calls to the simulated Strava."""
        settings = self.settings
        return OAuthClient(
            StravaSession(self.clock),
            settings.strava_oauth_url,
            settings.strava_client_id,
            settings.strava_client_secret,
        )


@contextmanager
def race_world(kind: StoreKind, *, limits: Limits = _UNLIMITED) -> Iterator[RaceWorld]:
    """A new world on a store of this kind; the clock is at the beginning of a day in UTC."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="race-")))
        clock = SharedClock(_MORNING)
        environ: Mapping[str, str] = {}
        state_url = ""
        if kind is StoreKind.DYNAMODB:
            environ = {"AWS_ENDPOINT_URL": stack.enter_context(hosted(service, "dynamodb")), **CREDENTIALS}
            state_url = f"dynamodb://{PREFIX}"
            stack.enter_context(in_environment(environ))
            create_all_tables()
        simulator_url = stack.enter_context(hosted(_simulator, clock, limits))
        opened = RaceWorld(clock, settings_in(folder, simulator_url, state_url=state_url), environ, simulator_url)
        with SimulatorControl(simulator_url) as control:
            open_account(control, ATHLETE_ID)
            connect(opened, control)
        yield opened


def connect(place: RaceWorld, control: SimulatorControl, athlete_id: int = ATHLETE_ID) -> None:
    """Let the athlete connect (again): a new token pair, valid for six hours."""
    store = place.open_store()
    athletes = Athletes(store, open_cipher(place.settings.key_url), place.clock)
    athletes.connect(*authorize(control, place.oauth(), athlete_id))
    store.close()


@contextmanager
def _simulator(clock: SharedClock, limits: Limits) -> Iterator[str]:
    with running_simulator(clock=clock, rules=Rules(limits=limits)) as running:
        yield running.base_url


@contextmanager
def in_environment(values: Mapping[str, str]) -> Iterator[None]:
    """These environment variables for the length of the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
