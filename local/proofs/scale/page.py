"""`docs/scale.md`: what each kind of work costs, by the number of athletes."""

from __future__ import annotations

from collections.abc import Iterator

from include.pipeline.reconcile.turns import stretch_factor
from include.strava.quota import HOUR_S, Limits
from local.docs.markdown import table
from local.proofs.scale import record
from local.proofs.scale.counting import Kind
from local.proofs.scale.installation import LIMITS
from local.proofs.scale.record import Counted
from local.proofs.scale.workloads import RECONCILE_TASKS, WORKLOADS

_RUNS_OF_RECONCILE = 96

_HEAD = """# Scale

Made by `make proofs NAME=scale`, which does each kind of work once, in one process, in installations with these numbers
of athletes, each with one activity, and counts its operations. Rows are those of the state store, objects and keys
those of the lake, task instances those that Airflow stores. Nothing here is timed: [proofs](proofs.md) has times.
"""
_DAY = """
## A day

Every athlete finishes one activity, which is copied once, and nobody leaves. Strava's limits are those of an
application of 9,999 athletes, {read_day:,} reads a day; lists use at most half of them, so with many athletes each is
listed less often. An event that arrives alone has a run of its own, events that arrive together share runs: see
`sunday` in [proofs](proofs.md).
"""


def render() -> str:
    """The page about the last counts."""
    return page(record.read())


def page(counted: Counted) -> str:
    """The page about these counts."""
    sizes = sorted(counted)
    headings = ("work", "operations", *(f"{size:,} athletes" for size in sizes))
    work = [f"- **{workload.name}**: {workload.what}." for workload in WORKLOADS]
    day = table(("", *headings[2:]), _day(counted, sizes)) if sizes else ""
    parts = [_HEAD, *work, "", table(headings, _rows(counted, sizes)), _DAY.format(read_day=LIMITS.read_day), day]
    return "\n".join(parts) + "\n"


def _rows(counted: Counted, sizes: list[int]) -> Iterator[tuple[str, ...]]:
    for workload in WORKLOADS:
        for kind in Kind:
            numbers = [counted[size][workload.name][kind] for size in sizes]
            if any(numbers):
                yield workload.name, kind, *(f"{number:,}" for number in numbers)


def _day(counted: Counted, sizes: list[int]) -> Iterator[tuple[str, ...]]:
    limits = Limits(LIMITS.window, LIMITS.day, LIMITS.read_window, LIMITS.read_day)
    yield "calls to Strava for events", *(f"{size * counted[size]['event'][Kind.STRAVA]:,}" for size in sizes)
    yield "hours between two lists of an athlete", *(f"{stretch_factor((HOUR_S,) * size, limits):g}" for size in sizes)
    quiet = [
        size * counted[size]["event"][Kind.TASKS]
        + counted[size]["night"][Kind.TASKS]
        + _RUNS_OF_RECONCILE * RECONCILE_TASKS
        for size in sizes
    ]
    yield "task instances, events one by one", *(f"{number:,}" for number in quiet)
