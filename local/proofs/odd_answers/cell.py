"""Runs the system for an hour in which one call gets one odd answer, then until everything is right."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from include.errors import IngestError
from include.lake.query import query
from include.pipeline.backfill.request import BackfillRequest
from include.pipeline.reconcile.due import list_athletes, queue_due
from include.pipeline.reconcile.installation import prove_again
from include.pipeline.services import Services
from include.queue.content import LookAgain, ResumeBackfill, is_about_activities, to_body
from include.queue.content import parse as parse_content
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import CopyState
from include.state.links import CopyOptions
from local.proofs.odd_answers.message import is_fit
from local.proofs.odd_answers.rare_calls import RARE_CALLS, RareCall
from local.strava_simulator.api.script import Line
from local.strava_simulator.world.simulation import Rules
from local.testbed.consent import agreed_link
from local.testbed.runs import InlineRuns
from local.testbed.world import NOON, PARENT_ID, REX_ID, World, open_world
from webhook_api.dispatcher import BACKFILL_DAG

CALLS: Mapping[str, str] = {
    "activity": "GET /activities/*[0-9]",
    "streams": "GET /activities/*/streams",
    "list": "GET /athlete/activities",
    "upload": "POST /uploads",
    "poll": "GET /uploads/*",
    "profile": "GET /athlete",
    "token": "POST /oauth/token",
    "revoke": "POST /oauth/revoke",
    "subscription": "GET /push_subscriptions",
    "subscribe": "POST /push_subscriptions",
    "unsubscribe": "DELETE /push_subscriptions/*",
}
"""Every call to Strava, and its route in the simulator's script; `token` is code exchange and refresh."""

OF_THE_APPLICATION = ("subscription", "subscribe", "unsubscribe")
"""Calls that are made for no athlete."""

ODD_WINDOWS = 4
"""How many windows of a quarter of an hour the answer stays odd."""

MOST_WINDOWS = 4 * 24 * 3
"""The longest recovery: three days."""

_FINAL = frozenset({CopyState.FAILED, CopyState.UNFINISHED})
"""The states in which no copy may end; nor may it be skipped, unless Strava said in the API's form that there is no
recording."""
_HISTORY = (date(2026, 5, 1), date(2026, 5, 31))
_WINDOW_S = 900
_TOKEN_S = 6 * 3600

MOST_CALLS = 20
"""The most calls of one kind in the hour of odd answers: three activities with three rounds each, and one repetition
of each call, make 18 at most."""


@dataclass(slots=True)
class Outcome:
    """The outcome of one odd answer to one call."""

    activity: str = ""
    copy: str = ""
    athlete: str = ""
    calls: int = 0
    """How often the call was made while its answer was odd."""
    minutes: int | None = None
    """Minutes from the first right answer to full recovery; None where it took more than three days."""
    wrongs: list[str] = field(default_factory=list)
    """Data that was destroyed, and messages that say too much or too little."""


@dataclass(slots=True)
class _Cell:
    """A stored activity that is renamed, one that is deleted without an event, a new one, and one for a backfill."""

    world: World
    services: Services
    rare_call: RareCall | None
    seed: int
    historic: int = 0
    """An activity from before the athlete connected: only a backfill loads it."""
    renamed: int = 0
    deleted: int = 0
    new: int = 0
    failures: list[IngestError] = field(default_factory=list)

    @property
    def runs(self) -> InlineRuns:
        return InlineRuns(self.services, self.world.settings, self.failures)

    def begin(self) -> None:
        self.historic = self.world.finish(PARENT_ID, "Long ago", hours_ago=900, seed=self.seed)
        self.renamed = self.world.finish(PARENT_ID, "Morning with Rex", hours_ago=30, seed=self.seed)
        self.deleted = self.world.finish(PARENT_ID, "Alone", hours_ago=26, seed=self.seed)
        for activity_id in (self.renamed, self.deleted):
            self.queue(activity_id)
        self.window()
        if self.rare_call:
            self.rare_call.begin(self.world, self.services)
        self.world.clock.advance(_TOKEN_S)

    def go_on(self) -> None:
        self.world.control.rename(self.renamed, "Evening with Rex")
        self.world.control.delete_activity(self.deleted)
        self.new = self.world.finish(PARENT_ID, "Lunch with Rex", hours_ago=1, seed=self.seed)
        self.ask_for_history()
        for activity_id in (self.renamed, self.new):
            self.queue(activity_id)

    def ask_for_history(self) -> None:
        """Start a backfill as an operator does with the form, and again after one that found nothing."""
        wanted = BackfillRequest(PARENT_ID, *_HISTORY, int(self.world.clock()))
        self.runs.run(BACKFILL_DAG, wanted.to_params())

    def queue(self, activity_id: int) -> None:
        event = LookAgain(PARENT_ID, activity_id, self.world.clock())
        self.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(self.world.clock()))
        self.services.queue.send(to_body(event))

    def window(self) -> None:
        """The work of production in a quarter of an hour: each step is run even if another one fails."""
        services = self.services
        self.attempt(queue_due, services)
        self.attempt(list_athletes, services, self.world.settings)
        self.attempt(_prove, services)
        if self.rare_call and self.deleted and self.new:
            self.attempt(self.rare_call.act, self.world, services)
        if any(not each.is_open and not each.found for each in services.state.histories.of_athlete(PARENT_ID)):
            self.ask_for_history()
        messages = services.queue.receive(100, visibility_s=30)
        queued = [parse_content(message.body) for message in messages]
        for each in queued:
            if isinstance(each, ResumeBackfill):
                self.runs.run(BACKFILL_DAG, each.form)
        self.runs.ingest([each.event for each in queued if is_about_activities(each)])
        for message in messages:
            services.queue.delete(message)
        self.world.clock.advance(_WINDOW_S)

    def attempt(self, step: Any, *arguments: Any, **options: Any) -> None:
        try:
            step(*arguments, **options)
        except IngestError as err:
            self.failures.append(err)

    def titles(self) -> Mapping[int, str]:
        """The titles of the parent's activities in the lake, by id."""
        found = query("SELECT athlete_id, activity_id, name FROM activities", self.world.settings.lake_url).to_pylist()
        return {row["activity_id"]: row["name"] for row in found if row["athlete_id"] == PARENT_ID}

    def lacks(self) -> list[str]:
        """Everything that is not right yet."""
        copy = self.services.state.copies.get(self.new, REX_ID)
        checks = {
            "synced": self.state_of(self.new) == ActivityState.SYNCED,
            "copied": copy is not None and copy.state in (CopyState.DONE, CopyState.DUPLICATE),
            "one copy each": len(self.world.control.activity_ids(REX_ID)) == 2,
            "the history": not any(history.is_open for history in self.services.state.histories.of_athlete(PARENT_ID)),
            "connected": self.status_of(PARENT_ID) == AthleteStatus.ACTIVE,
            "the rare call": self.rare_call is None or self.rare_call.is_done(self.world, self.services),
        }
        lacking = [name for name, holds in checks.items() if not holds]
        titles = {self.historic: "Long ago", self.renamed: "Evening with Rex", self.new: "Lunch with Rex"}
        if not lacking and self.titles() != titles:
            lacking.append("the lake's titles")  # Checked last: it takes longest.
        return lacking

    def status_of(self, athlete_id: int) -> str:
        """The athlete's status here."""
        athlete = self.services.state.athletes.get(athlete_id)
        return str(athlete.status) if athlete else "unknown"

    def state_of(self, activity_id: int) -> str:
        entry = self.services.state.activities.get(PARENT_ID, activity_id)
        return str(entry.state) if entry else "unknown"


