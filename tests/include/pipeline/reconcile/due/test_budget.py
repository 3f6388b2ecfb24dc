"""How the calls of a window are shared between fetches and copies that are due, and what is queued once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.pipeline.reconcile import due as reconcile
from include.pipeline.reconcile.due import Queued, queue_due
from include.queue.content import LookAgain
from include.queue.content import parse as parse_content
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import DueWork, LedgerEntry
from include.state.activities.observation import Observation
from include.state.copies.ledger import Copy, CopyState
from include.state.erasures.ledger import EraseReason
from include.strava.quota import WINDOW_S
from tests.include.pipeline.reconcile.due.lists import HOUR_S, queued

PARENT_ID, OTHER_ID, THIRD_ID, CHILD_ID = 71, 72, 73, 80
MINUTE_S, QUEUED_FOR_S = 60, 1800


@pytest.fixture
def world(alone):
    """No Strava answers here but by a test's own words."""
    return alone


def limit(world, *, overall=200, read=100):
    """The calls that Strava allows in a window."""
    world.services.state.quota.observe(
        {"x-ratelimit-limit": f"{overall},2000", "x-readratelimit-limit": f"{read},1000"}
    )


def due(world, activity_id, athlete_id=PARENT_ID, *, ago_s=0):
    now = int(world.clock.now_epoch_s)
    world.services.state.activities.make_due(athlete_id, activity_id, asked_at_epoch_s=now, due_at_epoch_s=now - ago_s)


def copy_due(world, activity_id, *, child_id=CHILD_ID, in_s=0):
    """A copy is due; the activity itself is known, and not due yet."""
    now = int(world.clock.now_epoch_s)
    world.services.state.activities.make_due(
        PARENT_ID, activity_id, asked_at_epoch_s=now, due_at_epoch_s=now + 2 * HOUR_S
    )
    world.services.state.copies.plan(
        Copy(activity_id, child_id, PARENT_ID, CopyState.PLANNED, next_try_epoch_s=now + in_s)
    )


def stored(world, activity_id):
    """The lake holds the activity as it was before an edit."""
    activities, now = world.services.state.activities, world.clock.now_epoch_s
    lease = activities.acquire(PARENT_ID, activity_id)
    seen = Observation(now, "Run", int(now) - HOUR_S, "2.before.before")
    activities.settle(lease, LedgerEntry.unknown(PARENT_ID, activity_id).synced(seen, points=60))


def looks(world):
    """What is in the queue: whose activity, which, and whether only its copies are due."""
    return [(event.owner_id, event.object_id, event.asks_for_copies_only) for event in queued(world)]


def due_at(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id).due_at_epoch_s


@pytest.mark.parametrize(
    ("overall", "read", "expected"),
    [
        pytest.param(200, 100, Queued(5, 5), id="enough"),
        pytest.param(20, 7, Queued(3, 5), id="two reads for each fetch"),
        pytest.param(10, 6, Queued(3, 4), id="copies have the calls that fetches leave"),
        pytest.param(10, 10, Queued(5, 0), id="fetches go first"),
        pytest.param(2, 1, Queued(0, 2), id="a fetch needs two reads"),
    ],
)
def test_no_more_is_queued_than_the_window_has_calls_for(world, overall, read, expected):
    limit(world, overall=overall, read=read)
    for activity_id in range(1, 6):
        due(world, activity_id)
        copy_due(world, 10 + activity_id)

    assert queue_due(world.services) == expected
    assert world.services.queue.depth() == expected.activities + expected.copies


@pytest.mark.parametrize("waiting", [2, 3])
def test_run_queues_a_bounded_number_of_each_and_the_next_one_the_rest(world, monkeypatch, waiting):
    monkeypatch.setattr(reconcile, "QUEUED_AT_ONCE", 2)
    for activity_id in range(1, waiting + 1):
        due(world, activity_id, ago_s=MINUTE_S - activity_id)
        copy_due(world, 10 + activity_id)

    assert queue_due(world.services) == Queued(2, 2)
    assert [number for _, number, _ in looks(world)][:2] == [1, 2]
    assert queue_due(world.services) == Queued(waiting - 2, waiting - 2)


