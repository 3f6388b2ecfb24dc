"""A family of athletes on a simulated Strava and the installation that copies for them, all in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import requests
from flask import Flask

from include.pipeline.copying.copies import CopyResult, copy_to_children
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import SyncItem, sync
from include.pipeline.reconcile.due import queue_due
from include.pipeline.services import Adapters, Services, assemble, open_services
from include.queue.queued_event import QueuedEvent
from include.settings import Settings
from include.store.backend import open_store
from include.store.store import Store
from include.strava.client import Priority
from include.strava.oauth import OAuthClient
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_WRITE, READ
from local.proofs.crash_walk.points import MortalObjects, MortalQueue, MortalSession, MortalStore, Points
from local.strava_simulator.api.script import Script
from local.strava_simulator.app import create_app
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.in_process import InProcessTransport
from local.strava_simulator.world import applications
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.simulation import EXTENSION, Rules
from local.strava_simulator.world.state import State
from local.testbed.consent import agreed_link, authorize, open_account
from local.testbed.manual_clock import ManualClock
from local.testbed.settings import settings_in

PARENT_ID, REX_ID, MIA_ID = 71, 72, 73
WRITE_ONLY = (READ, ACTIVITY_WRITE)
READ_ONLY = (READ, ACTIVITY_READ)
READ_AND_WRITE = (*WRITE_ONLY, ACTIVITY_READ)

_STRAVA = "http://strava.test"
NOON = datetime(2026, 6, 17, 12, 2, tzinfo=UTC).timestamp()
_WINDOW_S = 900


@dataclass(frozen=True, slots=True)
class World:
    """Everything there is, in one folder: a copy of the folder is a world of its own."""

    app: Flask
    control: SimulatorControl
    time: ManualClock
    store: Store
    settings: Settings
    services: Services
    """What nothing that dies works with; it calls nobody."""

    def process(self, points: Points) -> Services:
        """What a process of its own works with: whatever it writes, sends or calls passes `points`."""
        adapters = Adapters(
            MortalStore(self.store, points),
            MortalSession(self.app, self.time, points),
            MortalObjects(self.services.lake.objects, points),
            MortalQueue(self.services.queue, points),
        )
        return assemble(self.settings, adapters, priority=Priority.COPY, clock=self.time, wait=self.time.pass_s)

    def connect(self, athlete_id: int, scopes: tuple[str, ...]) -> None:
        """Connect the athlete with these scopes. Effects: opens the account at Strava where there is none."""
        open_account(self.control, athlete_id)
        self.services.state.athletes.connect(*authorize(self.control, self._oauth(), athlete_id, scopes))

    def _oauth(self) -> OAuthClient:
        application = Application()
        session = MortalSession(self.app, self.time, Points())
        return OAuthClient(session, f"{_STRAVA}/oauth", str(application.client_id), application.client_secret)

    def link(self, child_id: int, name: str) -> None:
        """Link the parent to a child, with everyone's consent."""
        self.services.state.links.save(agreed_link(PARENT_ID, child_id, name))

    def finish(self, athlete_id: int, kind: str, title: str) -> int:
        """Let the athlete finish an activity of an hour ago; always the same recording."""
        start_at = datetime.fromtimestamp(NOON, UTC) - timedelta(hours=1)
        return self.control.generate_activity(athlete_id, kind, start_at=start_at, seed=7, points=20, name=title)

    def sync(self, activity_id: int) -> None:
        """Bring the parent's activity into the raw zone, as the task before the copy does."""
        sync(self.process(Points()), SyncItem(PARENT_ID, activity_id, int(self.time())), source="webhook")

    def copy(self, activity_id: int, points: Points) -> list[CopyResult]:
        """The task that copies, in a process of its own."""
        return copy_to_children(self.process(points), PARENT_ID, activity_id)

    def reconcile(self, points: Points) -> list[CopyResult]:
        """The next window: what is due is queued, and what is queued is looked at as the DAG does."""
        self.time.pass_s(_WINDOW_S)
        services, results = self.process(Points()), []
        queue_due(services)
        messages = services.queue.receive(10, visibility_s=60)
        for item in plan(services, [QueuedEvent.parse(message.body).event for message in messages]):
            sync(services, item, source="webhook")
            results += self.copy(item.activity_id, points)
        for message in messages:
            services.queue.delete(message)
        return results


@contextmanager
def open_world(folder: Path, rules: Rules, *, now: float = NOON, state_url: str = "") -> Iterator[World]:
    """The world in `folder`, new where the folder is empty; it is closed at the end. One can be open at a time.

    Its state lives at `state_url` where that is given.
    """
    time, app = ManualClock(now), _application()
    with ExitStack() as stack:
        state = State(f"{folder}/strava.sqlite")
        stack.callback(state.close)
        with state.transaction() as db:
            applications.register(db, Application())
        app.extensions[EXTENSION] = replace(
            app.extensions[EXTENSION], state=state, rules=rules, clock=time, sleep=time.pass_s, script=Script()
        )
        session = requests.Session()
        session.mount("http://", InProcessTransport(app))
        settings = settings_in(folder, _STRAVA, state_url=state_url)
        store = open_store(settings.state_url, time)
        stack.callback(store.close)
        yield World(
            app=app,
            control=stack.enter_context(SimulatorControl(_STRAVA, session)),
            time=time,
            store=store,
            settings=settings,
            services=stack.enter_context(open_services(settings, clock=time, wait=time.pass_s)),
        )


@cache
def _application() -> Flask:
    """The simulator's routes, which take longer to lay than a copy takes; its state is put in world by world."""
    return create_app(State(":memory:"))
