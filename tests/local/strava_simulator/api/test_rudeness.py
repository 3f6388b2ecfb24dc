"""What Strava is known to do that a polite stand-in would not."""

from __future__ import annotations

from typing import Any

import pytest

SEEN = "read,activity:read"


def starts(world: Any, headers: dict[str, str], **query: Any) -> list[str]:
    return [row["start_date"][:10] for row in world.get("athlete/activities", headers, **query).get_json()]


def test_list_after_a_time_comes_oldest_first_and_the_newest_first_with_both_bounds(world: Any) -> None:
    ann = world.athlete()
    for day in (1, 2, 3):
        world.finish(ann, at=f"2026-05-0{day}T08:00:00Z")
    headers = world.bearer(ann)

    assert starts(world, headers, after=1) == ["2026-05-01", "2026-05-02", "2026-05-03"]
    assert starts(world, headers, after=1, per_page=2, page=2) == ["2026-05-03"]
    assert starts(world, headers) == ["2026-05-03", "2026-05-02", "2026-05-01"]
    assert starts(world, headers, after=1, before=2_000_000_000) == ["2026-05-03", "2026-05-02", "2026-05-01"]


def test_list_is_refused_when_it_asks_for_the_future(world: Any) -> None:
    headers = world.bearer(world.athlete())

    assert world.get("athlete/activities", headers, after=int(world.clock.now_epoch_s)).status_code == 200
    assert world.get("athlete/activities", headers, after=int(world.clock.now_epoch_s) + 1).status_code == 400


@pytest.mark.parametrize("path", ["athlete", "athlete/activities", "push_subscriptions", "uploads/5", "activities/5"])
def test_base_of_2027_answers_as_the_old_one(world: Any, path: str) -> None:
    headers = world.bearer(world.athlete())

    old, new = (world.client.get(f"{base}/{path}", headers=headers) for base in ("/api/v3", ""))

    assert (new.status_code, new.get_json()) == (old.status_code, old.get_json())
    assert ("X-RateLimit-Usage" in new.headers) == ("X-RateLimit-Usage" in old.headers)


@pytest.mark.parametrize("path", ["/api/v4/athlete", "/v3/athlete", "/athletes"])
def test_wrong_base_answers_that_there_is_no_such_path(world: Any, path: str) -> None:
    answer = world.client.get(path)

    assert answer.status_code == 404
    assert answer.get_json()["errors"] == [{"resource": "resource", "field": "path", "code": "invalid"}]


def test_hidden_start_reads_one_second_past_midnight_everywhere(world: Any) -> None:
    ann = world.athlete()
    activity_id = world.finish(ann, at="2026-05-02T08:30:00Z")
    assert world.control("POST", f"activities/{activity_id}/hide-start").status_code == 204
    headers = world.bearer(ann)

    detail = world.get(f"activities/{activity_id}", headers).get_json()
    listed = world.get("athlete/activities", headers).get_json()[0]

    for shown in (detail, listed):
        assert (shown["start_date"], shown["start_date_local"]) == ("2026-05-02T00:00:01Z",) * 2
        assert not [name for name in shown if "hidden" in name]


@pytest.fixture
def zoned(world: Any) -> tuple[int, int]:
    """An athlete with a zone around the first of five points, and the activity."""
    ann = world.athlete()
    points = [[52.5, 13.4 + 0.001 * step] for step in range(5)]
    streams = {
        kind: {"data": data, "series_type": "distance", "original_size": 5, "resolution": "high"}
        for kind, data in {"time": [0, 1, 2, 3, 4], "distance": [0.0, 68, 136, 204, 272], "latlng": points}.items()
    }
    body = {"detail": {"name": "Run", "start_date": "2026-05-02T08:00:00Z", "sport_type": "Run"}, "streams": streams}
    activity_id = world.control("POST", f"athletes/{ann}/activities", **body).get_json()["activity_id"]
    assert world.control("PUT", f"athletes/{ann}/zone", lat=52.5, lng=13.4, radius_m=100).status_code == 204
    return ann, activity_id


@pytest.mark.parametrize(("scopes", "times"), [(SEEN, [2, 3, 4]), (f"{SEEN},activity:read_all", [0, 1, 2, 3, 4])])
def test_zone_is_cut_off_for_tokens_that_may_not_see_all(
    world: Any, zoned: tuple[int, int], scopes: str, times: list[int]
) -> None:
    ann, activity_id = zoned
    headers = world.bearer(ann, scopes)

    streams = world.get(f"activities/{activity_id}/streams", headers, keys="time,latlng", key_by_type="true").get_json()

    assert streams["time"]["data"] == times
    assert len(streams["latlng"]["data"]) == len(times)


def test_zone_hides_the_start_in_detail_and_list(world: Any, zoned: tuple[int, int]) -> None:
    ann, activity_id = zoned
    headers = world.bearer(ann, SEEN)

    detail = world.get(f"activities/{activity_id}", headers).get_json()
    listed = world.get("athlete/activities", headers).get_json()[0]

    assert detail["start_latlng"] == listed["start_latlng"] == pytest.approx([52.5, 13.402])


def test_zone_is_refused_when_it_is_no_circle(world: Any) -> None:
    assert world.control("PUT", f"athletes/{world.athlete()}/zone", lat="x", lng=1, radius_m=1).status_code == 400
