"""Recorded answers of either form become one layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.strava_simulator.recordings import conversion
from local.strava_simulator.recordings.conversion import Recording, RecordingsBroken, convert, keyed


def test_keyed_answers_the_same_for_both_forms() -> None:
    array = [{"type": "time", "data": [0, 1], "resolution": "high"}, {"type": "watts", "data": [None, 3]}]
    by_type = {"time": {"data": [0, 1], "resolution": "high"}, "watts": {"data": [None, 3]}}
    assert keyed(array) == by_type
    assert keyed(by_type) == by_type
    assert keyed([]) == {}


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param(None, id="null"),
        pytest.param("x", id="text"),
        pytest.param([{"data": []}], id="no-type"),
        pytest.param([1], id="numbers"),
    ],
)
def test_keyed_refuses_other_forms(streams: object) -> None:
    with pytest.raises(ValueError, match="neither keyed nor an array"):
        keyed(streams)


def test_convert_unwraps_answers_and_takes_bare_bodies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        conversion, "RECORDINGS", (Recording("ride", "a.json", "s.json"), Recording("swim", "b.json", None))
    )
    (tmp_path / "a.json").write_text(json.dumps({"request": {}, "response": {"body": {"id": 1, "name": "Übung"}}}))
    (tmp_path / "s.json").write_text(json.dumps({"response": {"body": [{"type": "time", "data": [0]}]}}))
    (tmp_path / "b.json").write_text(json.dumps({"id": 2}))
    assert convert(tmp_path, tmp_path / "out") == ["ride", "swim"]
    assert json.loads((tmp_path / "out/ride/activity.json").read_text(encoding="utf-8")) == {"id": 1, "name": "Übung"}
    assert json.loads((tmp_path / "out/ride/streams.json").read_text()) == {"time": {"data": [0]}}
    assert json.loads((tmp_path / "out/swim/streams.json").read_text()) is None


def test_convert_writes_nothing_when_one_recording_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "RECORDINGS", (Recording("good", "a.json", None), Recording("bad", "b.json", None)))
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(RecordingsBroken, match="bad: ") as broken:
        convert(tmp_path, tmp_path / "out")
    assert "good" not in str(broken.value).split("\n", 1)[1]
    assert not (tmp_path / "out").exists()
