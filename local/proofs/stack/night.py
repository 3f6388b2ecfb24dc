"""The proof of a night: retention and audit of more athletes than Airflow maps over, in one run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from include.lake.query import query
from include.pipeline.chunks import ATHLETES
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.services import Services, open_services
from local.demo.demo_run import OVER
from local.proofs.proof import Effort
from local.proofs.stack.family import NotInTime
from local.proofs.stack.shared_stack import RETENTION_DAYS, SharedStack, await_idle, shared_stack
from local.proofs.verdict import Verdict

_DAG = "strava_retention"
_DAY_S = 86_400
_POINTS = 20
_LONG_AGO = 100
"""The number of an activity that began before the retention period, so that it may have been fetched then."""
_OTHER_TASKS = 8
"""The tasks that are not mapped, and one chunk that is not full."""
_PATIENCE_S = 420
_LOOK_EVERY_S = 1.0


def prove_night(effort: Effort) -> list[Verdict]:
    """1,500 athletes with a run each, every second one fetched too long ago, one without its rows; or 60 athletes."""
    shared = shared_stack(effort)
    await_idle(shared)  # Airflow starts the night that a new system has missed
    count = effort.rounds(1500, small=60)
    shared.population.grow(count)
    athlete_ids = shared.population.athlete_ids[:count]
    old, fresh = _loaded(shared, athlete_ids[::2], days_ago=RETENTION_DAYS + 1), _loaded(shared, athlete_ids[1::2])
    effort.advance(count)
    _lose(shared.population.services, shared.population.owners[fresh[-1]], fresh[-1])  # who has nothing else
    began = time.monotonic()
    run_id, state = _night(shared)
    seconds = time.monotonic() - began
    total = shared.operator.result(_DAG, run_id, "report_night") or {}
    found = set(query("SELECT activity_id FROM activities", shared.stack.settings.lake_url)["activity_id"].to_pylist())
    tasks = shared.operator.count_tasks(_DAG, run_id)
    return [
        Verdict(
            "night",
            f"a night of {count:,} athletes ends green",
            f"{state} after {seconds:.0f} s, {tasks} task instances, {total.get('athletes', 0):,} athletes",
            state == "success" and total.get("athletes", 0) >= count and tasks <= count // ATHLETES + _OTHER_TASKS,
        ),
        Verdict(
            "night",
            "what is too old is gone from the lake, and nothing else is",
            f"{total.get('expired', 0):,} expired of {len(old):,}; {len(found & set(fresh)):,} of {len(fresh):,} stay",
            total.get("expired") == len(old) and not found & set(old) and len(found & set(fresh)) == len(fresh) - 1,
        ),
        Verdict(
            "night",
            "the one activity whose rows were lost is found",
            f"{total.get('lost', 0)} lost, {total.get('repaired', 0)} to be fetched again",
            total.get("lost") == total.get("repaired") == 1,
        ),
    ]


def _loaded(shared: SharedStack, athlete_ids: Sequence[int], days_ago: int = 0) -> list[int]:
    """Let each athlete finish a run without an event, and sync it into the lake at a time in the past."""
    runs = [
        shared.population.finish(athlete_id, _LONG_AGO, points=_POINTS, announce=False) for athlete_id in athlete_ids
    ]
    with open_services(shared.stack.settings, clock=partial(_ago, days_ago)) as services:
        for athlete_id, activity_id in zip(athlete_ids, runs, strict=True):
            sync(services, SyncItem(athlete_id, activity_id, int(services.clock())), source="webhook")
    return runs


def _ago(days: int) -> float:
    return time.time() - days * _DAY_S


def _lose(services: Services, athlete_id: int, activity_id: int) -> None:
    """Delete the activity's rows from the lake behind the ledger's back."""
    entry = services.state.activities.get(athlete_id, activity_id)
    for key in entry.object_keys if entry else ():
        if (stored := services.lake.objects.get(key)) is not None:
            services.lake.objects.delete(key, expected=stored.etag)


def _night(shared: SharedStack) -> tuple[str, str]:
    """Start a run as an operator; returns its id and its final state. Errors: `NotInTime`."""
    run_id = shared.operator.start(_DAG, {"dry_run": False})
    began = time.monotonic()
    while (state := shared.operator.state(_DAG, run_id)) not in OVER:
        if time.monotonic() - began > _PATIENCE_S:
            raise NotInTime(f"After {_PATIENCE_S} s {run_id} is still {state}.")
        time.sleep(_LOOK_EVERY_S)
    return run_id, state
