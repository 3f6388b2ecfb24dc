"""Runs the scenario on a running system and measures the latencies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from include.state.activities.ledger import ActivityLedger, ActivityState
from include.state.copies.ledger import FINAL_STATES, Copy, CopyLedger
from include.store.backend import open_store
from local.demo import browser, erasure
from local.demo.airflow_operator import AirflowOperator
from local.demo.erasure import ErasureFindings
from local.demo.scenario import CHILD_ID, CHILD_NAME, PARENT_ID, Scenario, populate
from local.stack.progress import Progress
from local.stack.system import Stack
from local.strava_simulator.control_client import SimulatorControl
from ops.links.__main__ import link
from ops.subscription import subscribe

LOOK_EVERY_S = 0.1
POLL_PAUSE_FACTOR = 3
"""The shortest pause after a poll, as a multiple of the poll's time: an expensive poll slows down the system."""
SETTLED = (ActivityState.SYNCED, ActivityState.NO_STREAMS)
OVER = ("success", "failed")
BACKFILL = "strava_backfill"


@dataclass(slots=True)
class Timings:
    """Seconds from an event's delivery to its effect, by activity."""

    event_to_lake_s: dict[int, float] = field(default_factory=dict)
    event_to_copy_s: dict[int, float] = field(default_factory=dict)
    backfill_s: float = 0.0


