"""# Strava reconcile

Puts back into the queue what waited in the ledgers: activities that stepped aside for Strava's quota, uploads
that Strava was still processing, work whose run died.

**Starts**: one minute after every quota window opens (minutes 1, 16, 31, 46).

**Reads**: the ledgers `activities` and `copies`.
**Writes**: messages in the queue; `strava_ingest` does the work.

**Kind**: now. Running it again is always right.

**Limits**: no Strava calls of its own.

**If it fails**: whatever waits, waits a quarter of an hour longer.

**Owner**: data-engineering.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import CronTriggerTimetable, dag, task

from strava_airflow.defaults import DEFAULT_ARGS, Tag
from strava_airflow.hook import StravaHook


@dag(
    dag_id="strava_reconcile",
    schedule=CronTriggerTimetable("1,16,31,46 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(minutes=14),
    is_paused_upon_creation=False,
    tags=[Tag.TIER_1, Tag.NOW],
    doc_md=__doc__,
)
def strava_reconcile() -> None:
    """Wires the clock to the queue."""

    @task
    def queue_due() -> dict:
        """Queue what is due; returns how many."""
        from dataclasses import asdict

        from include.pipeline.reconcile import queue_due

        with StravaHook().services(priority="RECONCILE") as services:
            return asdict(queue_due(services))

    queue_due()


strava_reconcile()
