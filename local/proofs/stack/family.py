"""A parent and a child on a running system, and what the ledgers say about them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from include.errors import IngestError
from include.settings import Settings
from include.state.activities.ledger import ActivityLedger
from include.state.copies.ledger import FINAL_STATES, CopyLedger
from include.store.backend import open_store
from include.store.store import Store
from local.demo import browser
from local.demo.demo_run import POLL_PAUSE_FACTOR, SETTLED
from local.demo.scenario import CHILD_ID, CHILD_NAME, PARENT_ID, invented, populate
from local.strava_simulator.control_client import SimulatorControl
from ops.links.__main__ import link
from ops.subscription import subscribe

LOOK_EVERY_S = 0.2
_OPTIONS = {"private": "yes", "receive": "yes"}


class NotInTime(IngestError):
    """An awaited effect did not come in time; the message says which."""


@dataclass(frozen=True, slots=True)
class Family:
    """A parent and a child, connected and linked; webhooks report the parent's activities."""

    control: SimulatorControl
    activities: ActivityLedger
    copies: CopyLedger

    @classmethod
    @contextmanager
    def of(cls, settings: Settings, simulator_url: str) -> Iterator[Self]:
        """The family of a system; it is not connected yet."""
        store: Store = open_store(settings.state_url, time.time)
        try:
            with SimulatorControl(simulator_url) as control:
                yield cls(control, ActivityLedger(store, time.time), CopyLedger(store, time.time))
        finally:
            store.close()

    def connect(self, settings: Settings) -> None:
        """Open both accounts, connect both through the pages, and link them."""
        if not self.control.athletes():
            populate(self.control, replace(invented(datetime.now(UTC), seed=1), history=()))
        subscribe(settings)
        for athlete_id in (PARENT_ID, CHILD_ID):
            browser.connect(settings.public_url, athlete_id, options=_OPTIONS)
        link(settings, PARENT_ID, CHILD_ID, (CHILD_NAME,))

    def finish(self, number: int, points: int = 400) -> int:
        """Let the parent finish a run, each `number` at another hour; returns its id."""
        start_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2 + number)
        return self.control.generate_activity(
            PARENT_ID, "run", start_at=start_at, seed=number, points=points, name=f"Run {number}"
        )

    def is_loaded(self, activity_id: int) -> bool:
        """Whether the lake has the activity."""
        entry = self.activities.get(PARENT_ID, activity_id)
        return entry is not None and entry.state in SETTLED

    def is_copied(self, activity_id: int) -> bool:
        """Whether the child has the copy that it should have."""
        copy = self.copies.get(activity_id, CHILD_ID)
        return copy is not None and copy.state in FINAL_STATES

    def delivered_epoch_s(self, aspect: str) -> dict[int, float]:
        """When the last event of this kind was delivered, by activity."""
        return {
            delivery["event"]["object_id"]: delivery["delivered_at"]
            for delivery in sorted(self.control.deliveries(), key=lambda delivery: delivery["delivered_at"])
            if delivery["event"]["aspect_type"] == aspect
        }


def happened_epoch_s(activity_ids: list[int], has: Callable[[int], bool], within_s: float) -> dict[int, float]:
    """When `has` became true of each activity, found by checking repeatedly.

    Errors: `NotInTime` after `within_s`.
    """
    happened: dict[int, float] = {}
    began = time.monotonic()
    while len(happened) < len(activity_ids):
        looked = time.monotonic()
        if time.monotonic() - began > within_s:
            raise NotInTime(f"After {within_s:.0f} s only {len(happened)} of {len(activity_ids)} activities are there.")
        for activity_id in activity_ids:
            if activity_id not in happened and has(activity_id):
                happened[activity_id] = time.time()
        time.sleep(max(LOOK_EVERY_S, POLL_PAUSE_FACTOR * (time.monotonic() - looked)))
    return happened
