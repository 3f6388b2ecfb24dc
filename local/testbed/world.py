"""A simulated Strava and its installation, in one folder and one process, without sockets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import requests
from flask import Flask

from include.clock import Clock
from include.lake.backend import open_objects
from include.pipeline.services import Adapters, Services, assemble
from include.queue.backend import open_queue
from include.settings import Settings
from include.store.backend import open_store
from include.store.store import Store
from include.strava.client import Priority
from include.strava.http.session import StravaSession
from local.strava_simulator.api.script import Script
from local.strava_simulator.app import create_app
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.in_process import InProcessTransport
from local.strava_simulator.world import applications
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.simulation import EXTENSION, Rules
from local.strava_simulator.world.state import State
from local.testbed.consent import EVERYTHING, agreed_link, authorize, open_account
from local.testbed.manual_clock import ManualClock
from local.testbed.runs import InlineRuns
from local.testbed.settings import settings_in
from webhook_api.dispatcher import dispatch

PARENT_ID, REX_ID, MIA_ID = 71, 72, 73
NOON = datetime(2026, 6, 17, 12, 2, tzinfo=UTC).timestamp()
WINDOW_S = 900
"""The time from one run of reconcile to the next."""

_STRAVA = "http://strava.test"


class InProcessSession(StravaSession):
    """A session whose calls are answered by the simulator `app` in this process; repetitions do not wait."""

    def __init__(self, app: Flask, clock: Clock) -> None:
        super().__init__(clock, sleep=lambda _: None)
        self._http.mount("http://", InProcessTransport(app))


@dataclass(frozen=True, slots=True)
class World:
    """A simulated Strava, an installation, and the clock of both; a copy of the folder is a separate world."""

    app: Flask
    control: SimulatorControl
    clock: ManualClock
    store: Store
    settings: Settings
    services: Services

    def process(self, adapters: Adapters, priority: Priority = Priority.LIVE) -> Services:
        """The services of a process that uses these adapters."""
        return assemble(self.settings, adapters, priority=priority, clock=self.clock, wait=self.clock.advance)

    def connect(self, athlete_id: int, scopes: Iterable[str] = EVERYTHING) -> None:
        """Connect the athlete with these scopes. Effects: opens an account at Strava if there is none."""
        open_account(self.control, athlete_id)
        granted = authorize(self.control, self.services.strava.oauth, athlete_id, scopes)
        self.services.state.athletes.connect(*granted)

    def link(self, child_id: int, name: str) -> None:
        """Link the parent to the child with this name, with the consent of both."""
        self.services.state.links.save(agreed_link(PARENT_ID, child_id, name))

    def finish(self, athlete_id: int, title: str, *, kind: str = "run", hours_ago: float = 1, seed: int = 7) -> int:
        """Let the athlete finish a short activity that began `hours_ago`; returns its id."""
        start_at = datetime.fromtimestamp(self.clock(), UTC) - timedelta(hours=hours_ago)
        return self.control.generate_activity(athlete_id, kind, start_at=start_at, seed=seed, points=20, name=title)

    def catch_up(self) -> None:
        """Do the queued work until none is left."""
        runs = InlineRuns(self.services, self.settings)
        while dispatch(self.services.queue, runs, self.store, self.clock).received:
            pass


@contextmanager
def open_world(folder: Path, rules: Rules, *, now_epoch_s: float = NOON, state_url: str = "") -> Iterator[World]:
    """The world in `folder`, new if the folder is empty; it is closed at the end. Only one can be open at a time.

    The installation's state is at `state_url`, if given.
    """
    clock, app, application = ManualClock(now_epoch_s), _simulator(), Application()
    with ExitStack() as stack:
        state = stack.enter_context(closing(State(f"{folder}/strava.sqlite")))
        with state.transaction() as db:
            applications.register(db, application)
        app.extensions[EXTENSION] = replace(
            app.extensions[EXTENSION], state=state, rules=rules, clock=clock, sleep=clock.advance, script=Script()
        )
        settings = settings_in(folder, _STRAVA, application=application, state_url=state_url)
        store = stack.enter_context(closing(open_store(settings.state_url, clock)))
        session = stack.enter_context(InProcessSession(app, clock))
        queue = open_queue(settings.queue_url, clock, keep_days=int(settings.messages_keep_days))
        adapters = Adapters(store, session, open_objects(settings.lake_url), queue)
        services = assemble(settings, adapters, priority=Priority.LIVE, clock=clock, wait=clock.advance)
        controls = requests.Session()
        controls.mount("http://", InProcessTransport(app))
        control = stack.enter_context(SimulatorControl(_STRAVA, controls))
        yield World(app, control, clock, store, settings, services)


@cache
def _simulator() -> Flask:
    """The simulator's application. Building its routes takes longer than a copy, so worlds share it one by one."""
    return create_app(State(":memory:"))
