"""Raises the lake's asset event, which starts the catalogue."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.hook import StravaHook


def publish(waited_s: float = 0.0) -> None:
    """Let the calling task raise the lake's asset event if a partition has waited for `waited_s` or longer.

    The event names no partition: `strava_catalog` reads the waiting rows, so a lost event loses no partition.
    Effects: if no partition waits, the calling task is skipped and no event is raised.
    """
    with StravaHook().services() as services:
        waits = services.lake.partitions.waits_since(waited_s)
    if not waits:
        raise AirflowSkipException("No partition waits for the catalogue.")
