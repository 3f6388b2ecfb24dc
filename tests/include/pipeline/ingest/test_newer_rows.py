"""Rows that a newer version wrote: they are left to it, and keep nobody else from being served."""

from __future__ import annotations

import pytest

from include.errors import NewerVersion
from include.pipeline.erasure.watch import queue_open_erasures
from include.pipeline.reconcile.due import Queued, queue_due
from include.state.copies.ledger import Copy, CopyState
from include.state.erasures.ledger import EraseReason
from include.store.backend import open_store
from include.store.store import Key

pytestmark = pytest.mark.network

ANN, REX, ZOE = 71, 72, 73


@pytest.fixture
def store(world):
    store = open_store(world.settings.state_url, world.services.clock)
    yield store
    store.close()


def written_by_a_newer_version(store, *key, **fields):
    item = store.get(Key(*key))
    store.put(item.key, {**item.fields, **fields}, expected_version=item.version)


def copy(world, activity_id):
    world.services.state.copies.plan(
        Copy(activity_id, REX, ANN, CopyState.PLANNED, next_try_epoch_s=int(world.clock.now_epoch_s))
    )


def test_what_else_is_due_is_queued(world, store, caplog):
    for activity_id in (5, 6):
        world.services.state.activities.make_due(ANN, activity_id, asked_at_epoch_s=int(world.clock.now_epoch_s))
    for activity_id in (6, 7, 8):
        copy(world, activity_id)
    written_by_a_newer_version(store, "activities", str(ANN), "6", state="sublimated")
    written_by_a_newer_version(store, "copies", "7", str(REX), state="sublimated")
    world.clock.advance(1800)

    assert queue_due(world.services) == Queued(activities=1, copies=1)
    assert "activities 71/6 is left alone" in caplog.text
    assert "Deploy that version everywhere" in caplog.text
    with pytest.raises(NewerVersion):
        world.services.state.activities.acquire(ANN, 6)
    assert store.get(Key("activities", str(ANN), "6")).fields["state"] == "sublimated"


def test_other_erasures_are_taken_up(world, store):
    for athlete_id in (REX, ZOE):
        world.services.state.erasures.ask_now(athlete_id, EraseReason.OPERATOR)
    written_by_a_newer_version(store, "erasures", str(REX), stage="sublimated")
    world.clock.advance(900)

    assert queue_open_erasures(world.services) == 1
    with pytest.raises(NewerVersion):
        world.services.state.erasures.forbid_writing(REX)
