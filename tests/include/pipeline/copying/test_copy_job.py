"""What copying promises: no loops, each child its own fate, what was sent is finished and not sent again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import queue_due
from include.queue.content import parse as parse_content
from include.state.copies.ledger import CopyState
from include.state.links import Link
from include.strava.http.classify import error_for

pytestmark = pytest.mark.network

ANN, BEN, MIA, ZOE = 71, 72, 73, 74


def link(world, parent_id, child_id, name):
    world.services.state.links.save(
        Link(parent_id, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    )


def ingest(world, events):
    """Look at the activities of these events as the DAG does; returns the copies' states by parent and child."""
    seen = {}
    for item in plan(world.services, events):
        sync(world.services, item, source="webhook")
        for result in copy_to_children(world.services, item.athlete_id, item.activity_id):
            seen[item.athlete_id, result.child_id] = result.state
    return seen


def everything(world, *athlete_ids):
    return {(athlete_id, each) for athlete_id in athlete_ids for each in world.control.activity_ids(athlete_id)}


def events(world, activities, aspect_type="create"):
    return [
        world.event(activity_id, owner_id=athlete_id, aspect_type=aspect_type)
        for athlete_id, activity_id in sorted(activities)
    ]


def feed_back(world, *athlete_ids):
    """Feed the webhook's events of whatever there is back until nothing comes of it; returns what there is."""
    before: set[tuple[int, int]] = set()
    for _ in range(4):
        there = everything(world, *athlete_ids)
        world.clock.advance(60)
        fed = events(world, there - before) + events(world, there, "update")
        ingest(world, fed)
        if before == there:
            break
        before = there
    return everything(world, *athlete_ids)


@pytest.fixture
def both_ways(world):
    """Ann and Ben, each linked to the other."""
    world.connect(BEN)
    link(world, ANN, BEN, "Ben")
    link(world, BEN, ANN, "Ann")
    return world


def test_two_athletes_linked_both_ways_get_two_activities_never_four(both_ways):
    activity_id = both_ways.finish(name="Ann and Ben at the lake")

    there = feed_back(both_ways, ANN, BEN)

    assert [athlete_id for athlete_id, _ in sorted(there)] == [ANN, BEN]
    copy = both_ways.services.state.copies.get(activity_id, BEN)
    assert (copy.state, (BEN, copy.child_activity_id) in there) == (CopyState.DONE, True)
    back = both_ways.services.state.copies.get(copy.child_activity_id, ANN)
    assert (back.state, "itself a copy" in back.reason) == (CopyState.SKIPPED, True)


