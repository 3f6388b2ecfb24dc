"""A family at the simulated Strava, and an Airflow that runs whole DAGs for it on its own task runner."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.lake.query import query
from include.pipeline.services import open_services
from include.queue.content import parse as parse_content
from include.settings import Settings
from include.store.backend import open_store
from include.store.store import ABSENT, Key
from local.strava_simulator.server import RunningSimulator, running_simulator
from local.strava_simulator.world.simulation import Rules
from local.testbed.consent import agreed_link, authorize
from local.testbed.settings import environment_of, settings_in

PARENT_ID, CHILD_ID = 71, 72
SECRETS = ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "WEBHOOK_VERIFY_TOKEN", "COOKIE_KEY")


class Airflow:
    """Runs DAGs in a process of its own and tells what became of them."""

    def __init__(self, home: Path) -> None:
        self._log = (home / "airflow.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("airflow_process.py")), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ask(self, **order):
        """What the process answers to one order."""
        assert self._process.poll() is None, f"Airflow's process has ended; see {self._log.name}"
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"Airflow's process ended; see {self._log.name}"
        return json.loads(answer)

    def close(self):
        """End the process."""
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()


@dataclass
class Run:
    """What became of a run."""

    state: str
    tasks: list
    labels: list
    results: list
    told: int

    def states(self, task_id):
        return [state for name, _, state in self.tasks if name == task_id]

    def result(self, task_id):
        """What the task returned; a list in the order of the mapping where it was mapped."""
        found = sorted((index, value) for name, index, value in self.results if name == task_id)
        return found[0][1] if found and found[0][0] < 0 else [value for _, value in found]


@pytest.fixture(scope="session")
def airflow(tmp_path_factory) -> Iterator[Airflow]:
    airflow = Airflow(tmp_path_factory.mktemp("airflow_process"))
    yield airflow
    airflow.close()


@dataclass
class World:
    """A family at the simulated Strava, and the installation that serves it."""

    airflow: Airflow
    simulator: RunningSimulator
    settings: Settings
    environment: dict
    old: int = 0
    fresh: int = 0

    @property
    def control(self):
        return self.simulator.control

    @property
    def lake(self) -> Path:
        return Path(self.settings.lake_url.removeprefix("file://"))

    def run(self, dag_id, conf=None, *, is_last_try=False, **environment):
        told = self.environment | environment
        answer = self.airflow.ask(dag_id=dag_id, conf=conf or {}, is_last_try=is_last_try, environment=told)
        return Run(**answer)

    def services(self):
        return open_services(self.settings)

    def connect(self, athlete_id, name):
        self.control.create_athlete(athlete_id=athlete_id, firstname=name, lastname="Invented")
        with self.services() as services:
            services.state.athletes.connect(*authorize(self.control, services.strava.oauth, athlete_id))

    def finish(self, title="Lunch run", *, hours_ago=2.0, kind="run", seed=7):
        start_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours_ago)
        return self.control.generate_activity(
            PARENT_ID, kind, start_at=start_at, seed=seed, points=30, name=title, announce=False
        )

    def event(self, activity_id, aspect="create"):
        return {
            "object_type": "activity",
            "object_id": activity_id,
            "aspect_type": aspect,
            "owner_id": PARENT_ID,
            "subscription_id": 9,
            "event_time": int(time.time()),
        }

    def ingest(self, *activity_ids, is_last_try=False):
        events = [self.event(activity_id) for activity_id in activity_ids]
        return self.run("strava_ingest", {"events": events}, is_last_try=is_last_try)

    def rows(self, table):
        return query(f"FROM {table}", self.settings.lake_url).to_pylist()

    def age(self, activity_id: int, **fields: Any) -> None:
        """Let the ledger's row say these things, as if they had been so for long."""
        with closing(open_store(self.settings.state_url, time.time)) as store:
            items = store.query("activities", str(PARENT_ID))
            [item] = [item for item in items if item.fields["activity_id"] == activity_id]
            store.put(item.key, {**item.fields, **fields}, expected_version=item.version)

    def waiting(self):
        """The partitions that wait for the catalogue."""
        with self.services() as services:
            return {each.partition for each in services.lake.partitions.waiting()}

    def wait_for_catalogue(self, seconds: float) -> None:
        """Let what waits for the catalogue have waited for so long."""
        with closing(open_store(self.settings.state_url, time.time)) as store:
            for item in list(store.query("partitions", "waiting")):
                fields = {**item.fields, "noted_at_epoch_s": item.fields["noted_at_epoch_s"] - seconds}
                store.put(item.key, fields, expected_version=item.version)

    def messages(self):
        with self.services() as services:
            messages = services.queue.receive(100, visibility_s=30)
        return [parse_content(message.body) for message in messages]

    def spoil_copy(self, activity_id: int) -> None:
        """Let the ledger hold a row of a copy that no version of this software has written."""
        with closing(open_store(self.settings.state_url, time.time)) as store:
            fields = {"parent_activity_id": activity_id, "child_id": CHILD_ID}
            store.put(Key("copies", str(activity_id), str(CHILD_ID)), fields, expected_version=ABSENT)

    def queued(self):
        return {message.event.object_id for message in self.messages()}


@pytest.fixture
def world(airflow, tmp_path) -> Iterator[World]:
    with running_simulator(rules=Rules(processing_s=0.0)) as simulator:
        settings = settings_in(tmp_path, simulator.base_url, application=simulator.application)
        environment = environment_of(settings)
        secrets = {name: environment.pop(name) for name in SECRETS}
        connection = {"AIRFLOW_CONN_STRAVA_API": json.dumps({"conn_type": "generic", "extra": secrets})}
        world = World(airflow, simulator, settings, environment | connection)
        world.connect(PARENT_ID, "Ann")
        world.connect(CHILD_ID, "Rex")
        with world.services() as services:
            services.state.links.save(agreed_link(PARENT_ID, CHILD_ID, "Rex"))
        yield world
