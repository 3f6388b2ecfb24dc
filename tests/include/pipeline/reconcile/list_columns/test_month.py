"""A month of edits, by the lists alone."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest

from include.lake.rows.activities import answered_cells
from include.lake.rows.list_update import row_from_list
from include.pipeline.reconcile.due import list_athletes
from include.strava.models import Activity
from tests.include.pipeline.reconcile.list_columns.lists import FREE, row, synced, worked

pytestmark = pytest.mark.network
HOUR_S, DAY_S = 3600, 86_400


STORED = {
    **dict.fromkeys(("description", "gear_id", "max_watts", "extra_json", "device_name", "calories_kcal")),
    "kudos_count": 3,
    "hide_from_home": True,
    "name": "Run",
}


def list_row(**fields):
    answer = {"id": 1, "athlete": {"id": 7}, "start_date": "2026-06-01T08:00:00Z", "resource_state": 2}
    return Activity.parse(answer | fields)


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        pytest.param({}, None, id="nothing shown"),
        pytest.param({"kudos_count": 3}, None, id="the same"),
        pytest.param({"kudos_count": 4}, {"kudos_count": 4}, id="another value"),
        pytest.param({"kudos_count": None}, {"kudos_count": None}, id="no value any more"),
        pytest.param({"name": "Walk"}, None, id="what a look fetches"),
        pytest.param({"brand_new": 1}, None, id="what has no column"),
        pytest.param({"kudos_count": "4"}, {"kudos_count": None, "extra_json": '{"kudos_count":"4"}'}, id="odd value"),
    ],
)
def test_row_follows_the_fields_that_the_list_has(fields, changes):
    after = row_from_list(STORED, list_row(**fields), 1000.0)
    if changes is None:
        assert after is None
    else:
        told = {"source": "reconcile", "updated_at": datetime.fromtimestamp(1000, UTC)}
        assert {name: value for name, value in after.items() if value != STORED.get(name)} == changes | told


def test_odd_value_leaves_extra_json_when_a_right_one_comes():
    stored = {**STORED, "kudos_count": None, "extra_json": json.dumps({"kudos_count": "4", "other": 1})}
    after = row_from_list(stored, list_row(kudos_count=5), 1000.0)
    assert (after["kudos_count"], after["extra_json"]) == (5, '{"other":1}')


EDITS = {
    **FREE,
    "name": ("name", "Another title"),
    "sport_type": ("sport_type", "Walk"),
    "visibility": ("visibility", "followers_only"),
    "altitude": ("elev_high_m", None),
    "distance": ("distance_m", None),
    "crop": ("elapsed_s", None),
}


CALL_EACH = ("name", "sport_type", "visibility")


def edit(world, activity_id, field):
    """One edit that no event tells of."""
    if field == "crop":
        world.control.crop(activity_id, first=5)
    elif field in ("altitude", "distance"):
        world.control.correct(activity_id, **{field: 1.5})
    else:
        world.control.change_silently(activity_id, **{field: EDITS[field][1]})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_month_of_lists_brings_every_edit_at_the_calls_of_what_has_to_be_fetched(world):
    chance, kinds, ids = Random(5), ("run", "ride", "trail_run", "virtual_ride"), []
    for number in range(300):
        ids.append(synced(world, kind=kinds[number % 4], hours_ago=2 + number, points=20))
        world.clock.advance(HOUR_S if number % 20 == 19 else 0)  # the quota's next window
    fields = [list(EDITS)[number % len(EDITS)] for number in range(300)]
    days = [chance.randrange(28) for _ in ids]
    before, detail_calls = world.calls(), 0
    for day in range(30):
        for activity_id, field, at in zip(ids, fields, days, strict=True):
            if at == day:
                edit(world, activity_id, field)
                detail_calls += {"crop": 2, "altitude": 2, "distance": 2}.get(field, field in CALL_EACH)
        for _ in range(4):
            world.clock.advance(DAY_S / 4)
            list_athletes(world.services, world.settings)
            worked(world)
    made = {route: count - before.get(route, 0) for route, count in world.calls().items() if route.startswith("GET")}
    assert made.pop("GET /api/v3/athlete/activities") <= 30 * 4 * 2
    assert compared_with_strava(world, ids) == {}
    assert sum(made.values()) == detail_calls == 153


def compared_with_strava(world, ids):
    """For each column that does not hold what Strava holds, how many activities' does not."""
    wrong = Counter()
    for activity_id in ids:
        truth = answered_cells(Activity.parse(world.control.activity(activity_id)["detail"]))
        stored = row(world, activity_id)
        for column, value in truth.items():
            if column not in ("start_ts_local", "extra_json") and stored[column] != value:
                wrong[column] += 1
    return dict(wrong)
