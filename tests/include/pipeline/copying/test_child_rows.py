"""A copied activity counts once: its row in the child's account says what it is a copy of, whichever came first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from include.lake.keys import raw_detail_key
from include.lake.objects.objects import Condition
from include.pipeline.backfill.history import keys, list_on
from include.pipeline.backfill.loading import load
from include.pipeline.copying.child_rows import refetch_copies_made
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.replay import plan, replay
from include.state.activities.ledger import ActivityState, DueWork, LedgerEntry
from include.state.copies.ledger import Copy, CopyState
from include.state.links import Link
from include.strava.client import StravaClient
from include.strava.models import Activity

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72
DAY_S = 86_400


@pytest.fixture
def family(world):
    """The child connected and linked as Rex."""
    world.connect(CHILD_ID)
    world.services.state.links.save(
        Link(PARENT_ID, CHILD_ID, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    )
    return world


@pytest.fixture
def nameless(monkeypatch):
    """Strava shows no activity's external id."""
    detail, pages = StravaClient.activity, StravaClient.activities

    def bent(activity):
        return Activity.parse({**activity.fields, "external_id": None})

    monkeypatch.setattr(StravaClient, "activity", lambda self, *ids: bent(detail(self, *ids)))
    monkeypatch.setattr(
        StravaClient, "activities", lambda self, *a, **k: ([bent(row) for row in page] for page in pages(self, *a, **k))
    )


def copied(world):
    """An activity that names the child, and its copy."""
    activity_id = world.finish(name="Run with Rex")
    sync(world.services, world.item(activity_id), source="webhook")
    copy_to_children(world.services, PARENT_ID, activity_id)
    copy = world.services.state.copies.get(activity_id, CHILD_ID)
    assert copy.state is CopyState.DONE
    return activity_id, copy.child_activity_id


def look(world, activity_id, athlete_id=CHILD_ID):
    sync(world.services, SyncItem(athlete_id, activity_id, int(world.clock.now_epoch_s)), source="webhook")


def origins(world, athlete_id=CHILD_ID):
    sql = f"SELECT activity_id, is_copy, parent_activity_id FROM activities WHERE athlete_id = {athlete_id}"  # noqa: S608
    return {row["activity_id"]: (row["is_copy"], row["parent_activity_id"]) for row in world.sql(sql).to_pylist()}


def history(world):
    day = {"athlete": CHILD_ID, "from": "2026-01-01", "to": "2026-12-31", "dry_run": False}
    return load(world.services, keys(list_on(world.services, world.ask(day))))


@pytest.mark.parametrize("way", [look, lambda world, _: history(world)], ids=["webhook", "backfill"])
def test_row_of_a_copy_names_its_original_by_the_name_of_the_file(family, way):
    parents, childs = copied(family)
    way(family, childs)
    assert origins(family) == {childs: (True, parents)}
    assert origins(family, PARENT_ID) == {parents: (False, None)}


@pytest.mark.parametrize("way", [look, lambda world, _: history(world)], ids=["webhook", "backfill"])
def test_row_of_a_copy_names_its_original_by_the_ledger_where_strava_shows_no_file_name(family, nameless, way):
    parents, childs = copied(family)
    way(family, childs)
    assert origins(family) == {childs: (True, parents)}


def test_row_names_its_original_when_the_ledger_learns_of_the_copy_after_it_was_written(family, nameless, monkeypatch):
    monkeypatch.setattr("include.pipeline.copying.copies.refetch_copies_made", lambda *_: None)
    parents, childs = copied(family)
    monkeypatch.setattr(family.services.state.copies, "made_for", lambda _: {})
    look(family, childs)
    assert origins(family) == {childs: (False, None)}
    monkeypatch.undo()

    copy_to_children(family.services, PARENT_ID, parents)
    assert [entry.activity_id for entry in family.services.state.activities.due(family.clock.now_epoch_s)] == [childs]
    look(family, childs)
    assert origins(family) == {childs: (True, parents)}


def test_holder_of_a_childs_row_is_asked_to_fetch_again_when_its_copy_is_made_meanwhile(family, nameless):
    activity_id = family.finish(name="Run with Rex")
    sync(family.services, family.item(activity_id), source="webhook")
    made_id = max(family.control.activity_ids(PARENT_ID)) + 1  # the simulator's next
    lease = family.services.state.activities.acquire(CHILD_ID, made_id)
    copy_to_children(family.services, PARENT_ID, activity_id)
    assert family.services.state.copies.get(activity_id, CHILD_ID).child_activity_id == made_id
    assert family.services.state.activities.settle(
        lease, lease.entry or family.services.state.activities.get(CHILD_ID, made_id)
    )


