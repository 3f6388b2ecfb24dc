"""How a run tells the catalogue which partitions of the lake it changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import LAKE


def publish(ti: Any, outlet_events: Any, *, task_id: str, also: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Put the partitions that the mapped `task_id` reports into the lake's asset event; returns its results.

    `also` are tasks whose results name partitions too.

    Shape: each result is a dict with `partitions`, a list of `[table, athlete_id, year]`, or a list of such dicts.
    Effects: where nothing changed the calling task is skipped, and no asset event is raised.
    """
    results = _results(ti, task_id)
    told = [*results, *(result for other in also for result in _results(ti, other))]
    partitions = sorted({tuple(partition) for result in told for partition in result["partitions"]})
    if not partitions:
        raise AirflowSkipException("No row of the lake changed.")
    outlet_events[LAKE].extra = {"partitions": [list(partition) for partition in partitions]}
    return results


def _results(ti: Any, task_id: str) -> list[dict[str, Any]]:
    # A list of ids makes Airflow answer a list, also when the task was mapped over one item.
    answers = [answer for answer in ti.xcom_pull(task_ids=[task_id]) if answer]
    return [result for answer in answers for result in (answer if isinstance(answer, list) else [answer])]
