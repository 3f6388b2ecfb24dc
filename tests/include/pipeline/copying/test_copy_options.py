"""What of an activity leaves the house with its copy, and what never does."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from include.circle import Position, distance_m
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.erasure.personal_records import personal_records
from include.pipeline.ingest.sync import sync
from include.state.accounts.athletes import AthleteStatus
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, ErasureStage
from include.state.links import CopyOptions, Link
from include.store.backend import open_store
from include.store.codec import encode
from include.store.store import Key
from include.strava.client import StravaClient
from include.strava.models import Activity

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72
READ_ONLY = ("read", "activity:read", "activity:write")


@pytest.fixture
def family(world):
    """The child connected and linked as Rex."""
    world.connect(CHILD_ID)
    world.services.state.links.save(
        Link(PARENT_ID, CHILD_ID, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    )
    return world


@pytest.fixture
def store(family):
    """The rows as they are stored."""
    with closing(open_store(family.settings.state_url, family.services.clock)) as store:
        yield store


def copied(world, activity_id):
    """The outcomes of copying an activity just finished."""
    sync(world.services, world.item(activity_id), source="webhook")
    return copy_to_children(world.services, PARENT_ID, activity_id)


def finish(world, hours_ago, **values):
    start = datetime.fromtimestamp(world.clock.now_epoch_s, UTC) - timedelta(hours=hours_ago)
    return world.control.generate_activity(PARENT_ID, "run", start_at=start, name="With Rex", points=1500, **values)


@pytest.mark.parametrize("field", ["start_date", "start_date_local"])
def test_no_copy_is_made_of_activities_with_a_hidden_start_time_and_each_says_why(family, monkeypatch, field):
    detail = StravaClient.activity
    hidden = {field: "2026-06-17T00:00:01Z"}
    monkeypatch.setattr(
        StravaClient, "activity", lambda self, *ids: Activity.parse({**detail(self, *ids).fields, **hidden})
    )

    results = [result for at in (8, 2) for result in copied(family, finish(family, at, seed=at))]

    assert [result.state for result in results] == ["skipped", "skipped"]
    assert all("Strava hides when this activity began" in result.reason for result in results)
    assert family.control.activity_ids(CHILD_ID) == []


@pytest.mark.parametrize(("trainer", "commute"), [(False, False), (True, False), (False, True), (True, True)])
def test_copy_is_on_a_trainer_or_to_work_when_the_original_is(family, monkeypatch, trainer, commute):
    detail = StravaClient.activity
    told = {"trainer": trainer, "commute": commute}
    monkeypatch.setattr(
        StravaClient, "activity", lambda self, *ids: Activity.parse({**detail(self, *ids).fields, **told})
    )

    (result,) = copied(family, finish(family, 2, seed=1))

    theirs = family.control.activity(result.child_activity_id)["detail"]
    assert (theirs["trainer"], theirs["commute"]) == (trainer, commute)


def chooses(store, **stored):
    """Store the link as the page, the command line or an older version did."""
    item = store.get(Key("links", str(PARENT_ID), str(CHILD_ID)))
    store.put(item.key, {**item.fields, "carried": stored}, expected_version=item.version)


def copy_of(world, result, activity_id):
    return world.services.state.copies.get(activity_id, result.child_id)


def nearest_m(world, result, activity_id):
    """How near the copy's points come to the first and the last position of the original."""
    mine = world.control.activity(activity_id)["streams"]["latlng"]["data"]
    theirs = world.control.activity(result.child_activity_id)["streams"]["latlng"]["data"]
    return min(distance_m(Position(*end), Position(*point)) for end in (mine[0], mine[-1]) for point in theirs)


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param({}, id="never asked"),
        pytest.param({"trim_m": 0}, id="filled in by an older form"),
        pytest.param({"heartrate": True, "power": True, "temperature": True, "trim_m": 0}, id="older row"),
    ],
)
def test_front_door_is_not_in_the_copy_when_full_tracks_are_allowed_after_the_link_was_made(family, store, stored):
    family.connect(PARENT_ID, scopes=READ_ONLY)
    chooses(store, **stored)
    family.connect(PARENT_ID)  # and allows full tracks
    activity_id = finish(family, 2, seed=1)
    (result,) = copied(family, activity_id)
    assert nearest_m(family, result, activity_id) > 200
    assert copy_of(family, result, activity_id).trim_m == 200


def test_strava_s_own_cropping_is_all_there_is_while_full_tracks_are_not_allowed(family):
    family.connect(PARENT_ID, scopes=READ_ONLY)
    activity_id = finish(family, 2, seed=1)
    (result,) = copied(family, activity_id)
    assert copy_of(family, result, activity_id).trim_m == 0
    assert family.services.state.places.sealed(PARENT_ID) == []


def test_track_that_was_fetched_in_full_is_trimmed_although_the_grant_was_narrowed_since(family):
    activity_id = finish(family, 2, seed=1)
    sync(family.services, family.item(activity_id), source="webhook")
    family.clock.advance(60)
    family.connect(PARENT_ID, scopes=READ_ONLY)
    (result,) = copy_to_children(family.services, PARENT_ID, activity_id)
    assert nearest_m(family, result, activity_id) > 200


def test_whole_track_is_copied_when_the_parent_chose_so(family, store):
    chooses(store, **encode(CopyOptions(trim_m=0)))
    activity_id = finish(family, 2, seed=1)
    (result,) = copied(family, activity_id)
    assert nearest_m(family, result, activity_id) == 0


def test_copies_of_one_place_are_all_cut_by_the_same_circle(family, store):
    for at in (8, 6, 4):
        copied(family, finish(family, at, seed=3))
    assert len(family.services.state.places.sealed(PARENT_ID)) == 1
    activity_id = finish(family, 2, seed=3)
    before = store.get(Key("places", str(PARENT_ID), "200"))
    copied(family, activity_id)
    assert store.get(before.key) == before


def test_copy_goes_without_positions_and_says_so_when_all_of_them_are_hidden(family, store):
    chooses(store, **encode(CopyOptions(trim_m=2000)))
    start = datetime.fromtimestamp(family.clock.now_epoch_s, UTC) - timedelta(hours=1)
    activity_id = family.control.generate_activity(PARENT_ID, "run", start_at=start, name="With Rex", points=60, seed=1)
    (result,) = copied(family, activity_id)
    copy = copy_of(family, result, activity_id)
    theirs = family.control.activity(result.child_activity_id)
    assert (result.state, copy.file_format, copy.track_hidden) == ("done", "tcx", True)
    assert "latlng" not in theirs["streams"]
    assert "Without its track" in theirs["detail"]["description"]


def test_places_are_erased_with_the_athlete(family):
    copied(family, finish(family, 2, seed=1))
    assert family.services.state.places.sealed(PARENT_ID)
    family.services.state.athletes.mark(PARENT_ID, AthleteStatus.REVOKED)
    now = int(family.clock.now_epoch_s)
    erasure = Erasure(PARENT_ID, ErasureGrounds(EraseReason.OPERATOR, now), now, ErasureStage.UNDER_WAY)
    (trace,) = [trace for trace in personal_records(family.services, erasure, ()) if trace.kind == "places"]
    trace.remove()
    assert family.services.state.places.sealed(PARENT_ID) == []
