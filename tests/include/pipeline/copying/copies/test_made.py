"""Copies reach the named child exactly once, or say why not."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import gpxpy
import pytest

from include.errors import CipherError, OutcomeUnknown, RetryLater
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync
from include.state.copies.ledger import CopyState
from include.state.links import CopyOptions, Link
from local.strava_simulator.api.faults import Faults
from tests.include.pipeline.copying.copies.named import CHILD_ID, OTHER_CHILD_ID, PARENT_ID, made, named, reason

pytestmark = pytest.mark.network

READ_ONLY = ("read", "activity:read")


def linked(world, child_id=CHILD_ID, names=("Rex",), **changes):
    whole = CopyOptions(trim_m=0)
    world.services.state.links.save(
        Link(PARENT_ID, child_id, names, whole, parent_consent_epoch_s=1, child_consent_epoch_s=1, **changes)
    )


def test_named_child_gets_the_track_with_every_point(family):
    activity_id = named(family, points=90)
    assert made(family, activity_id) == [(CHILD_ID, "done")]
    copy = family.services.state.copies.get(activity_id, CHILD_ID)
    theirs = family.control.activity(copy.child_activity_id)
    mine = family.control.activity(activity_id)
    assert theirs["streams"]["latlng"]["data"] == mine["streams"]["latlng"]["data"]
    assert theirs["streams"]["heartrate"]["data"] == mine["streams"]["heartrate"]["data"]
    assert theirs["detail"]["name"] == "Morning run with Rex"
    assert theirs["detail"]["sport_type"] == "Run"


def test_uploaded_file_is_kept_and_goes_with_the_activity(family):
    activity_id = named(family)
    made(family, activity_id)
    [key] = family.services.lake.objects.list("gpx/")
    document = gzip.decompress(family.services.lake.objects.get(key).body).decode()
    assert len(gpxpy.parse(document).tracks[0].segments[0].points) == 60
    family.control.delete_activity(activity_id)
    sync(family.services, family.item(activity_id), source="webhook")
    assert list(family.services.lake.objects.list("gpx/")) == []


def test_planned_copy_is_left_alone_for_a_minute_while_its_run_may_make_it(family, monkeypatch):
    monkeypatch.setattr(family.services.state.copies, "acquire", lambda *_: None)
    activity_id = named(family)
    assert made(family, activity_id) == [(CHILD_ID, "planned")]
    assert list(family.services.state.copies.due(family.clock.now_epoch_s + 59)) == []
    [due] = family.services.state.copies.due(family.clock.now_epoch_s + 60)
    assert due.parent_activity_id == activity_id


def test_title_without_the_name_makes_no_copy(family):
    assert made(family, named(family, title="Annual 10k")) == []
    assert family.control.activity_ids(CHILD_ID) == []


def test_later_rename_makes_the_copy(family):
    activity_id = named(family, title="Morning Run")
    assert made(family, activity_id) == []
    family.control.rename(activity_id, "Morning run, #rex was fast")
    sync(family.services, family.item(activity_id), source="webhook")
    assert made(family, activity_id) == [(CHILD_ID, "done")]


def test_copying_again_costs_no_call_and_makes_no_second_activity(family):
    activity_id = named(family)
    made(family, activity_id)
    calls = family.calls()
    assert made(family, activity_id) == [(CHILD_ID, "done")]
    assert family.calls() == calls
    assert len(family.control.activity_ids(CHILD_ID)) == 1


def test_indoor_activity_is_copied_without_positions(family):
    activity_id = named(family, title="Trainer with Rex", kind="indoor_ride", points=80)
    assert made(family, activity_id) == [(CHILD_ID, "done")]
    copy = family.services.state.copies.get(activity_id, CHILD_ID)
    theirs = family.control.activity(copy.child_activity_id)["streams"]
    assert "latlng" not in theirs
    assert theirs["watts"]["data"] == family.control.activity(activity_id)["streams"]["watts"]["data"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        pytest.param("swim", "entered by hand", id="manual"),
        pytest.param("treadmill", "no recorded points", id="no streams"),
    ],
)
def test_activity_without_recording_is_skipped_with_a_reason(family, kind, why):
    activity_id = named(family, title="With Rex", kind=kind)
    assert made(family, activity_id) == [(CHILD_ID, "skipped")]
    assert why in reason(family, activity_id)


def test_upload_of_unknown_outcome_is_found_in_the_childs_list(family, monkeypatch):
    activity_id = named(family)
    send = family.services.strava.client.create_upload

    def break_off(*arguments):
        send(*arguments)
        family.clock.advance(10)
        raise OutcomeUnknown("the answer was lost")

    with monkeypatch.context() as patched:
        patched.setattr(family.services.strava.client, "create_upload", break_off)
        with pytest.raises(OutcomeUnknown):
            copy_to_children(family.services, PARENT_ID, activity_id)
    assert family.services.state.copies.get(activity_id, CHILD_ID).state is CopyState.UPLOADING
    assert made(family, activity_id) == [(CHILD_ID, "done")]
    assert len(family.control.activity_ids(CHILD_ID)) == 1


def test_recording_that_the_child_has_already_counts_as_success(family):
    activity_id = named(family)
    start_at = datetime.fromtimestamp(family.clock.now_epoch_s, UTC) - timedelta(hours=1)
    own_id = family.control.generate_activity(CHILD_ID, "run", start_at=start_at, seed=9, points=60)

    assert made(family, activity_id) == [(CHILD_ID, "duplicate")]
    assert family.services.state.copies.get(activity_id, CHILD_ID).child_activity_id == own_id
    assert family.control.activity_ids(CHILD_ID) == [own_id]


def test_one_childs_refusal_leaves_the_others_copy_alone(family):
    family.connect(OTHER_CHILD_ID, READ_ONLY)
    linked(family, OTHER_CHILD_ID, ("Mia",))
    activity_id = named(family, title="Mia and Rex at the lake")
    assert made(family, activity_id) == [(CHILD_ID, "done"), (OTHER_CHILD_ID, "waiting_for_access")]
    assert "child's account lacks a permission" in reason(family, activity_id, OTHER_CHILD_ID)


def test_one_childs_broken_tokens_leave_the_others_copy_alone(family, monkeypatch):
    family.connect(OTHER_CHILD_ID)
    linked(family, OTHER_CHILD_ID, ("Mia",))
    activity_id = named(family, title="Mia and Rex at the lake")
    upload = family.services.strava.client.create_upload

    def broken(athlete_id, *arguments):
        if athlete_id == CHILD_ID:
            raise CipherError("the tokens of athlete 72 do not open")
        return upload(athlete_id, *arguments)

    monkeypatch.setattr(family.services.strava.client, "create_upload", broken)
    with pytest.raises(CipherError):
        copy_to_children(family.services, PARENT_ID, activity_id)
    assert family.services.state.copies.get(activity_id, OTHER_CHILD_ID).state == "done"


def test_copy_of_a_copy_is_never_made(family):
    family.services.state.links.save(
        Link(CHILD_ID, PARENT_ID, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    )
    activity_id = named(family)
    made(family, activity_id)
    copied_id = family.services.state.copies.get(activity_id, CHILD_ID).child_activity_id
    item = family.item(copied_id)
    sync(family.services, type(item)(CHILD_ID, copied_id, item.event_at_epoch_s), source="webhook")
    results = copy_to_children(family.services, CHILD_ID, copied_id)
    assert [(result.state, "itself a copy" in result.reason) for result in results] == [("skipped", True)]


def test_outage_is_tried_again_and_ends_in_one_copy(family):
    activity_id = named(family)
    family.control.switch_faults(family.client_id, Faults(error_rate=1.0))
    with pytest.raises(RetryLater):
        copy_to_children(family.services, PARENT_ID, activity_id)
    family.control.switch_faults(family.client_id, Faults())
    assert made(family, activity_id)[0][1] in ("done", "duplicate")
    assert len(family.control.activity_ids(CHILD_ID)) == 1


def test_slow_processing_is_left_to_reconcile_and_resumed_by_its_upload_id(family, monkeypatch):
    activity_id = named(family)
    monkeypatch.setattr("include.pipeline.copying.copies.poll_delays_s", lambda: (0.5,))
    assert made(family, activity_id) == [(CHILD_ID, "processing")]
    assert (
        family.services.state.copies.get(activity_id, CHILD_ID).next_try_epoch_s == int(family.clock.now_epoch_s) + 900
    )
    assert made(family, activity_id) == [(CHILD_ID, "processing")], "it is not looked at before its time"
    family.clock.advance(900)
    assert made(family, activity_id) == [(CHILD_ID, "done")]
    uploads = [count for route, count in family.calls().items() if route.startswith("POST") and "uploads" in route]
    assert uploads == [1]
    assert [route for route in family.calls() if "athlete/activities" in route] == [], "nothing is left to look for"
