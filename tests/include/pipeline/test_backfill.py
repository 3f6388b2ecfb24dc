"""A backfill loads what the lake lacks, at one call for each activity and one for each page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import BadRequest, NotConnected, QuotaSpent, UnexpectedShape
from include.pipeline import backfill
from include.pipeline.backfill import BackfillRequest, load, plan
from include.pipeline.ingest import plan as plan_events
from include.pipeline.reconcile import queue_due
from include.pipeline.services import open_services
from include.pipeline.sync import sync
from include.queue.queued_event import QueuedEvent
from include.state.activities import ActivityState, LedgerEntry
from include.strava.client import Priority
from include.strava.models import Activity

pytestmark = pytest.mark.network

PARENT_ID = 71
DAYS = {"athlete": PARENT_ID, "from": "2026-05-01", "to": "2026-06-17", "dry_run": False}


def history(world, count):
    """Older activities that no webhook told of, newest last."""
    kinds = ("run", "ride", "swim", "indoor_ride")
    return [
        world.finish(kinds[number % 4], hours_ago=24.0 * (count - number), points=20, announce=False)
        for number in range(count)
    ]


def planned(world, **changes):
    return plan(world.services, BackfillRequest.from_params({**DAYS, **changes}))


def loaded(world, batches):
    return [load(world.services, PARENT_ID, batch, listed_at_epoch_s=world.now[0]) for batch in batches]


def in_lake(world):
    return world.sql("SELECT activity_id FROM activities ORDER BY activity_id").column("activity_id").to_pylist()


def reads(world):
    return sum(world.calls().values()) - world.calls().get("POST /oauth/token", 0)


@pytest.mark.parametrize("count", [pytest.param(n, id=f"{n} activities") for n in (0, 1, 25, 26)])
def test_plan_puts_every_activity_into_exactly_one_batch(world, count):
    ids = history(world, count)
    batches = planned(world).batches
    assert [activity_id for batch in batches for activity_id in batch] == ids
    assert all(0 < len(batch) <= backfill.BATCH for batch in batches)


def test_backfill_fills_the_lake_and_a_second_one_finds_nothing_to_do(world):
    ids = history(world, 12)
    results = loaded(world, planned(world).batches)
    assert sum(result.loaded for result in results) == 12
    assert in_lake(world) == sorted(ids)
    again = planned(world)
    assert (again.found, again.in_lake, again.to_load) == (12, 12, 0)


def test_loading_costs_one_call_for_each_recorded_activity_and_none_for_manual_ones(world):
    history(world, 12)
    batches = planned(world).batches
    before = reads(world)
    loaded(world, batches)
    assert reads(world) - before == 9


def test_dry_run_counts_and_changes_nothing(world):
    history(world, 3)
    result = planned(world, dry_run=True)
    assert result.to_json() == {"found": 3, "in_lake": 0, "changed": 0, "to_load": 3, "unreadable": 0, "read_calls": 4}
    assert list(world.services.objects.list("")) == []


def test_days_bound_the_backfill_on_both_sides(world):
    ids = history(world, 10)
    days = {"from": "2026-06-10", "to": "2026-06-12"}
    batches = planned(world, **days).batches
    assert [list(batch) for batch in batches] == [ids[3:6]]


def test_spent_quota_stores_what_was_fetched_and_goes_on_where_it_stopped(world, monkeypatch):
    ids = history(world, 8)
    batch = planned(world).batches[0]
    fetch, fetched = world.services.strava.streams, []

    def until_spent(athlete_id, activity_id):
        if len(fetched) == 3:
            raise QuotaSpent("spent", until_epoch_s=world.now[0] + 60)
        fetched.append(activity_id)
        return fetch(athlete_id, activity_id)

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava, "streams", until_spent)
        with pytest.raises(QuotaSpent):
            load(world.services, PARENT_ID, batch, listed_at_epoch_s=world.now[0])
    assert set(fetched) <= set(in_lake(world))
    before = reads(world)
    load(world.services, PARENT_ID, batch, listed_at_epoch_s=world.now[0])
    assert in_lake(world) == sorted(ids)
    assert reads(world) - before == 6 - 3


def test_activity_edited_since_is_queued_for_a_live_sync(world):
    [activity_id] = history(world, 1)
    loaded(world, planned(world).batches)
    world.control.rename(activity_id, "another title")
    result = planned(world)
    assert (result.changed, result.to_load) == (1, 0)
    [message] = world.services.queue.receive(10, visibility_s=30)
    assert QueuedEvent.parse(message.body).event.object_id == activity_id
    assert "another title" not in message.body


@pytest.fixture
def unreadable_row(monkeypatch):
    """Makes one activity's list row unreadable."""

    def break_row(activity_id):
        parse = Activity.parse

        def parsed(answer, body=None):
            if answer["id"] == activity_id:
                raise UnexpectedShape(f"activity {activity_id}: start_date is no date")
            return parse(answer, body)

        monkeypatch.setattr(Activity, "parse", parsed)

    return break_row


