"""The proof of the catalogue: events that arrive while it runs are not lost between two of its runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import duckdb

from include.lake.keys import partition_of
from include.lake.schemas import PARTITION_KEYS
from include.state.partitions import Partition
from local.proofs.proof import Effort
from local.proofs.stack.family import happened_epoch_s
from local.proofs.stack.shared_stack import SharedStack, await_idle, shared_stack
from local.proofs.verdict import Verdict

_DAG = "strava_catalog"
_YEARS = 12
_RUNS_A_YEAR = 2_920
"""Two runs of the population whose numbers differ by this are a year apart."""
_POINTS = 20
_APART_S = 0.3
"""Seconds between two events, so that many ingest runs start the catalogue one after the other."""
_MOST_TRIES = 5
_LOOK_EVERY_S = 0.05
_PATIENCE_S = 240
_SCHEDULED_WITHIN_S = 20
"""Airflow's scheduler starts a run for an event in a later loop; until then no run is under way."""


def prove_catalogue(effort: Effort) -> list[Verdict]:
    """Events of many athletes and years, each with its own partition, and one at least while the catalogue runs."""
    shared = shared_stack(effort)
    count = effort.rounds(10, small=2)
    shared.population.grow(count)
    await_idle(shared)
    began = time.time()
    effort.advance(_load(shared, shared.population.athlete_ids[:count]))
    seen = settled(began, shared)
    for _ in range(_MOST_TRIES):
        if seen.events_during_runs:
            break
        _make_event_during_run(shared)
        seen = settled(began, shared)
    return [_met(seen), _registered(shared, seen), _named(shared)]


def _load(shared: SharedStack, athlete_ids: Sequence[int]) -> int:
    """Every athlete finishes a run in each of some years; returns how many, once the lake has all of them."""
    runs = []
    for year in range(_YEARS):
        for athlete_id in athlete_ids:
            runs.append(shared.population.finish(athlete_id, year * _RUNS_A_YEAR, points=_POINTS))
            time.sleep(_APART_S)
    return len(happened_epoch_s(runs, shared.population.is_loaded, _PATIENCE_S))


def _make_event_during_run(shared: SharedStack) -> None:
    """Start the catalogue, and make an event of the lake's asset once it runs. On a fast machine no other meets one."""
    asset_id = shared.operator.asset_events()[0]["asset_id"]
    run_id = shared.operator.start(_DAG, {})
    queued_until = time.monotonic() + _PATIENCE_S
    while shared.operator.state(_DAG, run_id) == "queued" and time.monotonic() < queued_until:
        time.sleep(_LOOK_EVERY_S)
    shared.operator.make_asset_event(asset_id)


@dataclass(frozen=True, slots=True)
class CatalogueHistory:
    """The events of the lake's asset in Airflow, and the runs that they started."""

    event_epoch_s: Sequence[float]
    runs: Sequence[tuple[float, float]]
    """When each run of the catalogue began and ended, in that order."""

    @classmethod
    def since(cls, began_epoch_s: float, shared: SharedStack) -> Self:
        """The events and runs since the proof began; no run is under way any more."""
        events = [_epoch_s(event, "timestamp") for event in shared.operator.asset_events()]
        over = [run for run in shared.operator.runs(_DAG) if run["end_date"]]
        runs = [(_epoch_s(run, "start_date"), _epoch_s(run, "end_date")) for run in over]
        return cls(
            sorted(at for at in events if at >= began_epoch_s), sorted(run for run in runs if run[0] >= began_epoch_s)
        )

    @property
    def events_during_runs(self) -> int:
        """How many events arrived while the catalogue ran."""
        return sum(any(began < at < ended for began, ended in self.runs) for at in self.event_epoch_s)

    @property
    def events_without_run(self) -> int:
        """How many events arrived after the start of the last run."""
        last = self.runs[-1][0] if self.runs else 0.0
        return sum(at > last for at in self.event_epoch_s)


def settled(began_epoch_s: float, shared: SharedStack) -> CatalogueHistory:
    """The events and runs, after Airflow has had time to start a run for the last event."""
    await_idle(shared)  # the next run is made when the one before is over
    scheduled_by = time.monotonic() + _SCHEDULED_WITHIN_S
    while CatalogueHistory.since(began_epoch_s, shared).events_without_run and time.monotonic() < scheduled_by:
        time.sleep(_APART_S)
    await_idle(shared)
    return CatalogueHistory.since(began_epoch_s, shared)


def _met(seen: CatalogueHistory) -> Verdict:
    figures = f"{len(seen.event_epoch_s)} events, {seen.events_during_runs} of them meanwhile; {len(seen.runs)} runs"
    return Verdict("catalogue", "events come while the catalogue runs", figures, seen.events_during_runs > 0)


def _registered(shared: SharedStack, seen: CatalogueHistory) -> Verdict:
    waiting = sum(1 for _ in shared.population.services.lake.partitions.waiting())
    return Verdict(
        "catalogue",
        "a run that begins after an event registers what it told of, and nothing waits any more",
        f"{seen.events_without_run} events without such a run, {waiting} partitions wait",
        not seen.events_without_run and not waiting,
    )


def _named(shared: SharedStack) -> Verdict:
    held = set(_held(shared))
    named = set(_of_catalogue(shared))
    figures = f"{len(held & named):,} of {len(held):,} partitions that hold something, {len(named - held)} others"
    return Verdict("catalogue", "the catalogue names what the lake holds", figures, bool(held) and held == named)


def _held(shared: SharedStack) -> Sequence[Partition]:
    objects = shared.population.services.lake.objects
    return [partition_of(key) for table in PARTITION_KEYS for key in objects.list(f"{table}/")]


def _of_catalogue(shared: SharedStack) -> Sequence[Partition]:
    """The partitions that an analyst finds in the catalogue."""
    with duckdb.connect(shared.stack.state_dir.catalog, read_only=True) as connection:
        return [
            Partition(table, **{"athlete_id": None, **dict(zip(keys, values, strict=True))})
            for table, keys in PARTITION_KEYS.items()
            for values in connection.execute(f"SELECT DISTINCT {', '.join(keys)} FROM {table}").fetchall()  # noqa: S608 - names of our own
        ]


def _epoch_s(found: dict[str, Any], name: str) -> float:
    return datetime.fromisoformat(found[name]).timestamp()
