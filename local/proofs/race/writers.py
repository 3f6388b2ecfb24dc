"""The proof of the writers: many processes sync one activity while it changes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from include.errors import LeaseLost
from include.pipeline.ingest.sync import NotThereYet
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.services import Services, open_services
from local.proofs.race.agreement import differences, held
from local.proofs.race.race_world import (
    ATHLETE_ID,
    RaceWorld,
    StoreKind,
    connect,
    race_world,
)
from local.proofs.race.schedule import POINTS, Action, Schedule, Step
from local.proofs.race.workers.pool import Workers
from local.proofs.race.workers.sync_worker import sync_worker
from local.proofs.verdict import Advance, Verdict
from local.strava_simulator.control_client import SimulatorControl

PROCESSES = 8
_LEASE_S = 301
_MOST_RESUMPTIONS = 8
_MONTHS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
_LOOK_S = 0.002


@dataclass(frozen=True, slots=True)
class Round:
    """The outcome of one round."""

    number: int
    schedule: Schedule
    resumptions: int
    """How many syncs were due in the ledger afterwards, because work was unfinished."""
    wrong: tuple[str, ...]
    """Errors that no run should get, and differences of lake, raw zone and ledger from Strava."""


def prove_writers(*, rounds: int, seed: int, advance: Advance) -> list[Verdict]:
    """Let processes sync one activity after the other while it is renamed, cropped or deleted.

    After each round only the ledger says what is due, as for reconcile; then everything has to agree.
    """
    with ExitStack() as stack:
        place = stack.enter_context(race_world(StoreKind.SQLITE))
        control = stack.enter_context(SimulatorControl(place.simulator_url))
        services = stack.enter_context(open_services(place.settings, clock=place.clock))
        workers = stack.enter_context(Workers(PROCESSES, sync_worker, place))
        race = _Race(place, control, services, workers)
        found = []
        for number in range(rounds):
            found.append(race.round(number, Random(f"writers:{seed}:{number}")))
            advance(number + 1)
        leftovers = race.leftovers()
    return [_verdict(found, leftovers, seed)]


class _Race:
    def __init__(self, place: RaceWorld, control: SimulatorControl, services: Services, workers: Workers) -> None:
        self._place = place
        self._control = control
        self._services = services
        self._workers = workers

    def round(self, number: int, rng: Random) -> Round:
        """One activity from its start to its deletion, and whether everything agrees with Strava in the end."""
        connect(self._place, self._control)  # a pair for the whole round: no kill here can lose it
        item = SyncItem(ATHLETE_ID, self._finish_activity(rng), int(self._place.clock()))
        schedule = Schedule.drawn(rng)
        wrong = self._run_round(schedule, item, rng)
        self._workers.replace_killed()
        resumptions = self._resume(item, wrong)
        wrong += differences(self._services, self._control.activity(item.activity_id), item.activity_id)
        return Round(number, schedule, resumptions, tuple(wrong))

    def leftovers(self) -> list[str]:
        """Data in lake and raw zone of activities that Strava no longer has."""
        living = set(self._control.activity_ids(ATHLETE_ID))
        return [key for activity_id, keys in held(self._services).items() if activity_id not in living for key in keys]

    def _finish_activity(self, rng: Random) -> int:
        """An activity that starts just before the end of a month, so that a crop may move it into the next one."""
        start_at = rng.choice(_MONTHS) - timedelta(seconds=rng.randint(0, 20))
        return self._control.generate_activity(
            ATHLETE_ID,
            rng.choice(("run", "ride", "trail_run")),
            start_at=start_at,
            seed=rng.randint(0, 99),
            points=POINTS,
        )

    def _run_round(self, schedule: Schedule, item: SyncItem, rng: Random) -> list[str]:
        """Take the schedule's steps at their times; returns the errors that no run should get."""
        began_s = time.monotonic()
        runs = _Runs(self._workers, item)
        for step in schedule.steps:
            while (left_s := began_s + step.at_s - time.monotonic()) > 0:
                runs.look(min(left_s, _LOOK_S))
            if step.action is Action.SYNC:
                runs.start(rng)
            elif step.action is Action.KILL:
                runs.kill(rng)
            elif step.action is Action.STALL:
                runs.stall(rng)
                self._place.clock.advance(_LEASE_S)
            elif step.action is Action.WAKE:
                self._workers.wake()
            else:
                self._change(step, item.activity_id)
                runs.note_change()
        runs.finish(rng)
        return runs.wrong

    def _change(self, step: Step, activity_id: int) -> None:
        if step.action is Action.RENAME:
            self._control.rename(activity_id, f"Name {step.at_s:.6f}")
        elif step.action is Action.CROP:
            self._control.crop(activity_id, first=step.amount, last=step.amount // 2)
        else:
            self._control.delete_activity(activity_id)

    def _resume(self, item: SyncItem, wrong: list[str]) -> int:
        """Sync the activity as long as it is due in the ledger, each time when it is due, as reconcile does."""
        for number in range(_MOST_RESUMPTIONS):
            entry = self._services.state.activities.get(ATHLETE_ID, item.activity_id)
            if entry is None or entry.next_try_epoch_s is None:
                return number
            clock = self._place.clock
            clock.advance(max(0.0, entry.next_try_epoch_s - clock()))
            if item.activity_id not in {due.activity_id for due in self._services.state.activities.due(clock())}:
                wrong.append("the ledger's row has a next try and is not found as due")
            self._workers.all_do([item])
        return _MOST_RESUMPTIONS


class _Runs:
    """The runs of one round: which are at work, and whether one that began after the last change has ended."""

    def __init__(self, workers: Workers, item: SyncItem) -> None:
        self._workers = workers
        self._item = item
        self._began_after_change: set[int] = set()
        self._is_answered = False
        self.wrong: list[str] = []

    def note_change(self) -> None:
        """Note that the activity was changed: only runs that start from now on can know it."""
        self._began_after_change.clear()
        self._is_answered = False

    def look(self, timeout_s: float) -> None:
        """Handle the workers' answers; waits at most that long for the first one."""
        for answer in self._workers.answers(timeout_s):
            self._is_answered |= answer.worker in self._began_after_change
            if not isinstance(answer.error, LeaseLost | NotThereYet | None):
                self.wrong.append(repr(answer.error))

    def start(self, rng: Random) -> None:
        """A free process starts to sync."""
        while not (free := sorted(self._workers.alive - self._workers.busy)):
            self._workers.wake()  # a stalled process may hold the lock that all others wait for
            self.look(_LOOK_S)
        worker = rng.choice(free)
        self._workers.send(worker, self._item)
        self._began_after_change.add(worker)

    def kill(self, rng: Random) -> None:
        """Kill a process, one at work if there is any."""
        worker = rng.choice(sorted(self._workers.busy or self._workers.alive))
        self._workers.kill(worker)
        self._began_after_change.discard(worker)

    def stall(self, rng: Random) -> None:
        """Stop a working process where it is, if there is one."""
        if self._workers.busy:
            self._workers.stall(rng.choice(sorted(self._workers.busy)))

    def finish(self, rng: Random) -> None:
        """Let all runs end; a killed run for the last change starts again, as a task of Airflow does."""
        while self._workers.busy or not self._is_answered:
            if not self._workers.busy:
                self.start(rng)
            self.look(_LOOK_S)


def _verdict(found: Sequence[Round], leftovers: Sequence[str], seed: int) -> Verdict:
    wrong = [each for each in found if each.wrong]
    counts = {action: sum(each.schedule.count(action) for each in found) for action in Action}
    at_once = sum(each.resumptions == 0 for each in found)
    examples = "".join(f"; round {each.number} of seed {seed}: {', '.join(each.wrong)}" for each in wrong[:3])
    return Verdict(
        "writers · sqlite",
        f"{PROCESSES} processes sync one activity that changes: lake, raw zone and ledger end as Strava is",
        f"{len(found)} rounds, {counts[Action.SYNC]} runs, {counts[Action.RENAME]} renames,"
        f" {counts[Action.CROP]} crops,"
        f" {counts[Action.DELETE]} deletions, {counts[Action.KILL]} kills, {counts[Action.STALL]} lost leases:"
        f" {len(found) - len(wrong)} agree, {at_once} of them at once and the others when the ledger's time had come;"
        f" {len(leftovers)} leftovers{examples}",
        not wrong and not leftovers,
    )
