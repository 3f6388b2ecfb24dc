"""What an odd answer about the streams leaves in the lake and in the child's copy."""

from __future__ import annotations

import json
import math

import pytest

from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync
from include.state.links import CopyOptions, Link
from local.strava_simulator.api.script import Line

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72
TIMES = list(range(30))
PLACES = [[52 + at * 1e-4, 13.4] for at in TIMES]


def channels(**more):
    return {name: {"data": data} for name, data in ({"time": TIMES, "latlng": PLACES} | more).items()}


WHOLE = [
    pytest.param(channels() | {"heartrate": None}, id="null channel"),
    pytest.param(channels() | {"watts": {"data": None}}, id="null samples"),
    pytest.param(channels() | {"message": "partial"}, id="a word among them"),
    pytest.param([{"type": name, **stream} for name, stream in channels().items()], id="array form"),
    pytest.param(channels(temp=[None] * 30), id="nothing but nulls"),
    pytest.param(channels(heartrate=["90"] * 30), id="numbers as text"),
    pytest.param(channels(heartrate=[True] * 30), id="flags for numbers"),
    pytest.param(channels(heartrate=[[1]] * 30), id="lists for numbers"),
    pytest.param(channels(heartrate=[999_999] * 30), id="beyond every heart"),
    pytest.param(channels(cadence=[-5] * 30), id="below nothing"),
    pytest.param(channels(altitude=[math.nan] * 30), id="no number"),
    pytest.param(channels(altitude=[10**400] * 30), id="beyond every number"),
    pytest.param(channels(moving=[1, 0] * 15), id="numbers for flags"),
    pytest.param(channels(heartrate=[90] * 35), id="one channel longer"),
    pytest.param(channels(time=[5 + at for at in TIMES]), id="begins late"),
]
"""The track is as it was recorded."""

PARTLY = [
    pytest.param(channels(latlng=[*PLACES[:29], "here"]), (29, 29, "gpx"), id="a word for a place"),
    pytest.param(channels(latlng=PLACES[:20]), (20, 20, "gpx"), id="places end early"),
    pytest.param(channels(latlng=[[0, 0]] * 5 + PLACES[5:]), (25, 25, "gpx"), id="no fix at first"),
    pytest.param(channels(latlng=[[0.0, 0.0]] * 5 + PLACES[5:]), (25, 25, "gpx"), id="no fix at first, as fractions"),
    pytest.param(channels(latlng=[1.0] * 30), (0, 30, "tcx"), id="numbers for places"),
    pytest.param(channels(latlng=[[95, 200]] * 30), (0, 30, "tcx"), id="places on no earth"),
    pytest.param(channels(time=[0, 0, *TIMES[2:]]), (30, 29, "gpx"), id="a second twice"),
    pytest.param(channels(time=[str(at) for at in TIMES]), (30, None, ""), id="times as text"),
    pytest.param(channels(time=[10**12 + at for at in TIMES]), (30, None, ""), id="times beyond every life"),
    pytest.param(channels(time=TIMES[::-1]), (30, None, ""), id="times that fall"),
    pytest.param({"distance": {"data": TIMES}, "latlng": {"data": PLACES}}, (30, None, ""), id="no times"),
]
"""With the places in the lake, the points in the copy, and its format; None where there can be none."""


@pytest.fixture
def family(world):
    """Rex connected and linked, his copies whole."""
    world.connect(CHILD_ID)
    link = Link(PARENT_ID, CHILD_ID, ("Rex",), CopyOptions(trim_m=0), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    world.services.state.links.save(link)
    return world


def looked_at(world, activity_id, body=None):
    """The copy after a look at which the streams are answered so."""
    if body is None:
        world.control.write_script()
    else:
        world.control.write_script(Line(route="GET /activities/*/streams", body=json.dumps(body)))
    sync(world.services, world.item(activity_id), source="webhook")
    copy_to_children(world.services, PARENT_ID, activity_id)
    return world.services.state.copies.get(activity_id, CHILD_ID)


def counted(world, column):
    """How many samples of the lake have a value there."""
    samples = world.sql("SELECT * FROM streams").column(column)
    return len(samples) - samples.null_count


@pytest.mark.parametrize("body", WHOLE)
def test_track_is_whole_in_lake_and_copy_when_another_channel_is_odd(family, body):
    copy = looked_at(family, family.finish("run", name="Run with Rex"), body)

    assert (counted(family, "lat"), copy.state, copy.points, copy.file_format) == (30, "done", 30, "gpx")
    assert 1 not in family.sql("SELECT heartrate_bpm FROM streams").column(0).to_pylist()
    theirs = family.control.activity(copy.child_activity_id)["streams"]
    assert not {"altitude", "cadence", "temp"} & set(theirs)
    assert set(theirs.get("heartrate", {"data": [90]})["data"]) == {90}


@pytest.mark.parametrize(("body", "kept"), PARTLY)
def test_odd_place_or_time_costs_itself_in_lake_and_copy_alike(family, body, kept):
    copy = looked_at(family, family.finish("run", name="Run with Rex"), body)

    assert (counted(family, "lat"), copy.points, copy.file_format) == kept
    assert (copy.state, bool(copy.reason)) == (("skipped", True) if kept[1] is None else ("done", False))


def test_answer_without_a_sample_is_no_recording_yet(family):
    activity_id = family.finish("run", name="Run with Rex")

    copy = looked_at(family, activity_id, {"time": {"data": []}})

    assert (copy.state, copy.reason) == ("skipped", "Strava has no recorded points for this activity.")
    entry = family.services.state.activities.get(PARENT_ID, activity_id)
    assert (entry.state, entry.next_try_epoch_s) == ("no_streams", int(family.clock.now_epoch_s) + 900)


def test_odd_recording_is_fetched_again_at_the_next_look_and_a_sound_one_is_not(family):
    activity_id = family.finish("run", name="Run with Rex")
    looked_at(family, activity_id, channels(time=[str(at) for at in TIMES]))

    family.clock.advance(1000)
    copy = looked_at(family, activity_id)
    family.clock.advance(1000)
    looked_at(family, activity_id)

    assert (counted(family, "time_s"), copy.state, copy.points) == (60, "done", 60)
    asked = {route: count for route, count in family.calls().items() if route.endswith("/streams")}
    assert sum(asked.values()) == 2
