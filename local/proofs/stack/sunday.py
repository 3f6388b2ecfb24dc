"""The proof of a Sunday morning: all athletes finish activities within a minute or two."""

from __future__ import annotations

import time
from collections import Counter

from include.lake.query import query
from local.proofs.proof import Effort
from local.proofs.stack.family import happened_epoch_s
from local.proofs.stack.shared_stack import SharedStack, await_idle, shared_stack
from local.proofs.verdict import Verdict

RUNS_EACH = 5
TASKS_PER_100 = 120
_POINTS = 400
_PATIENCE_S = 420


def prove_sunday(effort: Effort) -> list[Verdict]:
    """2,000 events of 400 athletes, as quickly as Strava can deliver them; in the small size 50 events of ten."""
    shared = shared_stack(effort)
    count = effort.rounds(400, small=10)
    shared.population.grow(count)
    athlete_ids = shared.population.athlete_ids[:count]
    await_idle(shared)
    tasks_before = shared.operator.count_tasks()
    began = time.time()
    runs = [
        shared.population.finish(athlete_id, number, points=_POINTS)
        for number in range(RUNS_EACH)
        for athlete_id in athlete_ids
    ]
    told_s = time.time() - began
    loaded = happened_epoch_s(runs, shared.population.is_loaded, _PATIENCE_S)
    effort.advance(len(loaded))
    await_idle(shared)
    tasks = shared.operator.count_tasks() - tasks_before
    return [
        _all_there(
            shared, runs, f"told of within {told_s:.0f} s, in the lake after {max(loaded.values()) - began:.0f} s"
        ),
        _tasks(tasks, len(runs)),
    ]


def _all_there(shared: SharedStack, runs: list[int], took: str) -> Verdict:
    found = query("SELECT activity_id, count(*) AS points FROM streams GROUP BY ALL", shared.stack.settings.lake_url)
    points = dict(zip(found["activity_id"].to_pylist(), found["points"].to_pylist(), strict=True))
    whole = Counter(points.get(activity_id) == _POINTS for activity_id in runs)[True]
    claim = f"all of {len(runs):,} events of {len(runs) // RUNS_EACH} athletes are in the lake, with every point"
    return Verdict("sunday", claim, f"{whole:,} of {len(runs):,}; {took}", whole == len(runs))


def _tasks(tasks: int, events: int) -> Verdict:
    per_100 = tasks * 100 / events
    figures = f"{tasks:,} task instances, {per_100:.0f} per 100 events"
    return Verdict(
        "sunday", f"at most {TASKS_PER_100} task instances per 100 events", figures, per_100 <= TASKS_PER_100
    )
