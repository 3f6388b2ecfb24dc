"""What a chunk leaves to other runs, to runs that died, and to events that come meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from include.errors import LeaseLost, UnexpectedShape
from include.lake.keys import raw_odd_key, raw_streams_key
from include.pipeline.backfill.loading import ChunkLoaded
from include.state.activities.entry import NOT_LOADED
from include.state.activities.ledger import LedgerEntry
from tests.include.pipeline.backfill.history.listed import PARENT_ID, streams, summary_row

HOUR_S = 3600


@pytest.mark.parametrize(
    ("before_s", "is_due"),
    [
        pytest.param(120, False, id="surely before the list"),
        pytest.param(119, True, id="perhaps before it"),
        pytest.param(-60, True, id="after it"),
    ],
)
def test_event_is_answered_by_a_list_that_is_surely_younger(backfill, before_s, is_due):
    history = backfill.list(summary_row(1))
    asked_at = backfill.now_epoch_s - before_s
    backfill.services.state.activities.make_due(PARENT_ID, 1, asked_at_epoch_s=asked_at)
    backfill.services.clock.advance(HOUR_S)

    backfill.load(history)

    assert bool(backfill.due()) is is_due


def test_activity_is_fetched_again_at_its_own_time_and_not_earlier(backfill):
    again_at = backfill.now_epoch_s + HOUR_S
    backfill.enter(1, next_try_epoch_s=again_at)

    backfill.load(backfill.list(summary_row(1)))

    assert backfill.due() == {1: again_at}


def test_holder_of_an_activity_is_not_asked_to_fetch_it_again(backfill):
    history = backfill.list(summary_row(1))
    held = backfill.services.state.activities.acquire(PARENT_ID, 1)

    assert backfill.load(history) == ChunkLoaded(skipped=1)
    assert not backfill.services.state.activities.settle(held, LedgerEntry.unknown(PARENT_ID, 1))


def test_event_that_came_while_a_run_died_is_still_due_after_the_load(backfill):
    activities = backfill.services.state.activities
    activities.acquire(PARENT_ID, 1)
    assert activities.acquire(PARENT_ID, 1) is None, "an event asks the holder to fetch again"
    backfill.services.clock.advance(HOUR_S)

    backfill.load(backfill.list(summary_row(1)))

    assert list(backfill.due(backfill.now_epoch_s)) == [1]


@pytest.mark.parametrize(
    ("changes", "is_detail", "calls"),
    [
        pytest.param({}, False, 0, id="of this list"),
        pytest.param({"points": 0}, False, 1, id="without points"),
        pytest.param({"fetched_at_epoch_s": 5.0}, False, 1, id="of an older list"),
        pytest.param({"reason": ""}, False, 1, id="of a sync"),
        pytest.param({}, True, 1, id="beside a detail"),
    ],
)
def test_stored_streams_are_used_when_a_run_stored_them_after_the_same_list(backfill, changes, is_detail, calls):
    history = backfill.list(summary_row(1))
    raw = backfill.services.lake.raw
    raw.put_streams(PARENT_ID, 1, streams(5), guard=lambda: None)
    if is_detail:
        raw.put_detail(summary_row(1, resource_state=3), guard=lambda: None)
    before = backfill.enter(1, points=5)
    lease = backfill.services.state.activities.acquire(PARENT_ID, 1)
    backfill.services.state.activities.settle(lease, replace(before, **changes))

    assert backfill.load(history) == ChunkLoaded(loaded=1, points=4 if calls else 5)
    assert len(backfill.fetched()) == calls


def test_stored_streams_of_an_unknown_activity_are_fetched_again(backfill):
    history = backfill.list(summary_row(1))
    backfill.services.lake.raw.put_streams(PARENT_ID, 1, streams(5), guard=lambda: None)

    assert backfill.load(history).points == 4


def test_streams_are_noted_with_their_points_before_the_months_are_written(backfill, monkeypatch):
    history = backfill.list(summary_row(1))
    monkeypatch.setattr(backfill.services.lake.tables, "write", dies)

    with pytest.raises(KeyboardInterrupt):
        backfill.load(history)

    entry = backfill.entry(1)
    assert (entry.points, entry.reason, entry.fetched_at_epoch_s) == (4, NOT_LOADED, history.listed_at_epoch_s)
    assert sorted(key.partition("/")[0] for key in entry.object_keys) == ["activities", "streams"]
    assert json.loads(backfill.services.lake.raw.streams(PARENT_ID, 1).body)["time"]["data"] == [0, 1, 2, 3]
    assert backfill.row(history).to_load == (1,)


def dies(*_args, **_named):
    raise KeyboardInterrupt


@pytest.mark.parametrize("fetched_in_s", [None, -HOUR_S])
def test_stored_detail_is_as_old_as_its_own_fetch(backfill, fetched_in_s):
    fetched_at = None if fetched_in_s is None else backfill.now_epoch_s + fetched_in_s
    backfill.services.lake.raw.put_detail(summary_row(1, resource_state=3), guard=lambda: None)
    before = backfill.enter(1)
    lease = backfill.services.state.activities.acquire(PARENT_ID, 1)
    backfill.services.state.activities.settle(lease, replace(before, fetched_at_epoch_s=fetched_at))
    history = backfill.list(summary_row(1))
    backfill.services.clock.advance(60)

    backfill.load(history)

    expected = history.listed_at_epoch_s if fetched_at is None else fetched_at
    assert (backfill.entry(1).fetched_at_epoch_s, backfill.in_lake()) == (expected, {1: expected})


# --- lost leases -----------------------------------------------------------------------------------


def taken_over(backfill, activity_id):
    """The lease runs out, and a live run takes the activity."""
    backfill.services.clock.advance(301)
    assert backfill.services.state.activities.acquire(PARENT_ID, activity_id) is not None


def test_activity_that_a_live_run_took_over_meanwhile_is_left_to_it_and_the_others_load(backfill):
    history = backfill.list(summary_row(3), summary_row(2), summary_row(1))
    backfill.answers({2: lambda: taken_over(backfill, 1)})

    assert backfill.load(history) == ChunkLoaded(loaded=1, points=4, skipped=1, waiting=("LeaseLost",))
    assert (list(backfill.in_lake()), backfill.row(history).to_load) == ([3], (2,))
    assert not backfill.is_free(1)


def test_lease_is_renewed_while_the_others_of_the_chunk_are_fetched(backfill):
    history = backfill.list(*(summary_row(each) for each in (4, 3, 2, 1)))
    backfill.answers({each: lambda: backfill.services.clock.advance(140) for each in (1, 2, 3, 4)})

    assert backfill.load(history) == ChunkLoaded(loaded=4, points=16)
    assert list(backfill.in_lake()) == [1, 2, 3, 4]


def test_streams_of_a_lost_lease_are_not_stored(backfill):
    history = backfill.list(summary_row(2), summary_row(1))
    backfill.answers({1: lambda: taken_over(backfill, 1)})

    backfill.load(history)

    assert backfill.services.lake.objects.get(raw_streams_key(PARENT_ID, 1)) is None


def test_unreadable_answer_of_a_lost_lease_is_not_stored(backfill):
    history = backfill.list(summary_row(2), summary_row(1))

    def odd():
        taken_over(backfill, 1)
        error = UnexpectedShape("no streams")
        error.answer = b"<html>"
        raise error

    backfill.answers({1: odd})

    backfill.load(history)

    assert backfill.services.lake.objects.get(raw_odd_key(PARENT_ID, 1)) is None


def test_months_are_not_written_when_one_of_the_leases_is_lost_before(backfill, monkeypatch):
    history = backfill.list(summary_row(2), summary_row(1))
    write = backfill.services.lake.tables.write

    def stalled(*args, **named):
        taken_over(backfill, 2)
        return write(*args, **named)

    monkeypatch.setattr(backfill.services.lake.tables, "write", stalled)

    with pytest.raises(LeaseLost):
        backfill.load(history)
    assert (backfill.in_lake(), backfill.row(history).to_load) == ({}, (2, 1))


def test_nothing_is_written_when_nothing_was_fetched(backfill, monkeypatch):
    history = backfill.list(summary_row(1))
    backfill.services.state.activities.acquire(PARENT_ID, 1)
    monkeypatch.setattr(
        backfill.services.lake.tables, "write", lambda *_args, **_named: pytest.fail("nothing to write")
    )

    assert backfill.load(history) == ChunkLoaded(skipped=1)


def test_activity_without_a_stored_answer_is_let_go(backfill):
    history = backfill.list(summary_row(1))
    backfill.services.lake.raw.remove(PARENT_ID, 1, guard=lambda: None)

    assert backfill.load(history) == ChunkLoaded(skipped=1)
    assert (backfill.is_free(1), backfill.row(history).to_load) == (True, ())