@dataclass(slots=True)
class DemoRun:
    """One run of the scenario: the steps in order, each of which waits for its effect."""

    stack: Stack
    scenario: Scenario
    progress: Progress
    control: SimulatorControl
    patience_s: float
    """How long one step may take before the demo fails."""
    timings: Timings = field(default_factory=Timings)
    pages: list[str] = field(default_factory=list)
    """The HTML of the athletes' pages, for the search for secrets."""
    backfill: Mapping[str, int] = field(default_factory=dict)
    dry_run: Mapping[str, int] = field(default_factory=dict)

    def connect(self) -> None:
        """Create both athletes' accounts and the parent's history, connect them through the pages, and link them."""
        populate(self.control, self.scenario)
        subscribe(self.stack.settings)
        for athlete_id in (PARENT_ID, CHILD_ID):
            self.pages.append(
                browser.connect(self.stack.web_url, athlete_id, options={"private": "yes", "receive": "yes"})
            )
        link(self.stack.settings, PARENT_ID, CHILD_ID, (CHILD_NAME,), ("trim_m=0",))  # every point is compared
        self.progress.say(f"  parent and child connected and linked; {len(self.scenario.history)} older activities")

    def finish_activities(self) -> None:
        """Finish the fresh activities; webhooks bring them to the lake, and the one that names the child is copied."""
        for activity in self.scenario.fresh:
            self.control.finish_activity(PARENT_ID, activity)
        expected = {activity.activity_id for activity in self.scenario.fresh}
        named = self.scenario.named_at_once_id
        with self._ledgers() as (activities, copies):
            settled: dict[int, float] = {}

            def done() -> bool:
                for activity_id in expected - settled.keys():
                    entry = activities.get(PARENT_ID, activity_id)
                    if entry is not None and entry.state in SETTLED:
                        settled[activity_id] = time.time()
                self._note_copy(copies, named)
                return settled.keys() == expected and named in self.timings.event_to_copy_s

            self._until(done, lambda: f"{len(expected)} activities are in the lake ({len(settled)} now)")
        delivered = self._deliveries("create")
        for activity_id, at in settled.items():
            self.timings.event_to_lake_s[activity_id] = at - delivered[activity_id]
        self.timings.event_to_copy_s[named] -= delivered[named]
        self.progress.say(f"  {len(expected)} fresh activities in the lake, the one that names {CHILD_NAME} copied")

    def rename(self) -> None:
        """Rename an activity so that it names the child, which causes a copy.

        While Strava processes the copy, an operator starts a dry run of the backfill.
        """
        renamed = self.scenario.renamed_later_id
        self.control.rename(renamed, self.scenario.new_title)
        operator = self._operator()
        dry_run_id = operator.start(BACKFILL, {**self._span(), "dry_run": True})
        with self._ledgers() as (_, copies):

            def done() -> bool:
                self._note_copy(copies, renamed)
                return renamed in self.timings.event_to_copy_s

            self._until(done, lambda: "the renamed activity is copied")
        self.timings.event_to_copy_s[renamed] -= self._deliveries("update")[renamed]
        self.progress.say(f"  one activity renamed, copied to {CHILD_NAME} too")
        self.dry_run = self._finished(operator, dry_run_id, "list_activities")

    def load_history(self) -> None:
        """Start the backfill as the operator, then wait for the catalogue."""
        operator = self._operator()
        began = time.time()
        run_id = operator.start(BACKFILL, {**self._span(), "dry_run": False})
        self.backfill = self._finished(operator, run_id, "publish_lake")
        self.timings.backfill_s = time.time() - began
        self._until(
            lambda: all(run["state"] in OVER for run in operator.runs("strava_catalog")),
            lambda: "the catalogue is up to date",
        )
        self.progress.say(f"  {self.backfill.get('loaded', 0)} older activities loaded by the backfill")

    def erase_parent(self) -> ErasureFindings:
        """Request the erasure on the parent's page; returns the findings when the run has ended."""
        began = time.time()
        self.pages.append(browser.erase(self.stack.web_url, PARENT_ID, options={"private": "yes", "receive": "yes"}))
        store = open_store(self.stack.settings.state_url, time.time)
        try:
            self._until(lambda: erasure.is_over(store, time.time, PARENT_ID), lambda: "the parent is erased")
        finally:
            store.close()
        return erasure.examine(self.stack.inspection(), PARENT_ID, time.time() - began)

    def _operator(self) -> AirflowOperator:
        return AirflowOperator(self.stack.airflow_url, self.stack.airflow_login)

    def _span(self) -> Mapping[str, object]:
        """The athlete and the span of the history, as values of the backfill's form."""
        return {"athlete": PARENT_ID, "from": self.scenario.first_day, "to": self.scenario.last_day}

    def _finished(self, operator: AirflowOperator, run_id: str, task_id: str) -> Mapping[str, int]:
        """The counts of a backfill's task, after its run has ended."""
        self._until(lambda: operator.state(BACKFILL, run_id) in OVER, lambda: "the backfill has ended")
        return _numbers(operator.result(BACKFILL, run_id, task_id))

    def _note_copy(self, copies: CopyLedger, activity_id: int) -> None:
        copy = copies.get(activity_id, CHILD_ID)
        if copy is not None and copy.state in FINAL_STATES and activity_id not in self.timings.event_to_copy_s:
            self.timings.event_to_copy_s[activity_id] = time.time()

    def _deliveries(self, aspect: str) -> dict[int, float]:
        return {
            delivery["event"]["object_id"]: delivery["delivered_at"]
            for delivery in reversed(self.control.deliveries())
            if delivery["event"]["aspect_type"] == aspect
        }

    @contextmanager
    def _ledgers(self) -> Iterator[tuple[ActivityLedger, CopyLedger]]:
        store = open_store(self.stack.settings.state_url, time.time)
        try:
            yield ActivityLedger(store, time.time), CopyLedger(store, time.time)
        finally:
            store.close()

    def _until(self, done: Callable[[], bool], what: Callable[[], str]) -> None:
        """Poll until `done`; a process that dies, or `patience_s` without success, ends the demo."""
        began = looked = time.monotonic()
        with self.progress.waiting():
            while not done():
                look_s = time.monotonic() - looked
                if looked - began > self.patience_s:
                    raise browser.FlowFailed(
                        f"Not reached after {self.patience_s:.0f} s: {what()}; "
                        f"the logs are in {self.stack.state_dir.logs}."
                    )
                self.stack.processes.check()
                self.progress.wait_for({"the system": f"working until {what()}"})
                time.sleep(max(LOOK_EVERY_S, POLL_PAUSE_FACTOR * look_s))
                looked = time.monotonic()


def copies_of(stack: Stack) -> list[Copy]:
    """Every copy that the ledger has for the child."""
    store = open_store(stack.settings.state_url, time.time)
    try:
        return list(CopyLedger(store, time.time).of_child(CHILD_ID))
    finally:
        store.close()


def _numbers(result: object) -> Mapping[str, int]:
    if not isinstance(result, dict):
        return {}
    return {name: value for name, value in result.items() if isinstance(value, int)}
