"""The proof of the quota: processes that use one budget during a simulated day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any

from include.state.application.quota import Quota
from include.strava.client import Bucket, Priority
from include.strava.quota import COUNTERS, DAY_S, WINDOW_S, Counts, Limits
from local.proofs.race.race_world import StoreKind, race_world
from local.proofs.race.workers.pool import SharedClock, Workers
from local.proofs.race.workers.quota_worker import AllowedCall, Shift, ShiftResult, quota_worker
from local.proofs.verdict import Advance, Verdict
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.world.quota import Limits as SimulatedLimits

PROCESSES = 16
_COPYING = 2
"""The number of processes that upload copies; one does live work, all others backfill."""
_GREEDY = (Shift(Priority.LIVE, Bucket.READ), Shift(Priority.COPY, Bucket.UPLOAD))
"""The end of the day, in which live work and copies use the remaining calls."""
_LONGEST_PAUSE_S = 0.03
_ENOUGH = 0.99


@dataclass(frozen=True, slots=True)
class Day:
    """How long the day is, and how many calls are allowed in it."""

    windows: int
    last_windows: int
    """The number of windows at the end in which live work and copies use the remaining calls."""
    limits: Mapping[StoreKind, SimulatedLimits]


WHOLE_DAY = Day(
    DAY_S // WINDOW_S,
    last_windows=8,
    limits={
        # A standard application's day, and a fifth of its window, so that many windows fill up before the day does.
        StoreKind.SQLITE: SimulatedLimits(window=40, day=2000, read_window=20, read_day=1000),
        # moto is a hundred times slower than DynamoDB: the same number of processes makes fewer calls.
        StoreKind.DYNAMODB: SimulatedLimits(window=20, day=400, read_window=10, read_day=200),
    },
)
SHORT_DAY = Day(
    4,
    last_windows=3,
    limits=dict.fromkeys(StoreKind, SimulatedLimits(window=20, day=60, read_window=10, read_day=20)),
)
"""The shortest day in which every kind of work is refused once."""


@dataclass(frozen=True, slots=True)
class Window:
    """Every shift of one window with its result, and the counts at its end."""

    worked: tuple[tuple[Shift, ShiftResult], ...]
    used: Counts

    def calls(self, priority: Priority) -> list[AllowedCall]:
        """The calls that were allowed to this kind of work."""
        return [call for shift, worked in self.worked if shift.priority is priority for call in worked.calls]

    def refusals(self, priority: Priority) -> int:
        """How often this kind of work was refused a call."""
        return sum(
            shift.priority is priority and worked.refused_until_epoch_s is not None for shift, worked in self.worked
        )

    def use(self, limits: Limits, priority: Priority) -> float:
        """The share used of what this kind of work may use, for the counter that is nearest to its limit."""
        used = self.used.known()
        return max(used[counter] / limits.allowed(counter, priority) for counter in COUNTERS)


def prove_quota(kind: StoreKind, *, day: Day, seed: int, advance: Advance) -> list[Verdict]:
    """Use up a day's budget: backfill calls whenever it may, live work and copies at times and at the end.

    The simulated Strava counts on its own, and answers 429 to every call beyond its limits.
    """
    simulated = day.limits[kind]
    rng = Random(f"quota:{kind}:{seed}")
    with (
        race_world(kind, limits=simulated) as place,
        closing(place.open_store()) as store,
        Workers(PROCESSES, quota_worker, place) as workers,
    ):
        quota = Quota(store, place.clock)
        rest: list[Window] = []
        windows = [_window(workers, quota, [Shift(Priority.LIVE, Bucket.READ, calls=1)])]  # tells the limits
        for number, shifts in enumerate(_shifts(day, simulated, rng)):
            _move_into_window(place.clock, number, rng)
            windows.append(_window(workers, quota, shifts))
            if number >= day.windows - day.last_windows:
                rest += [_window(workers, quota, [shift] * PROCESSES) for shift in _GREEDY]
            advance(number + 1)
        with SimulatorControl(place.simulator_url) as control:
            calls = control.calls()
        limits = quota.limits()
    proof = f"quota · {kind}"
    return [
        _ceiling_verdict(proof, limits, [*windows, *rest], calls),
        _use_verdict(proof, limits, windows[1:], rest[-1]),
        _live_verdict(proof, windows),
    ]


def _move_into_window(clock: SharedClock, number: int, rng: Random) -> None:
    """Move the clock to a random moment of the window, possibly its first second."""
    opening = clock() // DAY_S * DAY_S + number * WINDOW_S
    clock.advance(opening + rng.choice((0, rng.uniform(0, WINDOW_S - 1))) - clock())


def _shifts(day: Day, limits: SimulatedLimits, rng: Random) -> Iterator[list[Shift]]:
    """Each window's work: during the day live work needs less than backfill leaves to it, and copies less than reads.

    In no window live work needs more calls than backfill leaves, which is at least one.
    """
    live_windows = rng.sample(range(day.windows - day.last_windows), k=int(0.7 * limits.read_day / 10))
    uploads = 0.95 * (limits.day - limits.read_day) / day.windows / _COPYING
    backfill = [Shift(Priority.BACKFILL, Bucket.READ)] * (PROCESSES - _COPYING - 1)
    for number in range(day.windows):
        live = Shift(Priority.LIVE, Bucket.READ, int(number in live_windows), rng.uniform(0, _LONGEST_PAUSE_S))
        copies = [Shift(Priority.COPY, Bucket.UPLOAD, int(uploads + rng.random())) for _ in range(_COPYING)]
        yield [live, *copies, *backfill]


def _window(workers: Workers, quota: Quota, shifts: Sequence[Shift]) -> Window:
    answers = workers.all_do(shifts)
    for answer in answers:
        if answer.error is not None:
            raise answer.error
    return Window(tuple((shift, answer.value) for shift, answer in zip(shifts, answers, strict=True)), quota.used())


def _ceiling_verdict(
    proof: str, limits: Limits, windows: Sequence[Window], calls: Sequence[Mapping[str, Any]]
) -> Verdict:
    answered = Counter[int]()
    for call in calls:
        if "/api/v3/" in call["route"]:
            answered[call["status"]] += call["count"]
    allowed = sum(len(worked.calls) for window in windows for _, worked in window.worked)
    most = max(window.used.overall_window or 0 for window in windows)
    most_reads = max(window.used.read_window or 0 for window in windows)
    return Verdict(
        proof,
        f"{PROCESSES} processes never exceed the budget by one call",
        f"{allowed} calls, {answered[429]} answered 429 by Strava;"
        f" most in a window {most} of {limits.overall_window}, reads {most_reads} of {limits.read_window}",
        answered[429] == 0 and answered.total() == allowed,
    )


def _use_verdict(proof: str, limits: Limits, windows: Sequence[Window], rest: Window) -> Verdict:
    refused = [window for window in windows if window.refusals(Priority.BACKFILL)]
    least = min(window.use(limits, Priority.BACKFILL) for window in refused)
    used = rest.used.known()
    day = {counter: used[counter] / getattr(limits, counter) for counter in ("overall_day", "read_day")}
    return Verdict(
        proof,
        f"they use at least {_ENOUGH:.0%} of what priority allows",
        f"backfill stopped in {len(refused)} windows, with at least {least:.1%} of its nine tenths used;"
        f" day: {used['overall_day']} of {limits.overall_day} calls, {used['read_day']} of {limits.read_day} reads",
        least >= _ENOUGH and min(day.values()) >= _ENOUGH and len(refused) == len(windows),
    )


def _live_verdict(proof: str, windows: Sequence[Window]) -> Verdict:
    waits_s = [call.waited_s for window in windows for call in window.calls(Priority.LIVE)]
    backfill_s = [call.took_s for window in windows for call in window.calls(Priority.BACKFILL)]
    refusals = sum(window.refusals(Priority.LIVE) for window in windows)
    return Verdict(
        proof,
        "live work waits behind at most one backfill call",
        f"{len(waits_s)} live calls among backfill, {refusals} refused; allowed after {_ms(median(waits_s))},"
        f" at most {_ms(max(waits_s))}; a backfill call takes {_ms(median(backfill_s))},"
        f" at most {_ms(max(backfill_s))}",
        refusals == 0 and max(waits_s) <= max(backfill_s) and median(waits_s) <= median(backfill_s),
    )


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"
