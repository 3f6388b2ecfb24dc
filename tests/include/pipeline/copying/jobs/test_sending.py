"""What a job checks, stores and sends when it makes a copy."""

from __future__ import annotations

import gzip
from dataclasses import replace

import gpxpy
import pytest

from include.lake.keys import gpx_key, tcx_key
from include.pipeline.copying import copy_job
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import CopyState
from include.state.erasures.ledger import EraseReason
from include.state.links import CopyOptions
from include.strava.models import Upload, UploadId
from tests.include.pipeline.copying.jobs.family import (
    ACTIVITY_ID,
    EVERYTHING,
    MADE_ID,
    PARENT_ID,
    READY,
    REX,
    STREAMS,
    UPLOAD_ID,
    recorded,
)

FULL_TRACKS = "activity:read_all"


def test_file_is_described_in_the_row_before_it_is_sent_and_the_upload_after_it(family):
    planned, rows = family.plan(), []

    def look(_child_id, _file, before_sending):
        rows.append(replace(family.copy(), version=0))
        before_sending()
        rows.append(replace(family.copy(), version=0))
        return Upload(UploadId(UPLOAD_ID), "Your activity is still being processed.", None, None)

    family.strava.create_upload.side_effect = look
    job = family.job()
    assert not job.is_fresh
    job.proceed()

    sent = replace(
        planned,
        version=0,
        updated_at_epoch_s=family.now_epoch_s,
        state=CopyState.UPLOADING,
        attempts=1,
        file_format="gpx",
        points=4,
        carried=("heartrate", "power", "temperature"),
        trim_m=0,
        track_hidden=False,
        next_try_epoch_s=family.now_epoch_s + 60,
    )
    assert rows == [replace(planned, version=0), sent]
    assert replace(family.copy(), version=0) == replace(
        sent, state=CopyState.PROCESSING, upload_id=UPLOAD_ID, waiting_since_epoch_s=family.now_epoch_s
    )
    assert (job.is_fresh, job.is_lost, job.fault) == (True, False, None)


def test_file_is_stored_as_it_is_sent_and_holds_the_original_s_points(family):
    job = family.proceed()

    [(child_id, file, _)] = [call.args for call in family.strava.create_upload.call_args_list]
    assert (child_id, file.external_id, file.name) == (REX, job.copy.external_id, "Run with Rex")
    [key] = family.services.lake.objects.list("gpx/")
    assert key == gpx_key(PARENT_ID, ACTIVITY_ID, REX)
    body = family.services.lake.objects.get(key).body
    assert body == file.content
    [track] = gpxpy.parse(gzip.decompress(body).decode()).tracks
    assert [(point.latitude, point.longitude) for point in track.segments[0].points] == [
        tuple(position) for position in STREAMS["latlng"]
    ]


def test_file_without_positions_is_stored_and_described_as_tcx(family, monkeypatch):
    monkeypatch.delitem(STREAMS, "latlng")
    family.store(recorded())

    assert family.proceed().copy.file_format == "tcx"
    assert list(family.services.lake.objects.list("gpx/")) == [tcx_key(PARENT_ID, ACTIVITY_ID, REX)]


def test_file_that_an_earlier_try_stored_is_replaced(family):
    key = gpx_key(PARENT_ID, ACTIVITY_ID, REX)
    family.services.lake.objects.put(key, b"an earlier title", expected=copy_job.Condition.ANYTHING)

    assert family.proceed().fault is None
    assert family.services.lake.objects.get(key).body != b"an earlier title"


def test_row_says_which_values_the_link_let_into_the_file(family):
    link = family.services.state.links.get(PARENT_ID, REX)
    family.services.state.links.save(replace(link, options=CopyOptions(trim_m=0, power=False, heartrate=False)))

    assert family.proceed().copy.carried == ("temperature",)


def test_title_names_the_parent_where_the_link_says_so(family):
    link = family.services.state.links.get(PARENT_ID, REX)
    family.services.state.links.save(replace(link, options=CopyOptions(trim_m=0, title="{title} ({parent})")))

    family.proceed()

    assert family.strava.create_upload.call_args.args[1].name == "Run with Rex (Ann)"


