"""A family whose parent is to be erased, and what each place holds of whom."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.lake.keys import gpx_key, raw_detail_key
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.erasure.erase import EraseRequest, erase
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import list_athletes
from include.pipeline.services import open_services
from include.settings import Settings
from include.state.copies.ledger import Copy, CopyState, external_id
from include.state.copies.outings import Outing
from include.state.erasures.ledger import EraseReason
from include.state.links import CopyOptions, Link
from local.testbed.manual_clock import ManualClock

ANN, REX = 71, 72
THEIR_ACTIVITY = 900_001
ASKED = EraseRequest(ANN, EraseReason.ATHLETE)
MARKS = {"brakes", "erasures", "certificates", "quota", "oauth_states", "subscriptions"}
"""Tables that hold nothing of an athlete but the mark of the erasure itself, and its certificate."""

RANDOM = re.compile(r'"(tokens|session_series)": ?"[^"]*"')
"""Fields in which any number may stand by chance."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one installation keeps everything, and its clock."""

    settings: Settings
    clock: ManualClock

    def run(self, request=ASKED):
        """One run of the erasure, in services of its own as a task has them."""
        with self.services() as services:
            return erase(services, request, self.settings)

    def services(self):
        def wait(seconds):
            self.clock.advance(seconds)

        return open_services(self.settings, clock=self.clock, wait=wait)

    @property
    def lake(self) -> Path:
        return Path(self.settings.lake_url.removeprefix("file://"))

    def rows_of(self, athlete_id):
        """Table and key of every row of the state that names the athlete anywhere."""
        connection = sqlite3.connect(self.settings.state_url.removeprefix("sqlite://"))
        rows = connection.execute("SELECT table_name, partition, sort, fields FROM items").fetchall()
        connection.close()
        readable = [(*row[:3], RANDOM.sub("", row[3])) for row in rows if row[0] not in MARKS]
        return sorted(row[:2] for row in readable if names(athlete_id, row[1:]))

    def objects_of(self, athlete_id):
        """Every object that names the athlete in its key or, in `copies`, in a row; certificates left out."""
        objects = FileObjects(self.lake)
        keys = [key for key in objects.list("") if not key.startswith("certificates/")]
        return [key for key in keys if names(athlete_id, [key]) or names(athlete_id, [self._copies(key)])]

    def _copies(self, key):
        return json.dumps(pq.read_table(self.lake / key).to_pylist(), default=str) if key.startswith("copies/") else ""

    def certificates(self):
        return [json.loads(path.read_bytes()) for path in sorted(self.lake.glob("certificates/*.json"))]


def names(athlete_id, texts):
    """Whether the id stands in one of the texts as a number of its own."""
    return any(re.search(rf"(?<!\d){athlete_id}(?!\d)", text) for text in texts)


@pytest.fixture
def place(world):
    """Ann with activities, copies both ways, invitations, events and notices; Rex beside her."""
    world.connect(REX)
    services = world.services
    for parent_id, child_id, name in ((ANN, REX, "Rex"), (REX, ANN, "Ann")):
        services.state.links.save(Link(parent_id, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    for name in ("Walk with Rex", "Alone"):
        activity_id = world.finish(name=name)
        sync(services, world.item(activity_id), source="webhook")
        copy_to_children(services, ANN, activity_id)
        services.state.events.record(f"event-{activity_id}", athlete_id=ANN, object_id=activity_id, outcome="planned")
    services.state.copies.plan(
        Copy(THEIR_ACTIVITY, ANN, REX, CopyState.PLANNED, external_id=external_id(THEIR_ACTIVITY, ANN))
    )
    services.state.outings.claim(
        ANN, Outing(THEIR_ACTIVITY, int(world.clock.now_epoch_s), int(world.clock.now_epoch_s) + 60), lambda _: True
    )
    services.lake.copy_rows.refresh(THEIR_ACTIVITY)
    for key in (gpx_key(REX, THEIR_ACTIVITY, ANN), raw_detail_key(REX, THEIR_ACTIVITY), raw_detail_key(711, 1)):
        services.lake.objects.put(key, b"x", expected=Condition.ANYTHING)
    services.state.mail_addresses.confirm(ANN, services.state.mail_addresses.give(ANN, "ann@example.com"))
    services.state.sent_mails.claim(ANN, "access_ended.1")
    services.state.invites.create("ann's secret", ANN, ("Zoe",), CopyOptions())
    services.state.invites.create("rex's secret", REX, ("Ann",), CopyOptions())
    services.state.invites.accept(services.state.invites.find("rex's secret").invite_id, ANN)
    list_athletes(services, world.settings)
    return Place(world.settings, world.clock)
