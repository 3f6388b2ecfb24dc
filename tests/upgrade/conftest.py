"""A state directory that an earlier version left behind, brought up by the present one.

The archive holds what `make up` of commit c28794d kept, Strava's side included, and `how_it_was_made.py`, the play
that led there. Every athlete in it is invented. Only Airflow is absent: its runs do here at once what its tasks do.
"""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import request

from include.errors import IngestError
from include.pipeline.erasure.watch import look_again
from include.pipeline.reconcile.due import list_athletes, queue_due
from include.pipeline.services import Services, open_services
from include.settings import Settings
from include.store.backend import open_store
from include.store.store import Store
from include.trigger.trigger import Started
from local.demo import browser
from local.stack.environment import settings_environment
from local.stack.generated_secrets import GeneratedSecrets
from local.stack.ports import Ports
from local.stack.state_dir import StateDir
from local.strava_simulator.app import create_app as create_strava
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.server import serving
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.deliveries import deliver_due
from local.strava_simulator.world.processing import settle_due
from local.strava_simulator.world.simulation import EXTENSION, Simulation
from local.strava_simulator.world.state import State
from local.testbed.manual_clock import ManualClock
from local.testbed.one_process import InPlaceOfAirflow
from webhook_api.app import create_app as create_pages
from webhook_api.dispatcher import INGEST_DAG, dispatch

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "state-c28794d.tar.xz"
WINDOW_S = 900
_FETCH = re.compile(r"/api/v3/activities/(\d+)(/streams)?")


@dataclass(slots=True)
class Airflow:
    """Does a run's work at once, each event for itself; a task that fails leaves its work to the ledger."""

    works: InPlaceOfAirflow
    failures: list[IngestError] = field(default_factory=list)

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """Take the run, and every error as that of its task."""
        confs = [{"events": [event]} for event in conf["events"]] if dag_id == INGEST_DAG else [conf]
        for each in confs:
            try:
                self.works.start(dag_id, run_id, each)
            except IngestError as error:
                self.failures.append(error)
        return Started.NOW


@dataclass(slots=True)
class Installation:
    """What was brought up, with what it has asked Strava for since."""

    place: StateDir
    settings: Settings
    services: Services
    store: Store
    control: SimulatorControl
    simulation: Simulation
    time: ManualClock
    activities: Mapping[str, int]
    """The ids of the activities, by the name that says what had become of each."""
    athletes: Mapping[str, int]
    requests: list[tuple[str, str]]
    airflow: Airflow

    def go_on(self, hours: float) -> None:
        """Let the system work for so long: its queue, and every quarter of an hour reconcile."""
        self.catch_up()
        for _ in range(int(hours * 3600 / WINDOW_S)):
            self.time.pass_s(WINDOW_S)
            queue_due(self.services)
            list_athletes(self.services)
            look_again(self.services)
            self.catch_up()

    def catch_up(self) -> None:
        """Do what is queued and what Strava tells of meanwhile, until nothing is left to do."""
        while True:
            settle_due(self.simulation)
            delivered = deliver_due(self.simulation)
            if not dispatch(self.services.queue, self.airflow, self.store, self.time).received and not delivered:
                return

    def fetches(self) -> Counter[int]:
        """How often each activity, or its streams, was asked for since."""
        found = (_FETCH.fullmatch(path) for method, path in self.requests if method == "GET")
        return Counter(int(fetch[1]) for fetch in found if fetch)

    def uploads(self) -> Counter[tuple[int, int]]:
        """How many files Strava was ever sent for each pair of parent's activity and child."""
        with self.simulation.state.transaction() as db:
            labels = [row["label"] for row in db.execute("SELECT label FROM uploads")]
        return Counter(tuple(map(int, label.split("-")[1:3])) for label in labels)  # type: ignore[misc] # two numbers

    def connect(self, name: str) -> None:
        """Let the athlete connect again on the pages, with everything allowed."""
        options = {"private": "yes", "receive": "yes"}
        browser.connect(self.settings.public_url, self.athletes[name], options=options)


@pytest.fixture
def unpacked(tmp_path: Path) -> StateDir:
    """The state directory as that version left it."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path / "state", filter="data")
    return StateDir(tmp_path / "state")


@pytest.fixture
def installation(unpacked: StateDir) -> Iterator[Installation]:
    """The system of the present version on that state, a minute later; nothing has been done yet."""
    with _brought_up(unpacked) as installation:
        yield installation


@contextmanager
def _brought_up(place: StateDir) -> Iterator[Installation]:
    made = json.loads((place.root / "made.json").read_text())
    time, generated = ManualClock(made["ended_at_epoch_s"] + 60), GeneratedSecrets.of(place)
    asked: list[tuple[str, str]] = []
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        ports = Ports(*(listener.getsockname()[1] for listener in listeners))
        _move_callback(place, ports)
        state = State(str(place.simulator))
        stack.callback(state.close)
        session = stack.enter_context(requests.Session())
        session.trust_env = False  # The callbacks are on this machine.
        application = Application(int(generated.strava_client_id), generated.strava_client_secret)
        strava = create_strava(state, application=application, clock=time, session=session)
        strava.before_request(lambda: asked.append((request.method, request.path)))
        simulation: Simulation = strava.extensions[EXTENSION]

        def wait(seconds: float) -> None:
            time.pass_s(seconds)
            settle_due(simulation)

        settings = Settings.from_environ(settings_environment(place, ports, generated, {}))
        services = stack.enter_context(open_services(settings, clock=time, wait=wait))
        stack.enter_context(serving(create_pages(settings, time), listeners[1]))
        control = stack.enter_context(SimulatorControl(stack.enter_context(serving(strava, listeners[0]))))
        airflow = Airflow(InPlaceOfAirflow(services, settings))
        store = stack.enter_context(closing(open_store(settings.state_url, time)))
        yield Installation(
            place,
            settings,
            services,
            store,
            control,
            simulation,
            time,
            made["activities"],
            made["athletes"],
            asked,
            airflow,
        )


def _move_callback(place: StateDir, ports: Ports) -> None:
    """Strava calls the pages at the port that they have today, as it would after a restart on the same one."""
    with closing(sqlite3.connect(place.simulator)) as db, db:
        for table in ("subscriptions", "events"):
            db.execute(f"UPDATE {table} SET callback_url = replace(callback_url, ':8420/', ':{ports.web}/')")  # noqa: S608 - own names
