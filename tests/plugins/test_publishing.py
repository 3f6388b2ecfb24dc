"""What a run tells the catalogue."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

SYNC = "sync_activities"
COPY = "copy_to_children"


class TaskInstance:
    """Answers what the mapped task left behind, as Airflow does: a list, with None for a skipped one."""

    def __init__(self, results, copies=()):
        self.results = results
        self.copies = copies

    def xcom_pull(self, *, task_ids):
        return {SYNC: self.results, COPY: self.copies}[task_ids[0]]


@pytest.fixture
def lake_event():
    return SimpleNamespace(extra={})


@pytest.fixture
def publish(lake_event):
    from strava_airflow.defaults import LAKE
    from strava_airflow.publishing import publish

    return lambda results: publish(TaskInstance(results), {LAKE: lake_event}, task_id=SYNC)


def result(*partitions):
    return {"activity_id": 1, "partitions": [list(partition) for partition in partitions]}


def test_every_partition_is_named_once_and_in_order(publish, lake_event):
    results = [
        result(("streams", 7, 2026), ("activities", 7, 2026)),
        None,
        result(("streams", 7, 2025), ("streams", 7, 2026)),
    ]

    assert publish(results) == [results[0], results[2]]
    assert lake_event.extra == {
        "partitions": [["activities", 7, 2026], ["streams", 7, 2025], ["streams", 7, 2026]],
    }


@pytest.mark.parametrize(
    "results",
    [
        pytest.param([], id="no task ran"),
        pytest.param([None, None], id="all were skipped"),
        pytest.param([result(), result()], id="nothing changed"),
    ],
)
def test_no_event_is_raised_when_nothing_changed(publish, lake_event, results):
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException, match="No row of the lake changed"):
        publish(results)
    assert lake_event.extra == {}


def test_other_tasks_partitions_are_named_too(lake_event):
    from strava_airflow.defaults import LAKE
    from strava_airflow.publishing import publish

    copies = [[result(("copies", None, 2026)), result(("copies", None, 2025))], None]
    ti = TaskInstance([result(("streams", 7, 2026))], copies)

    assert publish(ti, {LAKE: lake_event}, task_id=SYNC, also=[COPY]) == ti.results
    assert lake_event.extra == {"partitions": [["copies", None, 2025], ["copies", None, 2026], ["streams", 7, 2026]]}
