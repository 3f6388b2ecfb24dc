"""What was true when work was chosen is looked at again when it is done: others may have worked meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.copying.waking import wake_for_links
from include.linking import consent, links
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync
from include.pipeline.retention.expiry import expire
from include.state.activities.ledger import ActivityState
from include.state.consent.feed import Side
from include.state.copies.ledger import CopyState
from include.state.links import SETTLED_S, Link
from include.strava.quota import Limits

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72
DAY_S = 86_400


def test_retention_leaves_what_was_fetched_after_it_was_chosen(world, monkeypatch):
    activity_id = world.finish(announce=False)
    sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(7 * DAY_S)
    acquire = world.services.state.activities.acquire

    def acquire_after_another_fetch(*ids, **named):
        monkeypatch.undo()
        world.control.crop(activity_id, first=20)  # so that the streams are fetched again too
        sync(world.services, world.item(activity_id), source="webhook")
        return acquire(*ids, **named)

    monkeypatch.setattr(world.services.state.activities, "acquire", acquire_after_another_fetch)
    expired = expire(world.services, PARENT_ID, 7, dry_run=False)

    assert expired.activities == 0
    assert world.services.state.activities.get(PARENT_ID, activity_id).state is ActivityState.SYNCED
    assert world.services.state.activities.acquire(PARENT_ID, activity_id) is not None, "it is free for the next run"
    assert world.sql("SELECT count(*) AS n FROM activities").to_pylist() == [{"n": 1}]


def test_sync_takes_the_rows_of_its_first_round_away_when_a_crop_moves_the_activity_to_the_next_month(
    world, monkeypatch
):
    start_at = datetime(2026, 5, 31, 23, 59, 50, tzinfo=UTC)
    activity_id = world.control.generate_activity(PARENT_ID, "run", start_at=start_at, seed=7, points=60)
    write, asked = world.services.lake.tables.write, []

    def crop_after_the_first_write(rows, **named):
        written = write(rows, **named)
        if not asked:
            world.control.crop(activity_id, first=20)
            asked.append(world.services.state.activities.acquire(PARENT_ID, activity_id))
        return written

    monkeypatch.setattr(world.services.lake.tables, "write", crop_after_the_first_write)
    sync(world.services, world.item(activity_id), source="webhook")

    assert asked == [None], "the lease is held, so that this only asks for another round"
    points = world.sql("SELECT count(*) AS n, count(DISTINCT point_index) AS apart FROM streams").to_pylist()
    assert points == [{"n": 40, "apart": 40}]


def test_own_recording_of_a_child_whom_we_may_only_write_to_is_no_copy_of_ours(world):
    world.connect(CHILD_ID, ("read", "activity:write"))
    world.services.state.links.save(
        Link(PARENT_ID, CHILD_ID, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    )
    activity_id = world.finish(name="With Rex")
    start_at = datetime.fromtimestamp(world.clock.now_epoch_s, UTC) - timedelta(hours=1)
    world.control.generate_activity(CHILD_ID, "run", start_at=start_at, seed=7, points=60)
    sync(world.services, world.item(activity_id), source="webhook")
    copy_to_children(world.services, PARENT_ID, activity_id)

    assert world.services.state.copies.get(activity_id, CHILD_ID).state is CopyState.DUPLICATE


def test_copies_follow_what_was_agreed_until_the_child_says_yes_to_more(world):
    world.connect(CHILD_ID, ("read", "activity:write"))
    services = world.services
    services.state.links.save(Link(PARENT_ID, CHILD_ID, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    waiting = consent.revise(services, PARENT_ID, CHILD_ID, lambda link: replace(link, names=("Rex", "Bello")))
    activity_id = world.finish(name="With Bello")
    sync(services, world.item(activity_id), source="webhook")
    copy_to_children(services, PARENT_ID, activity_id)
    assert services.state.copies.get(activity_id, CHILD_ID) is None

    assert consent.accept(services, PARENT_ID, CHILD_ID, waiting.proposal.fingerprint)
    copy_to_children(services, PARENT_ID, activity_id)
    assert services.state.copies.get(activity_id, CHILD_ID).state is CopyState.DONE


def test_nothing_is_copied_while_an_end_can_still_be_undone_and_all_of_it_after_that(world):
    world.connect(CHILD_ID, ("read", "activity:write"))
    services = world.services
    services.state.links.save(Link(PARENT_ID, CHILD_ID, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    links.end(services, PARENT_ID, CHILD_ID, Side.PARENT)
    activity_id = world.finish(name="With Rex")
    sync(services, world.item(activity_id), source="webhook")
    copy_to_children(services, PARENT_ID, activity_id)
    assert services.state.copies.get(activity_id, CHILD_ID).state is CopyState.SKIPPED

    links.undo_end(services, PARENT_ID, CHILD_ID, Side.PARENT)
    world.clock.advance(SETTLED_S)
    assert wake_for_links(services.state.copies, services.state.links, Limits(), world.clock.now_epoch_s) == 1
    copy_to_children(services, PARENT_ID, activity_id)
    assert services.state.copies.get(activity_id, CHILD_ID).state is CopyState.DONE