def test_nothing_is_looked_at_again_where_the_row_says_it_already(family):
    parents, childs = copied(family)
    look(family, childs)
    calls = family.calls()
    copy_to_children(family.services, PARENT_ID, parents)
    assert list(family.services.state.activities.due(family.clock.now_epoch_s + DAY_S)) == []
    assert family.calls() == calls


def test_row_whose_stored_answer_cannot_be_read_is_fetched_again_when_the_ledger_learns_of_the_copy(family, nameless):
    parents, childs = copied(family)
    look(family, childs)
    key = raw_detail_key(CHILD_ID, childs)
    family.services.lake.objects.put(key, b"no answer", expected=Condition.ANYTHING)
    copy_to_children(family.services, PARENT_ID, parents)
    due = [entry.activity_id for entry in family.services.state.activities.due(family.clock.now_epoch_s)]
    assert due == [childs]


def test_look_that_came_after_the_copy_is_not_repeated(family, nameless):
    parents, childs = copied(family)
    family.clock.advance(600)
    look(family, childs)
    copy_to_children(family.services, PARENT_ID, parents)
    assert list(family.services.state.activities.due(family.clock.now_epoch_s + DAY_S)) == []


@pytest.mark.parametrize(("seconds", "is_due"), [(120, True), (121, False)])
def test_row_is_fetched_again_unless_its_answer_is_surely_younger_than_the_copy(offline, seconds, is_due):
    made_at = int(offline.clock())
    offline.state.copies.plan(Copy(101, CHILD_ID, PARENT_ID, CopyState.DONE, child_activity_id=901))
    stored(offline, 901, fetched_at_epoch_s=made_at + seconds)

    refetch_copies_made(offline, 101)

    [entry] = offline.state.activities.of_athlete(CHILD_ID)
    due = DueWork(made_at, made_at)
    assert entry.asked == (due if is_due else None)


@pytest.mark.parametrize("state", sorted(set(CopyState) - {CopyState.DONE}))
def test_child_s_activity_that_is_no_copy_is_not_fetched_again(offline, state):
    offline.state.copies.plan(Copy(101, CHILD_ID, PARENT_ID, state, child_activity_id=901))
    stored(offline, 901, fetched_at_epoch_s=0)

    refetch_copies_made(offline, 101)

    assert list(offline.state.activities.due(float("inf"))) == []


def stored(services, activity_id, **values):
    """A row of the child's in the lake, of whose original nobody knew."""
    lease = services.state.activities.acquire(CHILD_ID, activity_id)
    entry = replace(LedgerEntry.unknown(CHILD_ID, activity_id), state=ActivityState.SYNCED, object_keys=("rows",))
    services.state.activities.settle(lease, replace(entry, **values))


def test_childs_activity_that_is_not_stored_is_not_asked_for(family, nameless):
    _, childs = copied(family)
    assert family.services.state.activities.get(CHILD_ID, childs) is None


def test_recording_that_a_copy_was_a_duplicate_of_is_no_copy(family):
    own = family.finish(name="Run with Rex")
    start_at = datetime.fromisoformat(family.control.activity(own)["detail"]["start_date"])
    theirs = family.control.generate_activity(CHILD_ID, "run", start_at=start_at, seed=7, points=60, announce=False)
    sync(family.services, family.item(own), source="webhook")
    copy_to_children(family.services, PARENT_ID, own)
    assert family.services.state.copies.get(own, CHILD_ID).state is CopyState.DUPLICATE
    look(family, theirs)
    assert origins(family) == {theirs: (False, None)}


def test_replay_gives_old_rows_of_copies_their_original(family, monkeypatch):
    parents, childs = copied(family)
    monkeypatch.setattr("include.lake.rows.synced.parent_activity_of", lambda _: None)
    monkeypatch.setattr(family.services.state.copies, "made_for", lambda _: {})
    look(family, childs)
    assert origins(family) == {childs: (False, None)}
    monkeypatch.undo()

    for chunk in plan(family.services, CHILD_ID):
        replay(family.services, chunk)
    assert origins(family) == {childs: (True, parents)}