def test_unreadable_row_is_quarantined_by_its_id_and_the_others_load(world, unreadable_row):
    ids = history(world, 4)
    unreadable_row(ids[1])
    result = planned(world)
    assert (result.found, result.to_load, result.unreadable, result.in_lake) == (4, 3, 1, 0)
    assert [activity_id for batch in result.batches for activity_id in batch] == [ids[0], *ids[2:]]
    entry = world.services.activities.get(PARENT_ID, ids[1])
    assert (entry.state, entry.next_try_epoch_s) == (ActivityState.QUARANTINED, None)
    assert "no date" in entry.reason


def test_unreadable_row_of_a_stored_activity_changes_nothing_about_it(world, unreadable_row):
    [activity_id] = history(world, 1)
    loaded(world, planned(world).batches)
    before = world.services.activities.get(PARENT_ID, activity_id)
    unreadable_row(activity_id)
    assert planned(world).unreadable == 1
    assert world.services.activities.get(PARENT_ID, activity_id) == before


def test_live_detail_is_not_replaced_by_a_list_row(world):
    activity_id = world.finish(name="kept")
    sync(world.services, world.item(activity_id), source="webhook")
    planned(world)
    assert world.services.raw.detail(PARENT_ID, activity_id).is_detail


def test_activity_that_a_live_run_holds_is_left_to_it(world):
    ids = history(world, 2)
    batches = planned(world).batches
    world.services.activities.acquire(PARENT_ID, ids[0])
    [result] = loaded(world, batches)
    assert (result.loaded, result.skipped) == (1, 1)
    assert in_lake(world) == [ids[1]]


def test_event_from_between_listing_and_loading_is_still_looked_at(world):
    [activity_id] = history(world, 1)
    listed = planned(world)
    world.now[0] += 60
    renamed = world.event(activity_id, aspect_type="update")
    world.now[0] += 60
    load(world.services, PARENT_ID, [activity_id], listed_at_epoch_s=listed.listed_at_epoch_s)
    assert [item.activity_id for item in plan_events(world.services, [renamed])] == [activity_id]


def test_row_of_an_earlier_backfill_that_was_given_up_is_replaced_by_todays(world):
    [activity_id] = history(world, 1)
    planned(world)
    world.control.rename(activity_id, "Renamed since")
    loaded(world, planned(world).batches)
    assert world.sql("SELECT name FROM activities").column("name").to_pylist() == ["Renamed since"]


def test_activity_that_waits_to_be_fetched_again_still_does(world):
    activity_id = world.finish(announce=False)
    sync(world.services, world.item(activity_id), source="webhook")
    lease = world.services.activities.acquire(PARENT_ID, activity_id)
    again_at = int(world.now[0]) + 300
    waiting = replace(lease.entry, state=ActivityState.PENDING, next_try_epoch_s=again_at)
    world.services.activities.postpone(lease, waiting)
    loaded(world, planned(world).batches)
    entry = world.services.activities.get(PARENT_ID, activity_id)
    assert (entry.state, entry.next_try_epoch_s) == (ActivityState.SYNCED, again_at)
    assert entry.object_keys == waiting.object_keys


