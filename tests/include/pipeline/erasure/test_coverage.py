"""A grant that covers less than before: what is kept, what is removed, and that a 404 says nothing of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import IngestError
from include.lake.keys import raw_detail_key
from include.lake.objects.objects import Condition
from include.pipeline.erasure.coverage import remove_unwanted
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import list_athletes, queue_due
from include.queue.content import parse as parse_content
from include.state.activities.ledger import ActivityState

pytestmark = pytest.mark.network

PARENT_ID = 71
READ_ONLY = ("read", "activity:read")
WRITE_ONLY = ("read", "activity:write")


def stored(world: Any) -> set[int]:
    return {row["activity_id"] for row in world.sql("SELECT DISTINCT activity_id FROM activities").to_pylist()}


def history(world: Any, private: int = 1, public: int = 1) -> tuple[list[int], list[int]]:
    """Private and public activities of the parent, stored while everything was allowed."""
    ids = [world.finish("run", hours_ago=hours + 1) for hours in range(private + public)]
    for activity_id in ids[:private]:
        world.control.change_visibility(activity_id, "only_me")
    for activity_id in ids:
        sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(60)
    return ids[:private], ids[private:]


def hour(world: Any) -> None:
    """What reconcile does in an hour, and what ingest does with what it queues."""
    for _quarter in range(4):
        world.clock.advance(900)
        remove_unwanted(world.services)
        list_athletes(world.services, world.settings)
        queue_due(world.services)
        messages = world.services.queue.receive(100, visibility_s=30)
        for item in plan(world.services, [parse_content(message.body).event for message in messages]):
            try:
                sync(world.services, item, source="webhook")
            except IngestError:
                continue
        for message in messages:
            world.services.queue.delete(message)


def test_private_activity_stays_when_the_grant_no_longer_shows_it(world: Any) -> None:
    private, public = history(world)
    world.connect(PARENT_ID, READ_ONLY)

    for _ in range(3):
        hour(world)

    assert stored(world) == {*private, *public}
    assert world.services.state.activities.get(PARENT_ID, private[0]).state is ActivityState.SYNCED


def test_event_about_an_activity_that_the_grant_does_not_show_takes_nothing_away(world: Any) -> None:
    (private_id,), _ = history(world)
    world.connect(PARENT_ID, READ_ONLY)

    synced = sync(world.services, world.item(private_id), source="webhook")

    assert (synced.state, private_id in stored(world)) == ("synced", True)
    assert world.services.state.activities.get(PARENT_ID, private_id).fetched_at_epoch_s == world.clock.now_epoch_s


def test_public_activity_that_is_gone_is_removed_all_the_same(world: Any) -> None:
    _, (public_id,) = history(world)
    world.connect(PARENT_ID, READ_ONLY)
    world.control.delete_activity(public_id)

    synced = sync(world.services, world.item(public_id), source="webhook")

    assert (synced.state, public_id in stored(world)) == ("removed", False)


def test_activity_whose_stored_answer_cannot_be_read_is_not_taken_for_private(world: Any) -> None:
    _, (public_id,) = history(world)
    world.connect(PARENT_ID, READ_ONLY, removes=True)
    world.services.lake.objects.put(raw_detail_key(PARENT_ID, public_id), b"no JSON", expected=Condition.ANYTHING)

    assert remove_unwanted(world.services)["removed"] == 1
    assert stored(world) == {public_id}


def test_private_activities_are_removed_and_tracks_read_again_when_the_athlete_wishes_it(world: Any) -> None:
    private, public = history(world, private=2, public=3)
    streams = "GET /api/v3/activities/<activity_id>/streams"
    before = world.calls()[streams]
    world.connect(PARENT_ID, READ_ONLY, removes=True)

    hour(world)
    assert stored(world) == set(public)
    assert "activity:read_all" in world.services.state.athletes.get(PARENT_ID).unwanted_scopes
    for _ in range(3):
        hour(world)

    assert world.services.lake.raw.detail(PARENT_ID, private[0]) is None
    assert world.calls()[streams] - before == len(public)
    assert world.services.state.athletes.get(PARENT_ID).unwanted_scopes == set()
    assert stored(world) == set(public)


def test_activity_that_another_worker_holds_is_removed_by_a_later_run(world: Any) -> None:
    private, public = history(world)
    world.connect(PARENT_ID, READ_ONLY, removes=True)

    with world.services.state.activities.held(PARENT_ID, private[0]):
        assert remove_unwanted(world.services)["removed"] == 0
        assert stored(world) == {*private, *public}

    assert remove_unwanted(world.services)["removed"] == 1
    assert stored(world) == set(public)


def test_activity_without_points_is_not_read_again_for_its_track(world: Any) -> None:
    sync(world.services, world.item(world.finish("swim")), source="webhook")
    world.clock.advance(60)
    world.connect(PARENT_ID, READ_ONLY, removes=True)

    assert remove_unwanted(world.services) == {"removed": 0, "tracks": 0}


@pytest.mark.parametrize("removes", [pytest.param(False, id="keep"), pytest.param(True, id="remove")])
def test_everything_stays_or_goes_as_the_athlete_wishes_when_nothing_may_be_read_any_more(
    world: Any, removes: bool
) -> None:
    private, public = history(world)
    world.connect(PARENT_ID, WRITE_ONLY, removes=removes)

    for _ in range(2):
        hour(world)

    assert stored(world) == (set() if removes else {*private, *public})
    assert world.services.state.athletes.get(PARENT_ID).unwanted_scopes == set()


def test_athlete_who_allows_it_again_meanwhile_keeps_what_is_left(world: Any) -> None:
    private, public = history(world)
    world.connect(PARENT_ID, READ_ONLY, removes=True)
    world.connect(PARENT_ID)

    hour(world)

    assert stored(world) == {*private, *public}


def test_two_tracks_of_an_athlete_are_read_again_at_a_time(world: Any) -> None:
    history(world, private=0, public=3)
    world.connect(PARENT_ID, READ_ONLY, removes=True)

    assert remove_unwanted(world.services) == {"removed": 0, "tracks": 2}
