"""An event's way from Strava's request to the lake, by the times that everything on it writes down anyway."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

Span = tuple[float, float]
"""When something began and ended, in seconds since 1970."""

_BODY_BEGINS, _BODY_ENDS = "::endgroup::", "::group::Post Execute"
"""What Airflow logs just before it calls a task's function, and just after."""


@dataclass(frozen=True, slots=True)
class Journey:
    """When an event passed each station, in seconds since 1970.

    The four parts add up to the whole: webhook and queue end where the next part begins, and Airflow has what is left
    between its own work and ours.

    Errors: `ValueError` where the times are out of order, so that nothing can be said.
    """

    posted_epoch_s: float
    """Strava's request, by the simulator's log of deliveries."""
    received_epoch_s: float
    """The webhook put the event into the queue, by the message."""
    accepted_epoch_s: float
    """Airflow has the run, by its row."""
    work: Sequence[Span]
    """Our functions in the run's tasks, by the tasks' logs; the last of them writes to the lake."""
    stored_epoch_s: float
    """The last of the lake's objects got its name, by the file."""
    query_s: float
    """How long a query took that was asked then and answered with the activity's rows."""

    def __post_init__(self) -> None:
        stations = [self.posted_epoch_s, self.received_epoch_s, self.accepted_epoch_s]
        stations += [moment for span in self.work for moment in span]
        stations.insert(-1, self.stored_epoch_s)
        if any(later < earlier for earlier, later in pairwise(stations)):
            raise ValueError(f"the times of an event's stations are out of order: {stations}; nothing is measured")

    @classmethod
    def of(
        cls,
        *,
        delivery: Mapping[str, Any],
        run: Mapping[str, Any],
        logs: Path,
        stored_epoch_s: float,
        query_s: float,
    ) -> Self:
        """The journey of the delivered event in its own run of `strava_ingest`; `logs` is Airflow's folder."""
        of_run = logs / f"dag_id={run['dag_id']}" / f"run_id={run['dag_run_id']}"
        (event,) = run["conf"]["events"]
        return cls(
            posted_epoch_s=delivery["delivered_at"] - delivery["latency_ms"] / 1e3,
            received_epoch_s=event["received_at_epoch_s"],
            accepted_epoch_s=datetime.fromisoformat(run["queued_at"]).timestamp(),
            work=[_body(of_run / "task_id=plan_events"), _body(of_run / "task_id=sync_activities" / "map_index=0")],
            stored_epoch_s=stored_epoch_s,
            query_s=query_s,
        )

    @property
    def webhook_s(self) -> float:
        """From Strava's request to the queue."""
        return self.received_epoch_s - self.posted_epoch_s

    @property
    def queue_s(self) -> float:
        """Until the dispatcher has started the run."""
        return self.accepted_epoch_s - self.received_epoch_s

    @property
    def airflow_s(self) -> float:
        """What the run takes beyond our own work: scheduling, starting processes, reading the DAG."""
        return self.stored_epoch_s - self.accepted_epoch_s - self.own_work_s

    @property
    def own_work_s(self) -> float:
        """What our functions take: imports, Strava's two answers, the lake."""
        return sum(min(end, self.stored_epoch_s) - begin for begin, end in self.work)

    @property
    def to_lake_s(self) -> float:
        """From Strava's request until the lake has the rows."""
        return self.stored_epoch_s - self.posted_epoch_s

    @property
    def to_sql_s(self) -> float:
        """From Strava's request to the answer of a query for the rows."""
        return self.to_lake_s + self.query_s


def _body(of_task: Path) -> Span:
    """When a task's function was called, and when it returned. Errors: `ValueError` for a task that was tried again."""
    tries = sorted(of_task.glob("attempt=*.log"))
    if [tried.name for tried in tries] != ["attempt=1.log"]:
        raise ValueError(f"{of_task} has {len(tries)} tries, not one: its times mean nothing")
    epoch_s: dict[str, float] = {}
    for line in map(json.loads, tries[0].read_text().splitlines()):
        epoch_s.setdefault(line["event"], datetime.fromisoformat(line["timestamp"]).timestamp())
    return epoch_s[_BODY_BEGINS], epoch_s[_BODY_ENDS]
