"""# Strava catalogue

Makes changed partitions visible to analysts.

**Starts**: whenever partitions of the lake wait to be registered (asset `strava_lake`); `strava_reconcile` starts it
when one has waited for a quarter of an hour. One run at a time: a thousand syncs cause one run. An operator may start
it by hand, on AWS with a form that runs the crawler at once.

**Reads**: all rows of `partitions`, whichever events started the run; the keys in the lake.
**Writes**: the catalogue: views over the lake on one machine, Glue partitions on AWS. Empty partitions are removed from
it. On AWS, Glue's crawler then searches for partitions that no run has registered, at most once in `CRAWL_EVERY_H`
hours and at once when a table has changed; analysts need not wait for it.

**Kind**: now. Registering a partition again changes nothing.

**Limits**: no Strava calls. One crawl costs at least $0.15.

**If it fails**: rows of new athletes and new years stay invisible to SQL until it succeeds; no row is lost.

**Owner**: data-engineering.
"""

from __future__ import annotations

import os
from datetime import timedelta
from urllib.parse import urlsplit

import pendulum
from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook

_CATALOG_URL = urlsplit(os.environ.get("CATALOG_URL", ""))
CRAWLER = _CATALOG_URL.path.strip("/") if _CATALOG_URL.scheme == "glue" else ""
"""The crawler that `CATALOG_URL` names, `glue://database/crawler`; empty on one machine."""

CRAWL = Param(
    default=False,
    type="boolean",
    title="Crawl",
    description_md="Run Glue's crawler now, even if it ran a short time ago.",
)


@task
def register_partitions() -> dict:
    """Make the catalogue agree with the lake for every waiting partition; returns the counts."""
    from include.pipeline.catalog import register_waiting

    with StravaHook().services() as services:
        return register_waiting(services).to_json()


@task
def take_crawl(params: dict) -> None:
    """Record a crawl, or skip the following tasks where none is due."""
    from include.pipeline.catalog import is_crawl_due

    hook = StravaHook()
    with hook.services() as services:
        if not is_crawl_due(services, hook.settings(), is_asked_for=params["crawl"]):
            raise AirflowSkipException("The crawler ran a short time ago, for the same tables.")


@dag(
    dag_id="strava_catalog",
    schedule=[LAKE],
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={"crawl": CRAWL} if CRAWLER else {},
    dagrun_timeout=timedelta(hours=1),
    is_paused_upon_creation=False,
    tags=[Tag.TIER_2, Tag.NOW],
    doc_md=__doc__,
)
def strava_catalog() -> None:
    """Wires the lake's asset events to the catalogue."""
    registered = register_partitions()
    if CRAWLER:
        # Imported only where there is a crawler: the provider is slow to load, and one machine does not need it.
        from airflow.providers.amazon.aws.operators.glue_crawler import GlueCrawlerRunOperator

        run_crawler = GlueCrawlerRunOperator(
            task_id="run_crawler",
            crawler_name=CRAWLER,
            aws_conn_id=None,  # the role of the worker
            deferrable=True,
            poll_interval=30,
            # A crawl that somebody else started is enough: changed partitions are already registered.
            fail_on_already_running=False,
        )
        registered >> take_crawl() >> run_crawler


strava_catalog()
