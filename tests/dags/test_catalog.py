"""What `strava_catalog` does on AWS, where there is a crawler, and on one machine, where there is none."""

from __future__ import annotations

import importlib.util
import warnings
from contextlib import contextmanager, nullcontext
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
    assert task.upstream_task_ids == {"take_crawl"}
    assert task.dag.get_task("take_crawl").upstream_task_ids == {"register_partitions"}
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


@pytest.mark.parametrize("is_due", [pytest.param(True, id="due"), pytest.param(False, id="not due")])
def test_crawl_is_skipped_exactly_where_it_is_not_due(parsed, monkeypatch, is_due):
    from airflow.sdk.exceptions import AirflowSkipException

    from include.pipeline import catalog
    from strava_airflow.hook import StravaHook

    asked = []

    @contextmanager
    def no_services(self, priority="LIVE"):
        yield None

    def is_crawl_due(services, settings, *, is_asked_for):
        asked.append((settings, is_asked_for))
        return is_due

    monkeypatch.setattr(StravaHook, "services", no_services)
    monkeypatch.setattr(StravaHook, "settings", lambda self: "settings")
    monkeypatch.setattr(catalog, "is_crawl_due", is_crawl_due)
    take_crawl = parsed("glue://strava_dev/strava-dev-lake").get_task("take_crawl").python_callable
    with nullcontext() if is_due else pytest.raises(AirflowSkipException, match="a short time ago"):
        take_crawl({"crawl": True})
    assert asked == [("settings", True)]


def test_form_asks_for_a_crawl_only_where_there_is_a_crawler(parsed):
    assert dict(parsed("glue://strava_dev/strava-dev-lake").params) == {"crawl": False}
    assert dict(parsed("duckdb:///var/lib/strava/catalog.duckdb").params) == {}
