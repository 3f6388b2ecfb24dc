"""The lists of an athlete's activities, page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.errors import (
    UnexpectedShape,
)
from include.strava.client import StravaClient, Unreadable

pytestmark = pytest.mark.network


def summary(activity_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": activity_id,
        "athlete": {"id": 7},
        "name": "Morning Run",
        "sport_type": "Run",
        "start_date": "2025-10-18T06:00:00Z",
        "resource_state": 2,
    } | changes


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([], id="none"),
        pytest.param([1], id="one"),
        pytest.param([200], id="exactly full"),
        pytest.param([200, 1], id="full and one"),
        pytest.param([200, 199, 200, 3], id="a short page in between"),
    ],
)
def test_activities_lists_every_activity_until_an_empty_page(
    strava: Any, reply: Any, client: StravaClient, gate: Any, sizes: list[int]
) -> None:
    ids = iter(range(1, 10_000))
    pages = [[summary(next(ids)) for _ in range(size)] for size in sizes]
    strava.will(*(reply(body=page) for page in [*pages, []]))

    listed = list(client.activities(7, after_epoch_s=0, before_epoch_s=99))

    assert [[activity.activity_id for activity in page] for page in listed] == [
        [entry["id"] for entry in page] for page in pages
    ]
    assert [request.query for request in strava.received] == [
        {"after": "0", "before": "99", "per_page": "200", "page": str(page)} for page in range(1, len(sizes) + 2)
    ]
    assert len(gate.reserved) == len(sizes) + 1


def test_activities_fetches_a_page_only_when_it_is_asked_for(strava: Any, reply: Any, client: StravaClient) -> None:
    strava.will(reply(body=[summary(1)]))

    next(client.activities(7))

    assert [request.query for request in strava.received] == [{"per_page": "200", "page": "1"}]


def test_activities_drops_what_an_earlier_page_had(strava: Any, reply: Any, client: StravaClient) -> None:
    strava.will(reply(body=[summary(2), summary(1)]), reply(body=[summary(1), summary(9)]), reply(body=[]))

    assert [[activity.activity_id for activity in page] for page in client.activities(7)] == [[2, 1], [9]]


def test_activities_stops_when_a_page_only_repeats(strava: Any, reply: Any, client: StravaClient) -> None:
    strava.will(reply(body=[summary(1)]))

    with pytest.raises(UnexpectedShape, match="page 2"):
        list(client.activities(7))
    assert len(strava.received) == 2


BROKEN_ROWS = [
    pytest.param(summary(2, start_date="yesterday"), 2, id="a date that is none"),
    pytest.param(summary(2, athlete=None), 2, id="no athlete"),
    pytest.param({"id": True}, None, id="an id that is none"),
    pytest.param({}, None, id="nothing in it"),
    pytest.param(None, None, id="null"),
    pytest.param("2", None, id="text"),
    pytest.param([2], None, id="a list"),
]


@pytest.mark.parametrize(("row", "activity_id"), BROKEN_ROWS)
def test_activities_reports_a_row_that_cannot_be_read_and_yields_the_others(
    strava: Any, reply: Any, client: StravaClient, row: Any, activity_id: int | None
) -> None:
    strava.will(reply(body=[summary(1), row, summary(3)]), reply(body=[]))
    reported: list[Unreadable] = []

    pages = list(client.activities(7, unreadable=reported.append))
    assert [[activity.activity_id for activity in page] for page in pages] == [[1, 3]]
    assert [(broken.athlete_id, broken.activity_id) for broken in reported] == [(7, activity_id)]
    assert reported[0].reason


def test_activities_goes_on_after_a_page_without_one_readable_row(
    strava: Any, reply: Any, client: StravaClient
) -> None:
    strava.will(reply(body=[summary(1, athlete=None)]), reply(body=[summary(2)]), reply(body=[]))

    pages = list(client.activities(7, unreadable=lambda _: None))

    assert [[activity.activity_id for activity in page] for page in pages] == [[], [2]]


@pytest.mark.parametrize(("row", "activity_id"), BROKEN_ROWS)
def test_activities_refuses_a_row_that_cannot_be_read_where_nobody_wants_to_know(
    strava: Any, reply: Any, client: StravaClient, row: Any, activity_id: int | None
) -> None:
    strava.will(reply(body=[summary(1), row]), reply(body=[]))

    with pytest.raises(UnexpectedShape, match="athlete 7"):
        list(client.activities(7))


def test_activities_reads_the_recorded_pages(
    strava: Any, reply: Any, client: StravaClient, recording: Callable[[str], Any]
) -> None:
    pages = ["all_athlete_activities.01", "all_athlete_activities.02", "all_athlete_activities.39"]
    bodies = [recording(f"dblock-strava-ruby-client/client/{page}.json")["response"]["body"] for page in pages]
    strava.will(*(reply(body=body) for body in bodies))

    assert [len(page) for page in client.activities(7)] == [30, 30]