def test_what_is_queued_is_due_again_in_half_an_hour_and_what_is_not_due_stays_as_it_is(world):
    now = int(world.clock.now_epoch_s)
    for activity_id in (5, 6):
        due(world, activity_id)
    copy_due(world, 7)
    due(world, 8, ago_s=-MINUTE_S)
    copy_due(world, 9, in_s=MINUTE_S)

    assert queue_due(world.services) == Queued(2, 1)
    messages = world.services.queue.receive(100, visibility_s=30)
    assert [parse_content(message.body) for message in messages] == [
        LookAgain(PARENT_ID, 5, now),
        LookAgain(PARENT_ID, 6, now),
        LookAgain(PARENT_ID, 7, now, copies_only=True),
    ]
    assert [due_at(world, activity_id) for activity_id in (5, 6, 8)] == [now + QUEUED_FOR_S] * 2 + [now + MINUTE_S]
    assert queue_due(world.services) == Queued(0, 0)


def test_activity_that_is_due_itself_and_for_its_copies_is_queued_once(world):
    due(world, 5)
    copy_due(world, 5)

    assert queue_due(world.services) == Queued(1, 0)
    assert looks(world) == [(PARENT_ID, 5, False)]


def test_activity_whose_copies_alone_are_due_is_not_fetched(world):
    stored(world, 5)
    world.services.state.activities.put_off(PARENT_ID, 5, world.clock.now_epoch_s, copies=True)
    due(world, 5, ago_s=-HOUR_S)
    world.clock.advance(QUEUED_FOR_S)

    assert queue_due(world.services) == Queued(0, 1)
    assert looks(world) == [(PARENT_ID, 5, True)]


def test_copy_is_queued_once_while_its_activity_is_in_the_queue_already(world):
    for child_id in (CHILD_ID, CHILD_ID + 1):
        copy_due(world, 5, child_id=child_id)

    assert [queue_due(world.services) for _ in range(2)] == [Queued(0, 1), Queued(0, 0)]
    world.clock.advance(QUEUED_FOR_S)
    assert queue_due(world.services) == Queued(0, 1)


def test_copy_is_queued_although_a_run_that_plans_others_of_its_activity_is_still_under_way(world):
    copy_due(world, 5)
    activities, now = world.services.state.activities, int(world.clock.now_epoch_s)
    lease = activities.acquire(PARENT_ID, 5)
    activities.settle(lease, replace(lease.entry, copies_due=DueWork(lease.fence, now + MINUTE_S)))

    assert queue_due(world.services) == Queued(0, 1)


@pytest.mark.parametrize(("is_asked_for", "queued_ids"), [(False, [6]), (True, [5, 6])])
def test_expired_activity_is_queued_only_when_an_event_asks_for_it(world, is_asked_for, queued_ids):
    activities, now = world.services.state.activities, int(world.clock.now_epoch_s)
    stored(world, 5)
    lease = activities.acquire(PARENT_ID, 5)
    activities.postpone(lease, replace(lease.entry.expired(), next_try_epoch_s=now - MINUTE_S))
    if is_asked_for:
        due(world, 5, ago_s=MINUTE_S)
    due(world, 6)

    assert queue_due(world.services) == Queued(len(queued_ids), 0)
    assert [number for _, number, _ in looks(world)] == queued_ids


def test_work_of_athletes_who_are_not_connected_waits_and_delays_no_others(world):
    world.connect(OTHER_ID)
    limit(world, overall=4, read=2)
    due(world, 5, ago_s=MINUTE_S)
    due(world, 6, OTHER_ID)
    world.services.state.athletes.mark(PARENT_ID, AthleteStatus.NEEDS_REAUTH)

    assert queue_due(world.services) == Queued(1, 0)
    assert looks(world) == [(OTHER_ID, 6, False)]


def test_erasure_is_queued_even_while_strava_is_down(world):
    world.services.state.erasures.ask_now(OTHER_ID, EraseReason.OPERATOR)
    world.clock.advance(WINDOW_S)
    world.services.state.outages.begin("StravaUnavailable")
    due(world, 5)

    assert queue_due(world.services) == Queued(0, 0, erasures=1)
    assert world.services.queue.depth() == 1
