"""A directory of recordings is loaded whole or refused with the names of what is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.strava_simulator.recordings import directory as recordings
from local.strava_simulator.recordings.directory import RecordingsBroken, load_directory
from local.strava_simulator.world.activity import SimulatedActivity

OLD: dict[str, Any] = {
    "id": 103,
    "resource_state": 2,
    "athlete": {"id": 227615, "firstname": "John"},
    "type": "Ride",
    "private": True,
    "upload_id": 112859609,
    "elapsed_time": 60,
    "start_date": "2010-08-15T18:04:29Z",
    "start_date_local": "2010-08-15T11:04:29Z",
    "start_latlng": None,
    "laps": [{"id": 1, "athlete": {"id": 227615}}],
}
STREAMS = {"time": {"data": [0, 60]}, "heartrate": {"data": [None, 120]}, "watts": {"data": [None, 120]}}


def record(path: Path, name: str, detail: object, streams: object = None) -> None:
    (path / name).mkdir()
    (path / name / "activity.json").write_text(json.dumps(detail))
    (path / name / "streams.json").write_text(json.dumps(streams))


def test_load_directory_gives_the_activities_to_the_athlete(tmp_path: Path) -> None:
    record(tmp_path, "old", OLD, STREAMS)
    [activity] = load_directory(tmp_path, athlete_id=7)
    assert activity.athlete_id == 7
    assert activity.detail["athlete"] == {"id": 7, "resource_state": 1}
    assert activity.detail["laps"][0]["athlete"]["id"] == 7
    assert "John" not in json.dumps(activity.detail)
    assert activity.streams == STREAMS


def test_load_directory_completes_what_old_answers_lack(tmp_path: Path) -> None:
    record(tmp_path, "old", OLD, STREAMS)
    detail = load_directory(tmp_path, athlete_id=7)[0].detail
    assert detail["resource_state"] == 3
    assert detail["sport_type"] == "Ride"
    assert detail["visibility"] == "only_me"
    assert detail["utc_offset"] == -25200.0
    assert detail["upload_id_str"] == "112859609"
    assert detail["moving_time"] == 60
    assert detail["has_heartrate"] is True
    assert detail["device_watts"] is True
    assert detail["map"] == {"id": "a103", "polyline": "", "resource_state": 3, "summary_polyline": ""}
    assert detail["external_id"] is None


def test_load_directory_touches_no_present_field_but_the_athlete(tmp_path: Path) -> None:
    present = OLD | {
        "resource_state": 3,
        "sport_type": "GravelRide",
        "visibility": "followers_only",
        "private": False,
        "has_heartrate": False,
        "moving_time": 3,
        "utc_offset": 1.0,
        "upload_id_str": "other",
        "map": {"id": "x", "polyline": None},
        "unheard_of": [1],
    }
    record(tmp_path, "old", present, STREAMS)
    detail = load_directory(tmp_path, athlete_id=7)[0].detail
    for name in set(present) - {"athlete", "laps", "map"}:
        assert detail[name] == present[name], name
    assert detail["map"] == {"id": "x", "polyline": None, "resource_state": 3, "summary_polyline": ""}


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        pytest.param({"utc_offset": 7200.0}, "start_date_local", "2020-06-01T15:03:45Z", id="wall-clock-from-offset"),
        pytest.param({}, "start_date_local", "2020-06-01T13:03:45Z", id="wall-clock-unknown"),
        pytest.param({"start_date_local": "2020-06-01T15:03:45Z"}, "utc_offset", 7200.0, id="offset-from-wall-clock"),
        pytest.param({"visibility": "only_me"}, "private", True, id="private-from-visibility"),
        pytest.param({}, "visibility", "everyone", id="visible-by-default"),
        pytest.param({"sport_type": "TrailRun"}, "type", "Run", id="type-from-sport-type"),
        pytest.param({}, "sport_type", "Workout", id="sport-unknown"),
    ],
)
def test_load_directory_derives_a_missing_field(
    given: dict[str, Any], field: str, expected: object, tmp_path: Path
) -> None:
    record(tmp_path, "one", {"id": 1, "start_date": "2020-06-01T13:03:45Z"} | given)
    assert load_directory(tmp_path, athlete_id=7)[0].detail[field] == expected


def test_load_directory_sorts_by_start_in_any_time_zone(tmp_path: Path) -> None:
    record(tmp_path, "a", {"id": 1, "start_date": "2020-06-01T15:00:00Z"})
    record(tmp_path, "b", {"id": 2, "start_date": "2020-06-01T15:00:00+02:00"})
    record(tmp_path, "c", {"id": 3, "start_date": "2019-06-01T15:00:00"})
    assert [activity.activity_id for activity in load_directory(tmp_path, athlete_id=7)] == [3, 2, 1]


def test_load_directory_leaves_other_files_and_hidden_directories_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Rides")
    (tmp_path / ".git").mkdir()
    assert load_directory(tmp_path, athlete_id=7) == []


def test_load_directory_shares_nothing_between_activities(tmp_path: Path) -> None:
    for number in (1, 2):
        record(tmp_path, str(number), {"id": number, "start_date": "2020-06-01T15:00:00Z"})
    first, second = load_directory(tmp_path, athlete_id=7)
    assert first.detail["start_latlng"] is not second.detail["start_latlng"]


@pytest.mark.parametrize(
    ("detail", "streams", "reason"),
    [
        pytest.param("[]", "null", "not an object", id="detail-is-list"),
        pytest.param("{", "null", "activity.json is not JSON", id="detail-is-broken"),
        pytest.param('{"id": "1", "start_date": "2020-06-01T15:00:00Z"}', "null", "id is '1'", id="id-is-text"),
        pytest.param('{"id": true, "start_date": "2020-06-01T15:00:00Z"}', "null", "id is True", id="id-is-bool"),
        pytest.param('{"id": 1}', "null", "start_date is missing", id="no-start"),
        pytest.param('{"id": 1, "start_date": "soon"}', "null", "soon", id="start-is-text"),
        pytest.param('{"id": 1, "start_date": "2020-06-01", "laps": [1]}', "null", "mapping", id="laps-of-numbers"),
        pytest.param('{"id": 1, "start_date": "2020-06-01"}', "[]", "neither", id="streams-are-list"),
        pytest.param('{"id": 1, "start_date": "2020-06-01"}', '{"time": [0]}', "time has no data", id="no-data"),
        pytest.param(
            '{"id": 1, "start_date": "2020-06-01"}', "\xff", "streams.json is not JSON", id="streams-are-broken"
        ),
    ],
)
def test_load_directory_refuses_a_broken_recording_by_name(
    detail: str, streams: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "evening-ride").mkdir()
    (tmp_path / "evening-ride" / "activity.json").write_text(detail, encoding="latin-1")
    (tmp_path / "evening-ride" / "streams.json").write_text(streams, encoding="latin-1")
    with pytest.raises(RecordingsBroken, match=f"evening-ride: .*{reason}"):
        load_directory(tmp_path, athlete_id=7)


def test_load_directory_names_all_broken_recordings_at_once(tmp_path: Path) -> None:
    record(tmp_path, "good", OLD)
    record(tmp_path, "no-id", {})
    record(tmp_path, "twin", OLD)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordingsBroken) as broken:
        load_directory(tmp_path, athlete_id=7)
    assert [line.split(":")[0] for line in str(broken.value).splitlines()[1:]] == ["empty", "no-id", "twin"]
    assert "activity 103 is in good too" in str(broken.value)


def test_load_directory_refuses_a_path_that_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(RecordingsBroken, match="not a directory"):
        load_directory(tmp_path / "missing", athlete_id=7)


def test_command_converts_recorded_answers_into_a_directory_that_loads(recorded: Path, tmp_path: Path) -> None:
    import typer

    command = typer.Typer()
    command.command()(recordings.main)
    for _ in range(2):
        outcome = CliRunner().invoke(command, [str(recorded), str(tmp_path / "out")])
        assert outcome.exit_code == 0, outcome.output
    activities = {activity.activity_id: activity for activity in load_directory(tmp_path / "out", athlete_id=7)}

    def converted(path: str) -> SimulatedActivity:
        answer = json.loads((recorded / path).read_text())
        return activities[(answer["response"]["body"] if "response" in answer else answer)["id"]]

    assert len(activities) == 6
    [watts] = [
        stream
        for stream in json.loads((recorded / "sweatpy/activity_streams_array.json").read_text())["response"]["body"]
        if stream.pop("type") == "watts"
    ]
    assert (converted("sweatpy/activity.json").streams or {})["watts"] == watts
    assert set(converted("dblock-strava-ruby-client/client/activity.json").streams or {}) == {"distance"}
    assert (converted("strava-go.strava/activity_get.json").streams or {})["time"]["data"][1] is None
    assert converted("dblock-strava-ruby-client/models/detailed_activities/swim.json").streams is None
    assert converted("stravalib/activity-manual.3.json").detail["sport_type"] == "Hike"


def test_command_says_what_is_missing_and_writes_nothing(tmp_path: Path) -> None:
    import typer

    command = typer.Typer()
    command.command()(recordings.main)
    outcome = CliRunner().invoke(command, [str(tmp_path), str(tmp_path / "out")])
    assert outcome.exit_code == 1
    assert "sweatpy-ride-2020" in outcome.output
    assert not (tmp_path / "out").exists()
