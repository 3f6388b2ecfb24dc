"""The proof of the lake: processes are killed while they write, remove and erase, and a reader queries all the time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from include.errors import BadQuery, LeaseLost, NotConnected, RetryLater, TokenRefused
from include.lake.query import query
from include.pipeline.erasure.erase import EraseRequest
from include.pipeline.ingest.sync import NotThereYet
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.services import Services, open_services
from include.state.erasures.ledger import EraseReason
from local.proofs.race.agreement import held
from local.proofs.race.race_world import (
    ATHLETE_ID,
    RaceWorld,
    StoreKind,
    connect,
    race_world,
)
from local.proofs.race.workers.polling import polling
from local.proofs.race.workers.pool import Workers
from local.proofs.race.workers.sync_worker import sync_worker
from local.proofs.verdict import Advance, Verdict
from local.strava_simulator.control_client import SimulatorControl

PROCESSES = 4
_POINTS = 120
_MOST_LIVING = 12
_ERASED = 0.15
"""The share of rounds in which everything of the athlete is erased."""
_LEASE_S = 301
_MOST_RESUMPTIONS = 8
_LOOK_S = 0.002
_MONTHS = (datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC))

Job = SyncItem | EraseRequest
_ERASE = EraseRequest(ATHLETE_ID, EraseReason.OPERATOR)
_EXPECTED = LeaseLost | NotThereYet | NotConnected | TokenRefused | RetryLater
"""Errors that a run may get while another one erases or takes over."""

_LOOK = """
SELECT coalesce(s.activity_id, a.activity_id) AS activity_id, coalesce(s.points, 0) AS points,
       coalesce(s.distinct_points, 0) AS distinct_points, coalesce(a.activities, 0) AS activities
FROM (SELECT activity_id, count(*) AS points, count(DISTINCT point_index) AS distinct_points
      FROM streams GROUP BY activity_id) AS s
FULL JOIN (SELECT activity_id, count(*) AS activities FROM activities GROUP BY activity_id) AS a
       ON s.activity_id = a.activity_id
