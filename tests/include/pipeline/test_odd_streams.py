"""What an odd answer about the streams leaves in the lake and in the child's copy."""

from __future__ import annotations

import json

import pytest

from include.pipeline.copies import copy_to_children
from include.pipeline.sync import sync
from include.state.links import Carried, Link
from local.strava_simulator.script import Line

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72
TIMES = list(range(30))
PLACES = [[52 + at * 1e-4, 13.4] for at in TIMES]


def channels(**more):
    return {name: {"data": data} for name, data in ({"time": TIMES, "latlng": PLACES} | more).items()}


ODD = [
    pytest.param(channels() | {"heartrate": None}, id="null channel"),
    pytest.param(channels() | {"watts": {"data": None}}, id="null samples"),
    pytest.param(channels() | {"message": "partial"}, id="a word among them"),
    pytest.param([{"type": name, **stream} for name, stream in channels().items()], id="array form"),
    pytest.param(channels(heartrate=["90"] * 30), id="numbers as text"),
    pytest.param(channels(heartrate=[True] * 30), id="flags for numbers"),
    pytest.param(channels(heartrate=[[1]] * 30), id="lists for numbers"),
    pytest.param(channels(heartrate=[999_999] * 30), id="beyond every heart"),
    pytest.param(channels(latlng=[*PLACES[:29], "here"]), id="a word for a place"),
    pytest.param(channels(moving=[1, 0] * 15), id="numbers for flags"),
    pytest.param(channels(heartrate=[90] * 35), id="one channel longer"),
]


@pytest.mark.parametrize("body", ODD)
def test_activity_is_in_lake_and_copy_when_its_streams_are_odd(world, body):
    world.connect(CHILD_ID)
    link = Link(PARENT_ID, CHILD_ID, ("Rex",), Carried(trim_m=0), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    world.services.links.save(link)
    activity_id = world.finish("run", name="Run with Rex")
    world.control.write_script(Line(route="GET /activities/*/streams", body=json.dumps(body)))

    sync(world.services, world.item(activity_id), source="webhook")
    [copy] = copy_to_children(world.services, PARENT_ID, activity_id)

    assert world.sql("SELECT count(lat) AS n FROM streams").to_pylist()[0]["n"] >= 29
    assert world.sql("SELECT count(heartrate_bpm) AS n FROM streams WHERE heartrate_bpm = 1").to_pylist() == [{"n": 0}]
    assert copy.state == "done"
