"""The whole system in one process: Strava and pages that a browser reaches, use cases where Airflow would run them."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from include.errors import TriggerRefused
from include.pipeline.backfill.history import keys, take_share
from include.pipeline.backfill.loading import load
from include.pipeline.backfill.request import BackfillRequest, ask
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.erasure.erase import EraseRequest, erase
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import queue_due
from include.pipeline.services import Services, open_services
from include.settings import Settings
from include.store.backend import open_store
from include.store.store import Store
from include.strava.events import WebhookEvent
from include.trigger.trigger import Started
from local.strava_simulator.app import create_app as create_strava
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.server import serving
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.deliveries import deliver_due
from local.strava_simulator.world.processing import settle_due
from local.strava_simulator.world.simulation import EXTENSION as SIMULATION
from local.strava_simulator.world.simulation import Rules, Simulation
from local.strava_simulator.world.state import State
from local.testbed.manual_clock import ManualClock
from local.testbed.settings import settings_in
from webhook_api.app import create_app as create_pages
from webhook_api.dispatcher import BACKFILL_DAG, ERASE_DAG, INGEST_DAG, dispatch
from webhook_api.edge import EXTENSION as EDGE

_ACTIVITY_S = 1800
_POINTS = 600


@dataclass(frozen=True, slots=True)
class OneProcess:
    """A running system whose pages are at `web_url`; what its events set off happens in `catch_up`."""

    web_url: str
    settings: Settings
    application: Application
    control: SimulatorControl
    time: ManualClock
    store: Store
    services: Services
    simulation: Simulation

    def finish(self, athlete_id: int, title: str, kind: str = "run") -> int:
        """Let the athlete finish an activity of half an hour now, and catch up; gives its id."""
        start_at = datetime.fromtimestamp(self.time() - _ACTIVITY_S, UTC)
        activity_id = self.control.generate_activity(athlete_id, kind, start_at=start_at, points=_POINTS, name=title)
        self.catch_up()
        return activity_id

    def rename(self, activity_id: int, title: str) -> None:
        """Let the athlete give the activity another title, and catch up."""
        self.control.rename(activity_id, title)
        self.catch_up()

    def catch_up(self) -> None:
        """Deliver Strava's events and do what they and the pages have queued, until nothing is left to do."""
        airflow = InPlaceOfAirflow(self.services, self.settings)
        while True:
            settle_due(self.simulation)
            delivered = deliver_due(self.simulation)
            if not dispatch(self.services.queue, airflow, self.store, self.time).received and not delivered:
                return

    def reconcile(self) -> None:
        """Queue what is due, as reconcile does every quarter of an hour, and do it."""
        queue_due(self.services)
        self.catch_up()


@dataclass(frozen=True, slots=True)
class InPlaceOfAirflow:
    """A trigger that does at once what the run's tasks would do; an error of theirs comes through."""

    services: Services
    settings: Settings

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """Do the work of the run. Errors: `TriggerRefused` for a DAG that no page and no event starts."""
        now = datetime.fromtimestamp(self.services.clock(), UTC)
        if dag_id == ERASE_DAG:
            erase(self.services, EraseRequest.from_params(conf, or_asked_at=now), self.settings)
        elif dag_id == INGEST_DAG:
            self._ingest([WebhookEvent.from_conf(event) for event in conf["events"]])
        elif dag_id == BACKFILL_DAG:
            history = ask(self.services, BackfillRequest.from_params(conf, or_asked_at=now))
            load(self.services, keys(take_share(self.services, history)))
        else:
            raise TriggerRefused(f"Nothing here starts {dag_id} (run {run_id}).")
        return Started.NOW

    def _ingest(self, events: list[WebhookEvent]) -> None:
        for item in plan(self.services, events):
            sync(self.services, item, source="webhook")
            copy_to_children(self.services, item.athlete_id, item.activity_id)


@contextmanager
def one_process(folder: Path, *, now: float, rules: Rules | None = None) -> Iterator[OneProcess]:
    """A system with its state in `folder` and Strava's in memory; Strava knows its webhook already."""
    time, application = ManualClock(now), Application()
    with ExitStack() as stack:
        state = State(":memory:")
        stack.callback(state.close)
        session = stack.enter_context(requests.Session())
        session.trust_env = False  # The callbacks are on this machine.
        strava = create_strava(state, application=application, rules=rules, clock=time, session=session)
        simulation: Simulation = strava.extensions[SIMULATION]
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        strava_url = stack.enter_context(serving(strava, listener))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        web_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = settings_in(folder, strava_url, application=application, public_url=web_url)

        def wait(seconds: float) -> None:
            time.pass_s(seconds)
            settle_due(simulation)

        services = stack.enter_context(open_services(settings, clock=time, wait=wait))
        pages = create_pages(settings, time)
        store = open_store(settings.state_url, time)
        stack.callback(store.close)
        pages.extensions[EDGE] = replace(
            pages.extensions[EDGE],
            store=lambda: store,
            queue=lambda: services.queue,
            oauth=lambda: services.strava.oauth,
        )
        stack.enter_context(serving(pages, listener))
        control = stack.enter_context(SimulatorControl(strava_url))
        address = f"{web_url}/webhook/{settings.webhook_path_secret}"
        services.state.subscriptions.save(services.strava.push.create(address, settings.webhook_verify_token))
        yield OneProcess(web_url, settings, application, control, time, store, services, simulation)