def test_copy_whose_event_comes_before_the_ledger_knows_it_is_not_copied_back(both_ways, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("include.pipeline.copying.copies.poll_delays_s", tuple)
        both_ways.finish(name="Ann and Ben at the lake")
        ingest(both_ways, events(both_ways, everything(both_ways, ANN)))
        both_ways.clock.advance(5)
        [copied_id] = both_ways.control.activity_ids(BEN)

        assert ingest(both_ways, events(both_ways, {(BEN, copied_id)})) == {(BEN, ANN): CopyState.SKIPPED}

    assert len(feed_back(both_ways, ANN, BEN)) == 2


@pytest.fixture
def same_outing(both_ways):
    """Ann and Ben each recorded it, from the same second on."""
    both_ways.finish(name="Ann, Ben and Mia at the lake")
    start_at = datetime.fromtimestamp(both_ways.clock.now_epoch_s - 3600, UTC)
    both_ways.control.generate_activity(
        BEN, "run", start_at=start_at, seed=8, points=60, name="Mia, Ann and Ben at the lake"
    )
    return both_ways


def test_two_recordings_of_one_outing_stay_two_when_each_is_a_duplicate_of_the_other(same_outing):
    assert len(feed_back(same_outing, ANN, BEN)) == 2


def test_own_recording_is_copied_on_although_somebody_elses_copy_was_its_duplicate(same_outing):
    same_outing.connect(MIA)
    link(same_outing, BEN, MIA, "Mia")
    assert len(feed_back(same_outing, ANN, BEN, MIA)) == 3

    [own_id] = same_outing.control.activity_ids(BEN)
    assert same_outing.services.state.copies.get(own_id, MIA).state is CopyState.DONE


def test_ring_of_three_gets_three_activities(world):
    for athlete_id in (BEN, MIA):
        world.connect(athlete_id)
    link(world, ANN, BEN, "Ben")
    link(world, BEN, MIA, "Mia")
    link(world, MIA, ANN, "Ann")
    link(world, ANN, MIA, "Mia")
    world.finish(name="Ann, Ben and Mia")

    assert [athlete_id for athlete_id, _ in sorted(feed_back(world, ANN, BEN, MIA))] == [ANN, BEN, MIA]


def over_capacity(world, monkeypatch, athlete_id):
    """Strava answers this athlete's uploads as it does beyond the application's capacity."""
    send = world.services.strava.client.create_upload

    def answer(child_id, *arguments) -> Any:
        if child_id != athlete_id:
            return send(child_id, *arguments)
        body = b'{"message": "Limit of connected athletes exceeded", "errors": []}'
        raise error_for(
            403,
            body,
            path="/uploads",
            whom=f"athlete {child_id}",
            is_applications=False,
            now_epoch_s=world.clock.now_epoch_s,
        )

    monkeypatch.setattr(world.services.strava.client, "create_upload", answer)


def test_fine_child_gets_its_copy_when_one_is_revoked_and_one_over_capacity(world, monkeypatch):
    for child_id, name in ((BEN, "Ben"), (MIA, "Mia"), (ZOE, "Zoe")):
        world.connect(child_id)
        link(world, ANN, child_id, name)
    activity_id = world.finish(name="Ben, Mia and Zoe at the lake")
    world.control.disconnect(BEN, world.client_id)
    over_capacity(world, monkeypatch, MIA)

    states = ingest(world, events(world, {(ANN, activity_id)}))

    waiting = CopyState.WAITING_FOR_ACCESS
    assert states == {(ANN, BEN): waiting, (ANN, MIA): waiting, (ANN, ZOE): CopyState.DONE}
    assert len(world.control.activity_ids(ZOE)) == 1
    reasons = [world.services.state.copies.get(activity_id, child_id).reason for child_id in (BEN, MIA, ZOE)]
    assert reasons == [
        "Strava no longer accepts the access to the child's account, which has to be connected again.",
        "Strava lets this service connect no further athletes.",
        "",
    ]


# --- resume --------------------------------------------------------------------------------------


def sent(world):
    return sum(count for route, count in world.calls().items() if route.startswith("POST") and "uploads" in route)


def run_next_window(world):
    """A quarter of an hour later: what is due is queued, and what is queued is looked at."""
    world.clock.advance(900)
    queued = queue_due(world.services)
    for message in world.services.queue.receive(10, visibility_s=60):
        ingest(world, [parse_content(message.body).event])
        world.services.queue.delete(message)
    return queued.copies


@pytest.mark.parametrize(
    ("dies_in", "left_in"),
    [
        pytest.param("create_upload", CopyState.UPLOADING, id="uploading"),
        pytest.param("upload", CopyState.PROCESSING, id="processing"),
    ],
)
def test_upload_that_a_dead_run_left_is_finished_and_not_repeated(world, monkeypatch, dies_in, left_in):
    world.connect(BEN)
    link(world, ANN, BEN, "Ben")
    activity_id = world.finish(name="Ann and Ben at the lake")
    call = getattr(world.services.strava.client, dies_in)

    def die(*arguments) -> Any:
        call(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, dies_in, die)
        with pytest.raises(KeyboardInterrupt):
            ingest(world, events(world, {(ANN, activity_id)}))
    assert world.services.state.copies.get(activity_id, BEN).state is left_in

    assert run_next_window(world) == 1

    copy = world.services.state.copies.get(activity_id, BEN)
    assert (copy.state, [copy.child_activity_id]) == (CopyState.DONE, world.control.activity_ids(BEN))
    assert sent(world) == 1
    assert run_next_window(world) == 0
