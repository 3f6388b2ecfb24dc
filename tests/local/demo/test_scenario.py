"""What the demo plays."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from include.copying.matching import match
from include.errors import BadRequest
from local.demo.scenario import CHILD_NAME, invented, recorded
from local.strava_simulator.recordings.generator import Kind, generate

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)


def titles(scenario):
    return {activity.activity_id: activity.detail["name"] for activity in scenario.fresh}


def test_invented_scenario_shows_every_kind_and_the_extremes():
    scenario = invented(NOW, seed=1)
    lengths = [len((activity.streams or {}).get("time", {}).get("data", [])) for activity in scenario.history]
    assert {1, 20_000} <= set(lengths)
    assert len(scenario.fresh) == len(Kind)
    assert scenario.first_day < scenario.last_day < "2026-06-17"


def test_exactly_one_title_names_the_child_at_once_and_one_later():
    scenario = invented(NOW, seed=1)
    named = [activity_id for activity_id, title in titles(scenario).items() if match(title, [CHILD_NAME])]
    assert named == [scenario.named_at_once_id]
    assert scenario.renamed_later_id != scenario.named_at_once_id
    assert match(scenario.new_title, [CHILD_NAME]) == CHILD_NAME


def write(directory, number, kind):
    activity = generate(kind, seed=number, activity_id=number, athlete_id=1, start_at=NOW, points=20)
    folder = directory / f"activity-{number}"
    folder.mkdir()
    (folder / "activity.json").write_text(json.dumps(activity.detail))
    (folder / "streams.json").write_text(json.dumps(activity.streams))


def test_recorded_scenario_plays_every_recording_once(tmp_path):
    for number, kind in enumerate((Kind.RUN, Kind.RIDE, Kind.SWIM, Kind.TREADMILL, Kind.RUN), start=1):
        write(tmp_path, number, kind)
    scenario = recorded(tmp_path)
    played = [activity.activity_id for activity in (*scenario.history, *scenario.fresh)]
    assert sorted(played) == [1, 2, 3, 4, 5]
    assert scenario.history


def test_too_few_recordings_are_refused_with_what_is_needed(tmp_path):
    write(tmp_path, 1, Kind.SWIM)
    with pytest.raises(BadRequest, match="two or more"):
        recorded(tmp_path)