def test_event_that_comes_while_the_quota_ends_is_looked_at_at_once(world, monkeypatch):
    [activity_id] = history(world, 1)
    [batch] = planned(world).batches

    def asked_and_spent(athlete_id, activity_id):
        assert world.services.activities.acquire(athlete_id, activity_id) is None
        raise QuotaSpent("spent", until_epoch_s=world.now[0] + 60)

    monkeypatch.setattr(world.services.strava, "streams", asked_and_spent)
    with pytest.raises(QuotaSpent):
        load(world.services, PARENT_ID, batch, listed_at_epoch_s=world.now[0])
    assert [entry.activity_id for entry in world.services.activities.due(world.now[0])] == [activity_id]


def test_streams_that_cannot_be_understood_quarantine_their_activity_and_the_others_load(world, monkeypatch):
    ids = history(world, 2)
    fetch = world.services.strava.streams

    def odd(athlete_id, activity_id):
        if activity_id == ids[0]:
            raise UnexpectedShape("streams are no lists")
        return fetch(athlete_id, activity_id)

    monkeypatch.setattr(world.services.strava, "streams", odd)
    [result] = loaded(world, planned(world).batches)
    assert (result.loaded, result.skipped, in_lake(world)) == (1, 1, [ids[1]])
    entry = world.services.activities.get(PARENT_ID, ids[0])
    assert (entry.state, entry.reason, entry.next_try_epoch_s) == (
        ActivityState.QUARANTINED,
        "streams are no lists",
        None,
    )


def test_activity_without_a_list_row_is_let_go(world):
    [result] = loaded(world, [(5,)])
    assert (result.loaded, result.skipped) == (0, 1)
    assert world.services.activities.acquire(PARENT_ID, 5) is not None


def test_unknown_athlete_is_refused_with_the_next_step(world):
    with pytest.raises(NotConnected, match="have them connect"):
        plan(world.services, BackfillRequest.from_params({**DAYS, "athlete": 12345}))


def test_days_in_the_wrong_order_are_refused():
    with pytest.raises(BadRequest, match="swap"):
        BackfillRequest.from_params({**DAYS, "from": "2026-06-18"})


def test_backfill_leaves_live_work_its_reserve(world):
    with open_services(world.settings, priority=Priority.BACKFILL, clock=world.services.clock) as services:
        for _ in range(90):
            services.strava.athlete(PARENT_ID)
        with pytest.raises(QuotaSpent):
            services.strava.athlete(PARENT_ID)
    assert world.services.strava.athlete(PARENT_ID).athlete_id == PARENT_ID


def test_planned_activities_are_due_one_after_the_other_until_they_are_loaded(world):
    ids = history(world, 3)
    batches = planned(world).batches
    due = {entry.activity_id: entry.due_at_epoch_s for entry in world.services.activities.due(float("inf"))}
    now = int(world.now[0])
    assert [due[activity_id] - now for activity_id in ids] == [1800, 1800 + 172, 1800 + 345]

    loaded(world, batches)
    assert list(world.services.activities.due(float("inf"))) == []


def test_backfill_whose_run_was_deleted_is_loaded_by_what_reconcile_queues(world):
    ids = history(world, 2)
    planned(world)
    world.now[0] += 3600
    assert queue_due(world.services).activities == 2

    for message in world.services.queue.receive(10, visibility_s=60):
        for item in plan_events(world.services, [QueuedEvent.parse(message.body).event]):
            sync(world.services, item, source="webhook")
    assert in_lake(world) == ids
    assert list(world.services.activities.due(float("inf"))) == []


def test_dry_run_makes_nothing_due(world):
    history(world, 2)
    planned(world, dry_run=True)
    assert list(world.services.activities.due(float("inf"))) == []


def test_event_that_is_newer_than_the_list_is_still_due_after_the_load(world):
    [activity_id] = history(world, 1)
    batches = planned(world).batches
    world.services.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(world.now[0]))
    loaded(world, batches)
    assert [entry.activity_id for entry in world.services.activities.due(float("inf"))] == [activity_id]


def test_activity_that_another_worker_holds_is_left_to_it_by_the_plan(world):
    [activity_id] = history(world, 1)
    lease = world.services.activities.acquire(PARENT_ID, activity_id)
    planned(world)
    row = LedgerEntry.unknown(PARENT_ID, activity_id)
    assert world.services.activities.settle(lease, row) is False
    assert list(world.services.activities.due(float("inf"))) == []
