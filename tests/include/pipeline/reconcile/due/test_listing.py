"""What a list of activities shows that no event told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from include.errors import Gone, RetryLater
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import Listed, list_athletes
from include.queue.content import parse as parse_content
from include.state.activities.ledger import ActivityState
from include.strava.client import StravaClient
from include.strava.quota import Bucket, Priority
from tests.include.pipeline.reconcile.due.lists import HOUR_S, listed, queued, synced

pytestmark = pytest.mark.network

PARENT_ID = 71


def test_activity_without_an_event_reaches_the_lake(world):
    activity_id = world.finish(announce=False)
    found = list_athletes(world.services, world.settings)
    assert found == Listed(athletes=1, lacking=1)
    for item in plan(world.services, queued(world)):
        sync(world.services, item, source="webhook")
    assert world.sql("SELECT activity_id FROM activities").column("activity_id").to_pylist() == [activity_id]
    world.clock.advance(HOUR_S)
    assert listed(world) == (Listed(athletes=1), [])


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda control, number: control.rename(number, "Run with Rex"), id="title"),
        pytest.param(lambda control, number: control.change_sport(number, "TrailRun"), id="sport"),
        pytest.param(lambda control, number: control.change_visibility(number, "only_me"), id="privacy"),
        pytest.param(lambda control, number: control.crop(number, first=10), id="crop"),
    ],
)
def test_edit_without_an_event_is_queued_once_until_it_is_synced(world, edit):
    activity_id = synced(world)
    edit(world.control, activity_id)
    assert listed(world) == (Listed(athletes=1, changed=1), [activity_id])
    sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(HOUR_S)
    assert listed(world) == (Listed(athletes=1), [])


def test_deletion_without_an_event_leaves_the_lake(world):
    activity_id = synced(world)
    world.control.delete_activity(activity_id)
    assert listed(world) == (Listed(athletes=1, missing=1), [activity_id])
    sync(world.services, world.item(activity_id), source="webhook")
    assert world.services.state.activities.get(PARENT_ID, activity_id).state is ActivityState.REMOVED
    world.clock.advance(HOUR_S)
    assert listed(world) == (Listed(athletes=1), [])


def test_activity_that_is_missing_but_there_is_looked_at_once_a_day(world, monkeypatch):
    activity_id = synced(world)
    monkeypatch.setattr(world.services.strava.client, "activities", lambda *_, **__: iter([[]]))
    looks = []
    for _ in range(30):
        looks += listed(world)[1]
        sync(world.services, world.item(activity_id), source="webhook")
        world.clock.advance(HOUR_S)
    assert len(looks) <= 3


def test_expired_activity_is_not_brought_back(world):
    activity_id = synced(world)
    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    world.services.state.activities.settle(lease, replace(entry, state=ActivityState.EXPIRED, fingerprint=""))
    assert listed(world) == (Listed(athletes=1), [])


def test_history_from_before_connecting_is_left_to_a_backfill(world):
    world.finish(announce=False, hours_ago=24 * 30)
    assert listed(world) == (Listed(athletes=1), [])


def looks_of_two_days(world):
    """How often reconcile's lists have activities looked at."""
    looks = 0
    for _ in range(48):
        world.clock.advance(3600)
        list_athletes(world.services, world.settings)
        messages = world.services.queue.receive(100, visibility_s=30)
        for item in plan(world.services, [parse_content(message.body).event for message in messages]):
            looks += 1
            with suppress(RetryLater):
                sync(world.services, replace(item, event_at_epoch_s=item.event_at_epoch_s - 400), source="webhook")
        for message in messages:
            world.services.queue.delete(message)
    return looks


def test_list_that_never_agrees_with_the_detail_costs_a_look_a_day(world, monkeypatch):
    sync(world.services, world.item(world.finish("run")), source="webhook")
    pages = StravaClient.activities
    monkeypatch.setattr(
        StravaClient,
        "activities",
        lambda *args, **named: (
            [replace(row, distance_m=row.distance_m + 0.2) for row in page] for page in pages(*args, **named)
        ),
    )
    assert 1 <= looks_of_two_days(world) <= 3


def test_activity_that_is_listed_and_answers_404_costs_a_look_a_day(world, monkeypatch):
    world.finish("run")

    def gone(*_):
        raise Gone("404")

    monkeypatch.setattr(StravaClient, "activity", gone)
    assert 1 <= looks_of_two_days(world) <= 3


def test_listing_queues_no_more_looks_than_the_budget_serves(world):
    ids = [world.finish(points=5, announce=False, hours_ago=hours) for hours in range(1, 9)]
    for _ in range(94):
        world.services.state.quota.reserve(Bucket.READ, Priority.LIVE)
    assert listed(world) == (Listed(athletes=1, lacking=8), ids[:3])
