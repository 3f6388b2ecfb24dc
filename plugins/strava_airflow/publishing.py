"""How a run tells the catalogue which partitions of the lake it changed."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import LAKE


def publish(ti: Any, outlet_events: Any, *, task_id: str) -> list[dict[str, Any]]:
    """Put the partitions that the mapped `task_id` reports into the lake's asset event; returns its results.

    Shape: each result is a dict with `partitions`, a list of `[table, athlete_id, year]`.
    Effects: where nothing changed the calling task is skipped, and no asset event is raised.
    """
    # A list of ids makes Airflow answer a list, also when the task was mapped over one item.
    results = [result for result in ti.xcom_pull(task_ids=[task_id]) if result]
    partitions = sorted({tuple(partition) for result in results for partition in result["partitions"]})
    if not partitions:
        raise AirflowSkipException("No row of the lake changed.")
    outlet_events[LAKE].extra = {"partitions": [list(partition) for partition in partitions]}
    return results
