"""Details of uploads and other activities that no generator made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from local.strava_simulator.recordings.details import describe, legacy_type
from local.strava_simulator.recordings.facts import Facts


def facts(**given: Any) -> Facts:
    defaults: dict[str, Any] = {
        "activity_id": 9,
        "athlete_id": 4,
        "name": "Upload",
        "sport_type": "Run",
        "start_at": datetime(2026, 7, 3, 6, 30, tzinfo=UTC),
        "distance_m": 2500.0,
        "elapsed_s": 900,
        "moving_s": 900,
    }
    return Facts(**(defaults | given))


def streams(**channels: list[Any]) -> dict[str, dict[str, Any]]:
    return {name: {"data": data} for name, data in channels.items()}


def steady_run() -> dict[str, dict[str, Any]]:
    seconds = list(range(901))
    return streams(
        time=seconds,
        distance=[round(second * 2500 / 900, 1) for second in seconds],
        heartrate=[140] * 901,
        moving=[False] + [True] * 900,
    )


def test_splits_cut_by_kilometre_with_a_shorter_rest() -> None:
    splits = describe(facts(), steady_run())["splits_metric"]
    assert [split["split"] for split in splits] == [1, 2, 3]
    assert [split["distance"] for split in splits] == pytest.approx([1000, 1000, 500], abs=3)
    assert sum(split["elapsed_time"] for split in splits) == 900
    assert splits[0]["average_heartrate"] == 140


def test_laps_start_where_the_one_before_ended() -> None:
    laps = describe(facts(lap_m=1000.0), steady_run())["laps"]
    assert [lap["start_date"] for lap in laps] == [
        "2026-07-03T06:30:00Z",
        "2026-07-03T06:36:00Z",
        "2026-07-03T06:42:00Z",
    ]
    assert len({lap["id"] for lap in laps}) == 3


def test_laps_are_one_when_the_device_cuts_none() -> None:
    laps = describe(facts(), steady_run())["laps"]
    assert [(lap["start_index"], lap["end_index"], lap["elapsed_time"]) for lap in laps] == [(0, 900, 900)]


def test_distance_that_starts_beyond_a_lap_makes_no_empty_lap() -> None:
    laps = describe(facts(lap_m=1000.0), streams(time=[0, 1, 2], distance=[5000.0, 5003.0, 5006.0]))["laps"]
    assert [lap["distance"] for lap in laps] == [6.0]


def test_streams_without_distance_have_one_lap_and_no_split() -> None:
    detail = describe(facts(lap_m=1000.0, distance_m=0.0), streams(time=[0, 10], heartrate=[90, None]))
    assert len(detail["laps"]) == 1
    assert detail["splits_metric"] == []
    assert detail["average_heartrate"] == 90.0


def test_heart_rate_stream_without_any_value_is_no_heart_rate() -> None:
    detail = describe(facts(), streams(time=[0, 1], heartrate=[None, None]))
    assert detail["has_heartrate"] is False
    assert "average_heartrate" not in detail
    assert "heartrate" not in detail["available_zones"]


def test_start_and_end_are_the_first_and_last_known_positions() -> None:
    detail = describe(facts(), streams(time=[0, 1, 2, 3], latlng=[None, [1.0, 2.0], [3.0, 4.0], None]))
    assert (detail["start_latlng"], detail["end_latlng"]) == ([1.0, 2.0], [3.0, 4.0])


def test_weighted_watts_exceed_the_average_when_the_effort_varies() -> None:
    watts = [100] * 300 + [300] * 300
    detail = describe(facts(), streams(time=list(range(600)), watts=watts))
    assert detail["average_watts"] == 200.0
    assert 240 <= detail["weighted_average_watts"] <= 260


def test_weighted_watts_equal_the_average_when_the_effort_is_steady() -> None:
    assert describe(facts(), streams(time=[0, 1], watts=[150, 150]))["weighted_average_watts"] == 150


@pytest.mark.parametrize(
    ("sport_type", "legacy"),
    [
        pytest.param("TrailRun", "Run", id="trail-run"),
        pytest.param("GravelRide", "Ride", id="gravel"),
        pytest.param("EMountainBikeRide", "EBikeRide", id="e-mountain-bike"),
        pytest.param("Swim", "Swim", id="same"),
        pytest.param("Quidditch", "Quidditch", id="unknown"),
    ],
)
def test_legacy_type_is_the_older_word_for_newer_sports(sport_type: str, legacy: str) -> None:
    assert legacy_type(sport_type) == legacy
