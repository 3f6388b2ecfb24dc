"""What is noted of events, whose are dropped, and which of them are one look; all of it by the ledgers alone."""

from __future__ import annotations

import pytest

from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync_item import SyncItem
from include.queue.content import LookAgain
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import LedgerEntry
from include.state.events import AuditedEvent
from include.strava.models import Subscription

PARENT_ID, NOBODY = 71, 999


@pytest.fixture
def world(alone):
    """No Strava is needed."""
    return alone


def test_plan_notes_of_every_event_whom_it_was_about_and_what_became_of_it(world):
    now = world.clock.now_epoch_s
    planned, dropped = world.event(5), world.event(6, owner_id=NOBODY)

    for _ in range(2):
        plan(world.services, [planned, dropped])

    assert world.services.state.events.get(planned.event_id) == AuditedEvent(PARENT_ID, 5, "planned", now, 2)
    assert world.services.state.events.get(dropped.event_id) == AuditedEvent(NOBODY, 6, "athlete not connected", now, 2)


def test_events_of_a_second_are_one_look_in_the_order_in_which_they_came(world):
    now = int(world.clock.now_epoch_s)
    assert plan(world.services, [world.event(6), world.event(5), world.event(6, aspect_type="update")]) == [
        SyncItem(PARENT_ID, 6, now),
        SyncItem(PARENT_ID, 5, now),
    ]


@pytest.mark.parametrize("aspects", [["delete"], ["delete", "update"], ["update", "delete"], ["update"]], ids="-".join)
def test_item_is_announced_as_gone_when_any_of_its_events_says_so(world, aspects):
    now = int(world.clock.now_epoch_s)
    events = [world.event(5, aspect_type=each, event_time_epoch_s=now + at) for at, each in enumerate(aspects)]

    assert plan(world.services, events) == [
        SyncItem(PARENT_ID, 5, now + len(aspects) - 1, is_announced="delete" in aspects)
    ]


# --- athletes who are not connected -----------------------------------------------------------------


@pytest.mark.parametrize("status", [AthleteStatus.NEEDS_REAUTH, AthleteStatus.REVOKED])
def test_activity_of_an_athlete_who_has_to_connect_again_stays_due_and_only_its_copies_go_on(world, status):
    activities, now = world.services.state.activities, int(world.clock.now_epoch_s)
    activities.make_due(PARENT_ID, 5, asked_at_epoch_s=now)
    before = activities.get(PARENT_ID, 5)
    world.services.state.athletes.mark(PARENT_ID, status)

    assert plan(world.services, [world.event(5)]) == []
    assert activities.get(PARENT_ID, 5) == before
    copies = LookAgain(PARENT_ID, 5, now, copies_only=True).event
    assert plan(world.services, [copies]) == [SyncItem(PARENT_ID, 5, now, copies_only=True)]


def test_event_of_nobody_takes_only_a_row_of_which_nothing_is_known(world):
    activities, now = world.services.state.activities, int(world.clock.now_epoch_s)
    for activity_id in (5, 6):
        activities.make_due(NOBODY, activity_id, asked_at_epoch_s=now)
    lease = activities.acquire(NOBODY, 6)
    known = LedgerEntry.unknown(NOBODY, 6).removed(now, "gone")
    activities.settle(lease, known)
    copies = LookAgain(NOBODY, 6, now, copies_only=True).event

    assert plan(world.services, [world.event(5, owner_id=NOBODY), world.event(6, owner_id=NOBODY), copies]) == []
    assert (activities.get(NOBODY, 5), activities.get(NOBODY, 6)) == (None, known)


# --- whether events arrive --------------------------------------------------------------------------


def test_arrival_of_stravas_newest_event_is_noted(world):
    subscriptions, now = world.services.state.subscriptions, int(world.clock.now_epoch_s)
    subscriptions.save(Subscription(9, "http://localhost/webhook"))

    plan(world.services, [world.event(5, subscription_id=8)])
    assert subscriptions.event_at_epoch_s() == 0.0
    plan(world.services, [world.event(5, event_time_epoch_s=now + late_s) for late_s in (1, 3, 2)])
    assert subscriptions.event_at_epoch_s() == now + 3
    plan(world.services, [])
    assert subscriptions.event_at_epoch_s() == now + 3
