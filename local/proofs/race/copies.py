"""The proof of copies: several processes make the same copy, and some are killed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from include.errors import LeaseLost, RetryLater
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.services import Services, open_services
from include.state.copies.ledger import MADE_STATES
from local.proofs.race.race_world import (
    ATHLETE_ID,
    RaceWorld,
    StoreKind,
    connect,
    race_world,
)
from local.proofs.race.workers.copy_worker import copy_worker
from local.proofs.race.workers.pool import Workers
from local.proofs.verdict import Advance, Verdict
from local.strava_simulator.control_client import SimulatorControl
from local.testbed.consent import agreed_link, open_account

CHILD_ID = 72
PROCESSES = 4
_POINTS = 30
_FIRST_START = datetime(2024, 1, 1, tzinfo=UTC)
_LONGEST_PAUSE_S = 0.15
_KILLED = 0.7
"""The share of starts after which a process is killed."""
_MOST_RESUMPTIONS = 12
_WINDOW_S = 900
_LOOK_S = 0.002
_EXPECTED = LeaseLost | RetryLater | None
"""Errors that a run may get while another one works on the same copy."""


@dataclass(frozen=True, slots=True)
class Round:
    """The outcome of one copy."""

    number: int
    runs: int
    kills: int
    """How many processes were killed while they worked on the copy."""
    resumptions: int
    """How many windows of reconcile were needed afterwards, because work was unfinished."""
    wrong: tuple[str, ...]


def prove_copies(kind: StoreKind, *, rounds: int, seed: int, advance: Advance) -> list[Verdict]:
    """Let processes copy one activity after the other, kill working ones, and let reconcile finish the copies."""
    with ExitStack() as stack:
        place = stack.enter_context(race_world(kind))
        control = stack.enter_context(SimulatorControl(place.simulator_url))
        services = stack.enter_context(open_services(place.settings, clock=place.clock, wait=place.clock.advance))
        workers = stack.enter_context(Workers(PROCESSES, copy_worker, place))
        open_account(control, CHILD_ID, "Rex")
        services.state.links.save(agreed_link(ATHLETE_ID, CHILD_ID, "Rex"))
        race = _Race(place, control, services, workers)
        found = []
        for number in range(rounds):
            found.append(race.round(number, Random(f"copies:{seed}:{number}")))
            advance(number + 1)
        surplus = race.surplus(rounds)
    return [_verdict(kind, found, surplus, seed)]


class _Race:
    def __init__(self, place: RaceWorld, control: SimulatorControl, services: Services, workers: Workers) -> None:
        self._place = place
        self._control = control
        self._services = services
        self._workers = workers

    def round(self, number: int, rng: Random) -> Round:
        """One activity whose title names the child, and whether the child has it once in the end."""
        for athlete_id in (ATHLETE_ID, CHILD_ID):
            connect(self._place, self._control, athlete_id)  # pairs for the whole round: no kill here can lose one
        activity_id = self._control.generate_activity(
            ATHLETE_ID,
            "run",
            start_at=_FIRST_START + timedelta(days=number),
            seed=number,
            points=_POINTS,
            name="With Rex",
        )
        sync(self._services, SyncItem(ATHLETE_ID, activity_id, int(self._place.clock())), source="webhook")
        before = set(self._control.activity_ids(CHILD_ID))
        runs, kills, wrong = self._run_round(activity_id, rng)
        self._workers.replace_killed()
        resumptions = self._resume(activity_id)
        made = set(self._control.activity_ids(CHILD_ID)) - before
        return Round(number, runs, kills, resumptions, (*wrong, *self._differences(activity_id, made)))

    def surplus(self, rounds: int) -> int:
        """How many activities the child has beyond one for each round; negative where some are missing."""
        return len(self._control.activity_ids(CHILD_ID)) - rounds

    def _run_round(self, activity_id: int, rng: Random) -> tuple[int, int, list[str]]:
        """Start one run after the other, at once or soon after, and kill some; returns runs, kills and errors."""
        kills, runs = 0, rng.randint(2, PROCESSES)
        wrong: list[str] = []
        for worker in rng.sample(range(PROCESSES), runs):
            self._workers.send(worker, activity_id)
            wrong += self._unexpected(until=time.monotonic() + rng.uniform(0, _LONGEST_PAUSE_S))
            if self._workers.busy and rng.random() < _KILLED:
                self._workers.kill(rng.choice(sorted(self._workers.busy)))
                kills += 1
        wrong += [repr(each.error) for each in self._workers.finish() if not isinstance(each.error, _EXPECTED)]
        return runs, kills, wrong

    def _unexpected(self, until: float) -> Iterator[str]:
        """Errors that no run should get, among the answers that arrive until then."""
        while (left_s := until - time.monotonic()) > 0:
            for answer in self._workers.answers(min(left_s, _LOOK_S)):
                if not isinstance(answer.error, _EXPECTED):
                    yield repr(answer.error)

    def _resume(self, activity_id: int) -> int:
        """Copy once in each of reconcile's windows until nothing is due.

        A run that died before it stored the copy is started again, as Airflow does with a task.
        """
        for number in range(_MOST_RESUMPTIONS):
            copy = self._services.state.copies.get(activity_id, CHILD_ID)
            if copy is not None and copy.next_try_epoch_s is None:
                return number
            self._place.clock.advance(_WINDOW_S)
            self._workers.all_do([activity_id])
        return _MOST_RESUMPTIONS

    def _differences(self, activity_id: int, made: set[int]) -> Iterator[str]:
        """Everything that differs from what the athletes may expect."""
        copy = self._services.state.copies.get(activity_id, CHILD_ID)
        if len(made) != 1:
            yield f"the child has {len(made)} copies of {activity_id}"
        if copy is None or copy.state not in MADE_STATES or copy.child_activity_id not in made:
            yield f"the ledger says {copy} of {activity_id}, and the child has {sorted(made)}"


def _verdict(kind: StoreKind, found: Sequence[Round], surplus: int, seed: int) -> Verdict:
    wrong = [each for each in found if each.wrong]
    examples = "".join(f"; round {each.number} of seed {seed}: {', '.join(each.wrong)}" for each in wrong[:3])
    at_once = sum(each.resumptions == 0 for each in found)
    return Verdict(
        f"copies · {kind}",
        f"{PROCESSES} processes make one copy and die at it: the child has it once, and the ledger knows it",
        f"{len(found)} copies, {sum(each.runs for each in found)} runs, {sum(each.kills for each in found)} kills:"
        f" {len(found) - len(wrong)} right, {at_once} of them at once and the others in later windows;"
        f" {surplus} too many{examples}",
        not wrong and surplus == 0,
    )
