"""# Strava catalogue

Makes the partitions that changed visible to analysts.

**Starts**: whenever rows of the lake changed (asset `strava_lake`). One run at a time: a thousand syncs, one run.

**Reads**: the asset events since its last run, each naming the partitions that changed.
**Writes**: the catalogue: views over the lake on one machine, Glue partitions on AWS, where Glue's crawler then looks
for what no run has registered; analysts need not wait for it.

**Kind**: now. Registering a partition again changes nothing.

**Limits**: no Strava calls.

**If it fails**: new athletes' and new years' rows stay invisible to SQL until it succeeds; no row is lost.

**Owner**: data-engineering.
"""

from __future__ import annotations

import os
from datetime import timedelta
from urllib.parse import urlsplit

import pendulum
from airflow.sdk import dag, task

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook

_CATALOG_URL = urlsplit(os.environ.get("CATALOG_URL", ""))
CRAWLER = _CATALOG_URL.path.strip("/") if _CATALOG_URL.scheme == "glue" else ""
"""The crawler that `CATALOG_URL` names, `glue://database/crawler`; empty on one machine."""


@task
def register_partitions(*, triggering_asset_events=None) -> int:
    """Register every partition that an event since the last run names; returns how many."""
    from include.lake.catalog import Partition

    events = [event for group in triggering_asset_events.values() for event in group]
    partitions = {Partition(*partition) for event in events for partition in event.extra.get("partitions", [])}
    with StravaHook().services() as services:
        services.catalog.register(sorted(partitions))
    return len(partitions)


@dag(
    dag_id="strava_catalog",
    schedule=[LAKE],
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(hours=1),
    is_paused_upon_creation=False,
    tags=[Tag.TIER_2, Tag.NOW],
    doc_md=__doc__,
)
def strava_catalog() -> None:
    """Wires the lake's asset events to the catalogue."""
    registered = register_partitions()
    if CRAWLER:
        # Imported where there is a crawler: the provider is slow to load, and one machine has no use for it.
        from airflow.providers.amazon.aws.operators.glue_crawler import GlueCrawlerRunOperator

        registered >> GlueCrawlerRunOperator(
            task_id="run_crawler",
            crawler_name=CRAWLER,
            aws_conn_id=None,  # the role of the worker
            deferrable=True,
            poll_interval=30,
            # One that somebody started is as good: what changed is registered already.
            fail_on_already_running=False,
        )


strava_catalog()
