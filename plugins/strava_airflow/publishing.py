"""How a run tells the catalogue that partitions of the lake wait for it."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.hook import StravaHook


def publish(waited_s: float = 0.0) -> None:
    """Let the calling task raise the lake's asset event where a partition waits, for `waited_s` or longer.

    The event names none: its rows tell `strava_catalog` which, also where Airflow loses or withholds the event.
    Effects: where none waits the calling task is skipped, and no event is raised.
    """
    with StravaHook().services() as services:
        waits = services.lake.partitions.waits_since(waited_s)
    if not waits:
        raise AirflowSkipException("No partition waits for the catalogue.")