def run_cell(call: str, answer: Mapping[str, Any], *, seed: int, state_url: str) -> Outcome:
    """Give this answer to this call for an hour, and recover; `seed` is that of the recordings."""
    with tempfile.TemporaryDirectory() as folder, _cell(Path(folder), state_url, RARE_CALLS.get(call), seed) as cell:
        cell.begin()
        outcome = Outcome()
        before = cell.titles()
        if call == "subscription":  # This very call shows whether the API answers there.
            cell.services.state.installation.note(cell.services.strava.push.api_url, is_proved=False, now_epoch_s=NOON)
        cell.world.control.write_script(Line(route=CALLS[call], **answer))
        cell.go_on()
        for _ in range(ODD_WINDOWS):
            cell.window()
        outcome.calls = cell.world.control.script()[0]["calls"]
        outcome.wrongs += _destroyed(cell, before)
        outcome.wrongs += [
            f"message: {message}"
            for message in map(str, cell.failures)
            if not is_fit(message, is_applications=call in OF_THE_APPLICATION)
        ]
        outcome.activity = cell.state_of(cell.new)
        copy = cell.services.state.copies.get(cell.new, REX_ID)
        outcome.copy = str(copy.state) if copy else "none yet"
        outcome.athlete = cell.status_of(PARENT_ID)
        cell.world.control.write_script()
        for passed in range(MOST_WINDOWS):
            cell.window()
            if not cell.lacks():
                outcome.minutes = passed * _WINDOW_S // 60
                break
        else:
            outcome.wrongs += [f"never right: {', '.join(cell.lacks())}"]
        return outcome


def _prove(services: Services) -> None:
    prove_again(services.strava.push, services.state.installation, services.clock)


def _destroyed(cell: _Cell, before: Mapping[int, str]) -> list[str]:
    """Everything that the odd answer destroyed: rows, the copy made before, the connection, the link."""
    services = cell.services
    copy = services.state.copies.get(cell.renamed, REX_ID)
    final = _FINAL | ({CopyState.SKIPPED} if cell.state_of(cell.new) != ActivityState.NO_STREAMS else set())
    finished = [copy for copy in services.state.copies.of_activity(cell.new) if copy.state in final]
    gone = [entry for entry in services.state.activities.of_athlete(PARENT_ID) if entry.state is ActivityState.REMOVED]
    is_proved = cell.services.state.installation.is_proved(cell.services.strava.push.api_url)
    checks = {
        "rows": set(before) - {cell.deleted} <= set(cell.titles()),
        "rows before the installation was proved": is_proved or set(before) <= set(cell.titles()),
        "the copy made before": copy is not None and copy.state is CopyState.DONE,
        "the new copy, finally": not finished,
        "an activity that is there": {entry.activity_id for entry in gone} <= {cell.deleted},
        "the connection": {cell.status_of(PARENT_ID), cell.status_of(REX_ID)} == {AthleteStatus.ACTIVE},
        "the link": len(list(cell.services.state.links.of_parent(PARENT_ID))) == 1,
    }
    return [f"destroyed: {name}" for name, holds in checks.items() if not holds]


@contextmanager
def _cell(folder: Path, state_url: str, rare_call: RareCall | None, seed: int) -> Iterator[_Cell]:
    with open_world(folder, Rules(), state_url=state_url) as world:
        for athlete_id in (PARENT_ID, REX_ID):
            world.connect(athlete_id)
        world.services.state.links.save(agreed_link(PARENT_ID, REX_ID, "Rex", CopyOptions(trim_m=0)))
        yield _Cell(world, world.services, rare_call, seed)
