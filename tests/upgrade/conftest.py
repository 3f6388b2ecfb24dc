"""A state directory that an earlier version left behind, brought up by the present one.

The archive holds what `make up` of commit c28794d kept, Strava's side included, and `how_it_was_made.py`, the play
that led there. Every athlete in it is invented. Only Airflow is absent: its runs do here at once what its tasks do.
"""

from __future__ import annotations

import json
import re
import sqlite3
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import request

from include.errors import IngestError
from include.pipeline.erasure.watch import remove_late_records
from include.pipeline.reconcile.due import list_athletes, queue_due
from include.pipeline.services import Services
from include.settings import Settings
from local.demo import browser
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.server import serving
from local.strava_simulator.world.applications import Application
from local.testbed.installation import Installation, loopback_listener, opened, simulated_strava
from local.testbed.manual_clock import ManualClock
from ops.machine.environment import settings_environment
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.ports import Ports
from ops.machine.state_dir import StateDir

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "state-c28794d.tar.xz"
WINDOW_S = 900
_FETCH = re.compile(r"/api/v3/activities/(\d+)(/streams)?")


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was brought up, with what it has asked Strava for since."""

    place: StateDir
    system: Installation
    activities: Mapping[str, int]
    """The ids of the activities, by the name that says what had become of each."""
    athletes: Mapping[str, int]
    requests: list[tuple[str, str]]
    failures: list[IngestError]
    """Of tasks; each leaves its work to the ledger."""

    @property
    def services(self) -> Services:
        return self.system.services

    @property
    def settings(self) -> Settings:
        return self.system.settings

    @property
    def control(self) -> SimulatorControl:
        return self.system.control

    def go_on(self, hours: float) -> None:
        """Let the system work for so long: its queue, and every quarter of an hour reconcile."""
        self.system.catch_up()
        for _ in range(int(hours * 3600 / WINDOW_S)):
            self.system.clock.advance(WINDOW_S)
            queue_due(self.services)
            list_athletes(self.services, self.settings)
            remove_late_records(self.services)
            self.system.catch_up()

    def fetches(self) -> Counter[int]:
        """How often each activity, or its streams, was asked for since."""
        found = (_FETCH.fullmatch(path) for method, path in self.requests if method == "GET")
        return Counter(int(fetch[1]) for fetch in found if fetch)

    def uploads(self) -> Counter[tuple[int, int]]:
        """How many files Strava was ever sent for each pair of parent's activity and child."""
        with self.system.simulation.state.transaction() as db:
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
def installation(unpacked: StateDir) -> Iterator[Upgraded]:
    """The system of the present version on that state, a minute later; nothing has been done yet."""
    made = json.loads((unpacked.root / "made.json").read_text())
    clock, generated = ManualClock(made["ended_at_epoch_s"] + 60), GeneratedSecrets.of(unpacked)
    application = Application(int(generated.strava_client_id), generated.strava_client_secret)
    asked: list[tuple[str, str]] = []
    failures: list[IngestError] = []
    with loopback_listener() as strava_side, loopback_listener() as web_side:
        ports = Ports(strava_side.getsockname()[1], web_side.getsockname()[1])
        _move_callback(unpacked, ports)
        settings = Settings.from_environ(settings_environment(unpacked, ports, generated, {}))
        with simulated_strava(str(unpacked.simulator), application, clock) as strava:
            strava.before_request(lambda: asked.append((request.method, request.path)))
            with (
                serving(strava, strava_side) as strava_url,
                opened(settings, strava, strava_url, clock, web_side, failures) as system,
            ):
                yield Upgraded(unpacked, system, made["activities"], made["athletes"], asked, failures)


def _move_callback(place: StateDir, ports: Ports) -> None:
    """Strava calls the pages at the port that they have today, as it would after a restart on the same one."""
    with closing(sqlite3.connect(place.simulator)) as db, db:
        for table in ("subscriptions", "events"):
            db.execute(f"UPDATE {table} SET callback_url = replace(callback_url, ':8420/', ':{ports.web}/')")  # noqa: S608 - own names
