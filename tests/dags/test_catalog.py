"""What `strava_catalog` does on AWS, where there is a crawler, and on one machine, where there is none."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from unittest.mock import create_autospec

import pytest

DAG_FILE = Path(__file__).parents[2] / "dags" / "strava_catalog.py"


@pytest.fixture
def parsed(dag_bag, monkeypatch):
    """Parses the DAG's file under another `CATALOG_URL`."""

    def parse(catalog_url):
        monkeypatch.setenv("CATALOG_URL", catalog_url)
        spec = importlib.util.spec_from_file_location("strava_catalog_elsewhere", DAG_FILE)
        module = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the provider's own deprecations are not ours to fix
            spec.loader.exec_module(module)
            return module.strava_catalog()

    return parse


@pytest.mark.parametrize(
    "url", [pytest.param("duckdb:///var/lib/strava/catalog.duckdb", id="duckdb"), pytest.param("", id="unset")]
)
def test_partitions_are_all_there_is_to_do_on_one_machine(parsed, url):
    assert [task.task_id for task in parsed(url).tasks] == ["register_partitions"]


def test_crawler_runs_after_the_partitions_and_holds_no_worker(parsed):
    from airflow.providers.amazon.aws.hooks.glue_crawler import GlueCrawlerHook
    from airflow.sdk.exceptions import TaskDeferred

    task = parsed("glue://strava_dev/strava-dev-lake").get_task("run_crawler")
    assert task.upstream_task_ids == {"register_partitions"}
    assert type(task.retry_policy).__name__ == "StravaRetryPolicy"
    assert task.execution_timeout is not None

    hook = create_autospec(GlueCrawlerHook, instance=True)
    task.__dict__["hook"] = hook
    with pytest.raises(TaskDeferred) as deferred:
        task.execute({})
    hook.start_crawler.assert_called_once_with("strava-dev-lake")
    assert type(deferred.value.trigger).__name__ == "GlueCrawlerCompleteTrigger"
    hook.wait_for_crawler_completion.assert_not_called()


def test_crawl_that_somebody_started_is_as_good(parsed):
    from airflow.providers.amazon.aws.hooks.glue_crawler import GlueCrawlerHook
    from airflow.sdk.exceptions import TaskDeferred
    from botocore.exceptions import ClientError

    task = parsed("glue://strava_dev/strava-dev-lake").get_task("run_crawler")
    hook = create_autospec(GlueCrawlerHook, instance=True)
    hook.start_crawler.side_effect = ClientError({"Error": {"Code": "CrawlerRunningException"}}, "StartCrawler")
    task.__dict__["hook"] = hook

    with pytest.raises(TaskDeferred):
        task.execute({})