"""


class Action(StrEnum):
    """What a round does to one activity."""

    WRITE = "write"
    CHANGE = "change"
    REMOVE = "remove"
    ERASE = "erase"
    """Erase the athlete while processes still sync; afterwards the athlete connects again, without activities."""


@dataclass(slots=True)
class Reader:
    """Queries the lake repeatedly beside the writers, as an analyst's tool does."""

    lake_url: str
    settled: Mapping[int, int] = field(default_factory=dict)
    """The points of each activity whose write has ended; replaced as a whole, so that a query can detect a change."""
    looks: int = 0
    wrong: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Query once: no row occurs twice, and an activity settled before and after the query has all its points."""
        before = self.settled
        self.looks += 1
        try:
            seen = {row["activity_id"]: row for row in query(_LOOK, self.lake_url).to_pylist()}
        except BadQuery as error:
            self.wrong.append(str(error))
            return
        after = self.settled
        for activity_id, row in seen.items():
            if row["points"] != row["distinct_points"] or row["activities"] > 1:
                self.wrong.append(f"a reader saw rows of {activity_id} twice: {row}")
        for activity_id in before.keys() & after.keys():
            points = seen[activity_id]["points"] if activity_id in seen else 0
            if before[activity_id] == after[activity_id] != points:
                self.wrong.append(f"a reader saw {points} of {after[activity_id]} settled points of {activity_id}")


@dataclass(frozen=True, slots=True)
class Round:
    """The outcome of one round."""

    number: int
    done: tuple[Action, ...]
    kills: int
    wrong: tuple[str, ...]


def prove_lake(*, rounds: int, seed: int, advance: Advance) -> list[Verdict]:
    """Write, change and remove activities, two or three at once, and kill working processes at random moments."""
    with ExitStack() as stack:
        place = stack.enter_context(race_world(StoreKind.SQLITE))
        control = stack.enter_context(SimulatorControl(place.simulator_url))
        services = stack.enter_context(open_services(place.settings, clock=place.clock))
        workers = stack.enter_context(Workers(PROCESSES, sync_worker, place))
        reader = Reader(place.settings.lake_url)
        stack.enter_context(polling(reader.look))
        race = _LakeRace(place, control, services, workers, reader)
        found = []
        for number in range(rounds):
            found.append(race.round(number, Random(f"lake:{seed}:{number}")))
            advance(number + 1)
    return [_verdict(found, reader, seed)]


class _LakeRace:
    def __init__(
        self, place: RaceWorld, control: SimulatorControl, services: Services, workers: Workers, reader: Reader
    ) -> None:
        self._place = place
        self._control = control
        self._services = services
        self._workers = workers
        self._reader = reader

    def round(self, number: int, rng: Random) -> Round:
        """Change some activities, kill processes that sync or erase, let reconcile finish, and compare everything."""
        connect(self._place, self._control)  # a pair for the whole round: no kill here can lose it
        plan = self._drawn(rng)
        touched = {activity_id for _, activity_id in plan}
        self._reader.settled = {key: points for key, points in self._reader.settled.items() if key not in touched}
        items = [SyncItem(ATHLETE_ID, activity_id, int(self._place.clock())) for activity_id in sorted(touched)]
        erasing = rng.random() < _ERASED
        if erasing:
            self._reader.settled = {}
        jobs: list[Job] = [*items, *([_ERASE] if erasing else [])]
        killed, wrong = self._work_and_kill(jobs, rng)
        self._workers.all_do(killed)  # a task whose process died is started again
        truth = self._end_erasure() if erasing else self._resume(items)
        wrong += self._differences(truth)
        self._reader.settled = truth
        done = [action for action, _ in plan] + [Action.ERASE] * erasing
        return Round(number, tuple(done), len(killed), tuple(wrong))

    def _end_erasure(self) -> dict[int, int]:
        """Repeat the erasure as its task does; afterwards nothing is left, not even the access at Strava."""
        for _ in range(_MOST_RESUMPTIONS):
            self._place.clock.advance(_LEASE_S)
            (answer,) = self._workers.all_do([_ERASE])
            if answer.error is None:
                break
        for activity_id in self._control.activity_ids(ATHLETE_ID):
            self._control.delete_activity(activity_id)
        return {}

    def _drawn(self, rng: Random) -> list[tuple[Action, int]]:
        """The drawn actions, each on another activity."""
        living = sorted(self._reader.settled)
        plan: list[tuple[Action, int]] = []
        for _ in range(rng.randint(1, 3)):
            free = [activity_id for activity_id in living if activity_id not in {taken for _, taken in plan}]
            action = rng.choice((Action.WRITE, Action.CHANGE, Action.REMOVE)) if free else Action.WRITE
            if action is Action.WRITE and len(living) >= _MOST_LIVING:
                action = Action.REMOVE
            activity_id = self._finish_activity(rng) if action is Action.WRITE else rng.choice(free)
            if action is Action.CHANGE:
                self._control.crop(activity_id, first=1, last=1)
            elif action is Action.REMOVE:
                self._control.delete_activity(activity_id)
            plan.append((action, activity_id))
        return plan

    def _finish_activity(self, rng: Random) -> int:
        start_at = rng.choice(_MONTHS) + timedelta(hours=rng.randint(0, 240))
        kind = rng.choice(("run", "ride"))
        return self._control.generate_activity(
            ATHLETE_ID, kind, start_at=start_at, seed=rng.randint(0, 99), points=_POINTS
        )

    def _work_and_kill(self, jobs: Sequence[Job], rng: Random) -> tuple[list[Job], list[str]]:
        """One process for each job; returns the jobs of the killed ones, and errors that no run should get."""
        at_work = dict(zip(sorted(self._workers.alive), jobs, strict=False))
        for worker, job in at_work.items():
            self._workers.send(worker, job)
        wrong: list[str] = []
        killed: list[Job] = []
        for _ in range(rng.choice((0, 1, 1, 2))):
            until_s = time.monotonic() + rng.uniform(0, 0.12)
            while self._workers.busy and (left_s := until_s - time.monotonic()) > 0:
                self._take_answers(min(left_s, _LOOK_S), wrong)
            if self._workers.busy:
                worker = rng.choice(sorted(self._workers.busy))
                self._workers.kill(worker)
                killed.append(at_work[worker])
        while self._workers.busy:
            self._take_answers(_LOOK_S, wrong)
        self._workers.replace_killed()
        return killed, wrong

    def _take_answers(self, timeout_s: float, wrong: list[str]) -> None:
        for answer in self._workers.answers(timeout_s):
            if not isinstance(answer.error, _EXPECTED | None):
                wrong.append(repr(answer.error))

    def _resume(self, items: Sequence[SyncItem]) -> dict[int, int]:
        """Sync as long as the ledger has an activity due; returns what should be in the lake then."""
        for _ in range(_MOST_RESUMPTIONS):
            waiting = [entry for entry in self._entries(items) if entry.next_try_epoch_s is not None]
            if not waiting:
                break
            self._place.clock.advance(_LEASE_S)
            due = {entry.activity_id for entry in self._services.state.activities.due(self._place.clock())}
            self._workers.all_do([item for item in items if item.activity_id in due])
        return self._truth()

    def _entries(self, items: Sequence[SyncItem]) -> list[Any]:
        found = (self._services.state.activities.get(ATHLETE_ID, item.activity_id) for item in items)
        return [entry for entry in found if entry is not None]

    def _truth(self) -> dict[int, int]:
        """How many points each living activity has at Strava."""
        return {
            activity_id: len(self._control.activity(activity_id)["streams"]["time"]["data"])
            for activity_id in self._control.activity_ids(ATHLETE_ID)
        }

    def _differences(self, truth: Mapping[int, int]) -> list[str]:
        rows = query(_LOOK, self._place.settings.lake_url).to_pylist()
        seen = {row["activity_id"]: row["points"] for row in rows}
        wrong = [f"the lake holds {seen}, Strava has {dict(truth)}"] if seen != truth else []
        surplus = held(self._services).keys() - truth.keys()
        return [*wrong, *(f"lake or raw zone still hold {activity_id}" for activity_id in sorted(surplus))]


def _verdict(found: Sequence[Round], reader: Reader, seed: int) -> Verdict:
    wrong = [each for each in found if each.wrong]
    counts = {action: sum(each.done.count(action) for each in found) for action in Action}
    examples = "".join(f"; round {each.number} of seed {seed}: {', '.join(each.wrong)}" for each in wrong[:3])
    examples += "".join(f"; {each}" for each in reader.wrong[:3])
    return Verdict(
        "lake · files",
        "processes die while they write, remove and erase: no row is lost, comes twice or comes back",
        f"{len(found)} rounds, {counts[Action.WRITE]} writes, {counts[Action.CHANGE]} changes,"
        f" {counts[Action.REMOVE]} removals,"
        f" {counts[Action.ERASE]} erasures, {sum(each.kills for each in found)} kills:"
        f" {len(found) - len(wrong)} rounds agree;"
        f" {reader.looks} looks of a reader meanwhile, {len(reader.wrong)} wrong{examples}",
        not wrong and not reader.wrong,
    )