def test_upload_that_is_ready_at_once_is_a_made_copy(family):
    family.strava.create_upload.side_effect = lambda _child_id, _file, before_sending: (before_sending(), READY)[1]

    job = family.proceed()

    assert (job.copy.state, job.copy.child_activity_id, job.is_fresh) == (CopyState.DONE, MADE_ID, False)


# --- the grant under which the track was fetched ---------------------------------------------------


@pytest.mark.parametrize(
    ("older_by_s", "trim_m"),
    [
        pytest.param(-60, 0, id="fetched after the grant"),
        pytest.param(0, 0, id="in the second of the grant"),
        pytest.param(2, 0, id="as far before as the time of a grant may be off"),
        pytest.param(3, 200, id="before the grant"),
    ],
)
def test_default_radius_is_hidden_where_the_track_may_be_of_an_older_wider_grant(family, older_by_s, trim_m):
    link = family.services.state.links.get(PARENT_ID, REX)
    family.services.state.links.save(replace(link, options=CopyOptions()))
    family.connect_narrower(PARENT_ID, EVERYTHING - {FULL_TRACKS})
    granted_at = family.services.state.athletes.get(PARENT_ID).authorised_at_epoch_s
    family.enter(ACTIVITY_ID, ActivityState.SYNCED, fetched_at_epoch_s=granted_at - older_by_s)

    assert family.proceed().copy.trim_m == trim_m


@pytest.mark.parametrize("fetched_at", [None, "unknown"])
def test_default_radius_is_hidden_where_nobody_knows_when_the_track_was_fetched(family, fetched_at):
    link = family.services.state.links.get(PARENT_ID, REX)
    family.services.state.links.save(replace(link, options=CopyOptions()))
    family.connect_narrower(PARENT_ID, EVERYTHING - {FULL_TRACKS})
    if fetched_at is None:
        family.enter(ACTIVITY_ID, ActivityState.SYNCED, fetched_at_epoch_s=None)
    else:
        family.services.state.activities.forget(PARENT_ID, ACTIVITY_ID)

    assert family.proceed().copy.trim_m == 200


# --- at the last moment ----------------------------------------------------------------------------


def changed_at_the_last_moment(family, change):
    """One job for which this happens between the file and its sending."""

    def changing(_child_id, _file, before_sending):
        change()
        before_sending()
        pytest.fail("the file was sent")

    family.strava.create_upload.side_effect = changing
    return family.proceed()


@pytest.mark.parametrize("athlete_id", [PARENT_ID, REX])
def test_nothing_is_sent_for_an_athlete_who_asks_to_be_erased_while_the_file_is_made(family, athlete_id):
    erasures = family.services.state.erasures
    job = changed_at_the_last_moment(family, lambda: erasures.ask_now(athlete_id, EraseReason.ATHLETE))

    assert (job.fault, job.copy.next_try_epoch_s) == (None, family.now_epoch_s + 60), "reconcile continues"
    assert (job.copy.state, job.copy.attempts) == (CopyState.PLANNED, 0)


def test_nothing_is_sent_over_a_link_that_changes_while_the_file_is_made(family):
    links = family.services.state.links
    job = changed_at_the_last_moment(
        family, lambda: links.save(replace(links.get(PARENT_ID, REX), options=CopyOptions(trim_m=500)))
    )

    assert str(job.fault) == (
        "The link of athletes 71 and 72, or the parent's grant, changed while the file was being made: nothing was"
        " sent. Run this again."
    )
    assert (job.copy.state, job.copy.attempts) == (CopyState.PLANNED, 0)


def test_nothing_is_sent_when_the_grant_changes_what_is_hidden_while_the_file_is_made(family):
    link = family.services.state.links.get(PARENT_ID, REX)
    family.services.state.links.save(replace(link, options=CopyOptions()))
    family.connect_narrower(PARENT_ID, EVERYTHING - {FULL_TRACKS})

    job = changed_at_the_last_moment(family, lambda: family.connect(PARENT_ID))

    assert "the parent's grant, changed while the file was being made: nothing was sent" in str(job.fault)
    assert (job.copy.state, job.copy.attempts) == (CopyState.PLANNED, 0)
