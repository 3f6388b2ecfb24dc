"""Two parents on one outing make one activity in the child's account."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest

from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.state.copies.ledger import CopyState
from include.state.links import CopyOptions, Link
from include.strava.models import Upload, UploadId

pytestmark = pytest.mark.network

ANN, REX, BEN = 71, 72, 73
WHOLE = CopyOptions(trim_m=0)
"""The simulator, as Strava, knows a duplicate by its start, which trimming would move."""


@pytest.fixture
def parents(world):
    """Ann and Ben, each with a link to Rex."""
    for athlete_id in (REX, BEN):
        world.connect(athlete_id)
    for parent_id in (ANN, BEN):
        world.services.state.links.save(
            Link(parent_id, REX, ("Rex",), WHOLE, parent_consent_epoch_s=1, child_consent_epoch_s=1)
        )
    return world


def recorded(world, parent_id, *, minutes_later=0):
    """The parent's own recording of the outing, synced."""
    start_at = (
        datetime.fromtimestamp(world.clock.now_epoch_s, UTC) - timedelta(hours=2) + timedelta(minutes=minutes_later)
    )
    activity_id = world.control.generate_activity(
        parent_id, "run", start_at=start_at, seed=parent_id, points=1200, name="With Rex"
    )
    sync(world.services, SyncItem(parent_id, activity_id, int(world.clock.now_epoch_s)), source="webhook")
    return activity_id


def die(*_) -> NoReturn:
    raise KeyboardInterrupt


def state(world, activity_id):
    return world.services.state.copies.get(activity_id, REX).state


def test_second_parents_recording_is_skipped_when_the_first_ones_was_copied(parents):
    ann, ben = recorded(parents, ANN), recorded(parents, BEN, minutes_later=3)
    copy_to_children(parents.services, ANN, ann)

    [result] = copy_to_children(parents.services, BEN, ben)

    assert (state(parents, ann), result.state) == (CopyState.DONE, CopyState.SKIPPED)
    assert result.reason == "Another recording of the same outing was copied to this child."
    assert len(parents.control.activity_ids(REX)) == 1


def test_outings_one_after_the_other_are_two_copies(parents):
    ann, ben = recorded(parents, ANN), recorded(parents, BEN, minutes_later=30)

    for parent_id, activity_id in ((ANN, ann), (BEN, ben)):
        copy_to_children(parents.services, parent_id, activity_id)

    assert (state(parents, ann), state(parents, ben)) == (CopyState.DONE, CopyState.DONE)


def test_one_is_sent_when_two_workers_make_both_at_once(parents, monkeypatch):
    ann, ben = recorded(parents, ANN), recorded(parents, BEN, minutes_later=3)
    send, nested = parents.services.strava.client.create_upload, []

    def meanwhile(*arguments):
        if not nested:
            nested.append(copy_to_children(parents.services, BEN, ben)[0])
        return send(*arguments)

    monkeypatch.setattr(parents.services.strava.client, "create_upload", meanwhile)
    copy_to_children(parents.services, ANN, ann)

    assert (state(parents, ann), nested[0].state) == (CopyState.DONE, CopyState.PLANNED)
    assert "is being copied" in nested[0].reason
    assert len(parents.control.activity_ids(REX)) == 1


@pytest.mark.parametrize(
    ("error", "ends_as"),
    [
        pytest.param("The file is empty.", CopyState.DONE, id="refused"),
        pytest.param(None, CopyState.SKIPPED, id="made"),
    ],
)
def test_recording_that_waits_for_another_is_made_only_when_that_is_refused(parents, monkeypatch, error, ends_as):
    ann, ben = recorded(parents, ANN), recorded(parents, BEN, minutes_later=3)
    send = parents.services.strava.client.create_upload

    def answer(child_id, file, before_sending):
        monkeypatch.undo()
        if error is None:
            upload = send(child_id, file, before_sending)
        else:
            before_sending()
            upload = Upload(UploadId(0), "There was an error processing your activity.", error, None)
        copy_to_children(parents.services, BEN, ben)
        return upload

    monkeypatch.setattr(parents.services.strava.client, "create_upload", answer)
    copy_to_children(parents.services, ANN, ann)
    assert state(parents, ben) is CopyState.PLANNED

    parents.clock.advance(60)
    copy_to_children(parents.services, BEN, ben)

    assert state(parents, ben) is ends_as
    assert len(parents.control.activity_ids(REX)) == 1


def test_recording_that_waits_is_due_at_once_when_the_one_ahead_comes_to_nothing(parents, monkeypatch):
    ann, ben = recorded(parents, ANN), recorded(parents, BEN, minutes_later=3)
    poll = parents.services.strava.client.upload

    def still(child_id, upload_id):
        return replace(poll(child_id, upload_id), status="Being processed", error=None, activity_id=None)

    monkeypatch.setattr(parents.services.strava.client, "upload", still)
    copy_to_children(parents.services, ANN, ann)
    for hours in (1, 4, 12):  # Ben's tries come ever more rarely
        copy_to_children(parents.services, BEN, ben)
        parents.clock.advance(hours * 3600)
    copy_to_children(parents.services, BEN, ben)
    assert parents.services.state.copies.get(ben, REX).next_try_epoch_s > parents.clock.now_epoch_s + 6 * 3600

    def refused(child_id, upload_id):
        return replace(still(child_id, upload_id), error="The file is malformed.")

    monkeypatch.setattr(parents.services.strava.client, "upload", refused)
    copy_to_children(parents.services, ANN, ann)

    assert state(parents, ann) is CopyState.FAILED
    assert [due.parent_activity_id for due in parents.services.state.copies.due(parents.clock.now_epoch_s)] == [ben]


@pytest.mark.parametrize(
    ("holds", "sends"), [pytest.param(False, True, id="left alone"), pytest.param(True, False, id="in hand")]
)
def test_recording_that_nobody_comes_to_keeps_no_other_waiting(parents, monkeypatch, holds, sends):
    ann, ben = recorded(parents, ANN), recorded(parents, BEN, minutes_later=3)
    with monkeypatch.context() as patched:
        patched.setattr(parents.services.strava.client, "create_upload", die)
        with pytest.raises(KeyboardInterrupt):  # after its time was claimed; then Strava refuses Ann's tokens
            copy_to_children(parents.services, ANN, ann)
    copy_to_children(parents.services, BEN, ben)
    assert state(parents, ben) is CopyState.PLANNED

    parents.clock.advance(86_400 + 60)
    if holds:
        parents.services.state.copies.acquire(ann, REX)
    copy_to_children(parents.services, BEN, ben)
    assert state(parents, ben) is (CopyState.DONE if sends else CopyState.PLANNED)

    if not holds:
        copy_to_children(parents.services, ANN, ann)
        assert state(parents, ann) is CopyState.SKIPPED
        assert len(parents.control.activity_ids(REX)) == 1


def test_strava_s_duplicate_of_another_copy_is_no_copy_of_this_activity(parents, monkeypatch):
    ann, ben = recorded(parents, ANN), recorded(parents, BEN)
    copy_to_children(parents.services, ANN, ann)
    monkeypatch.setattr(parents.services.state.copies, "claim_time", lambda *_: None)  # made before times were claimed

    [result] = copy_to_children(parents.services, BEN, ben)

    assert (result.state, "duplicate of" in result.reason) == (CopyState.FAILED, True)
    assert result.child_activity_id is None
