"""What is as old as the settings allow goes, everything of it, and nothing brings it back unasked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import QuotaSpent, SettingsError
from include.lake.keys import gpx_key
from include.lake.objects.objects import Condition
from include.pipeline.backfill.history import keys, list_on
from include.pipeline.backfill.loading import load
from include.pipeline.ingest.events import plan as plan_events
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import Queued, list_athletes, queue_due
from include.pipeline.retention.expiry import Expired, kept_days
from include.state.activities.ledger import ActivityState
from tests.include.pipeline.retention.expiry.stored import PARENT_ID, entry, expired, objects, synced

pytestmark = pytest.mark.network

DAY_S = 86_400


def in_lake(world):
    return world.sql("SELECT activity_id FROM activities ORDER BY 1").column("activity_id").to_pylist()


def test_nothing_expires_before_its_time_or_without_one(world):
    synced(world)
    world.clock.advance(7 * DAY_S - 1)
    assert expired(world) == Expired(0)
    world.clock.advance(1000 * DAY_S)
    assert expired(world, days=None) == Expired(0)


def test_expired_activity_leaves_rows_raw_and_upload_files_but_not_the_ledger(world):
    activity_id = synced(world)
    world.services.lake.objects.put(gpx_key(PARENT_ID, activity_id, 72), b"gpx", expected=Condition.ABSENT)
    world.clock.advance(7 * DAY_S)
    result = expired(world)
    assert (result.activities, result.busy) == (1, 0)
    assert objects(world) == []
    left = entry(world, activity_id)
    assert (left.state, left.object_keys, left.points, left.next_try_epoch_s) == (ActivityState.EXPIRED, (), 0, None)
    assert expired(world) == Expired(0)


def test_younger_activities_of_the_same_month_stay(world):
    old = synced(world, hours_ago=30)
    world.clock.advance(4 * DAY_S)
    young = synced(world)
    world.clock.advance(3 * DAY_S)
    assert expired(world).activities == 1
    assert in_lake(world) == [young]
    assert {key for key in objects(world) if str(old) in key} == set()


def test_reconcile_and_listing_do_not_bring_the_expired_back(world):
    activity_id = synced(world)
    world.clock.advance(7 * DAY_S)
    expired(world)
    world.control.rename(activity_id, "edited since")
    world.clock.advance(3600)
    assert (list_athletes(world.services, world.settings).to_json()["athletes"], queue_due(world.services)) == (
        1,
        Queued(0, 0),
    )
    assert world.services.queue.depth() == 0


def test_expired_activity_that_an_event_asks_for_outlives_the_night_in_which_it_waits_for_quota(world, monkeypatch):
    activity_id = synced(world)
    world.clock.advance(7 * DAY_S)
    expired(world)
    world.clock.advance(3 * DAY_S)

    def spent(*_):
        raise QuotaSpent("spent", until_epoch_s=world.clock.now_epoch_s + 60)

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "activity", spent)
        sync(world.services, world.item(activity_id), source="webhook")
    assert expired(world) == Expired(0)

    world.clock.advance(900)
    assert queue_due(world.services) == Queued(activities=1, copies=0)
    sync(world.services, world.item(activity_id), source="webhook")
    assert in_lake(world) == [activity_id]


def test_event_brings_the_activity_back_freshly_fetched(world):
    activity_id = synced(world)
    world.clock.advance(7 * DAY_S)
    expired(world)
    world.clock.advance(60)
    [item] = plan_events(world.services, [world.event(activity_id, aspect_type="update")])
    sync(world.services, item, source="webhook")
    assert in_lake(world) == [activity_id]
    assert expired(world) == Expired(0)


def test_backfill_brings_the_activity_back_because_an_operator_asks(world):
    activity_id = synced(world)
    world.clock.advance(7 * DAY_S)
    expired(world)
    days = {"athlete": PARENT_ID, "from": "2026-06-01", "to": "2026-06-30", "dry_run": False}
    load(world.services, keys(list_on(world.services, world.ask(days))))
    assert in_lake(world) == [activity_id]


def test_dry_run_counts_and_changes_nothing(world):
    activity_id = synced(world)
    world.clock.advance(7 * DAY_S)
    before = (objects(world), entry(world, activity_id))
    assert expired(world, dry_run=True) == Expired(1)
    assert (objects(world), entry(world, activity_id)) == before


def test_activity_that_another_worker_holds_is_left_to_the_next_night(world):
    activity_id = synced(world)
    world.clock.advance(7 * DAY_S)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    assert expired(world) == Expired(0, busy=0)  # it waits to be fetched again when the lease ends
    assert not world.services.state.activities.settle(lease, lease.entry)
    assert expired(world).activities == 1


def test_activity_that_waits_to_be_fetched_again_is_left_to_that_for_a_day(world):
    activity_id = synced(world)
    world.clock.advance(7 * DAY_S)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    waiting = replace(lease.entry, state=ActivityState.PENDING, next_try_epoch_s=int(world.clock.now_epoch_s))
    world.services.state.activities.postpone(lease, waiting)
    assert expired(world) == Expired(0)
    world.clock.advance(DAY_S)
    assert expired(world).activities == 1


def test_event_while_the_activity_is_deleted_brings_it_back(world, monkeypatch):
    activity_id = synced(world)
    world.clock.advance(7 * DAY_S)
    advance = world.services.state.activities.advance

    def asked_meanwhile(lease, marked):
        assert world.services.state.activities.acquire(PARENT_ID, activity_id) is None
        return advance(lease, marked)

    monkeypatch.setattr(world.services.state.activities, "advance", asked_meanwhile)
    assert expired(world).activities == 1
    assert queue_due(world.services) == Queued(activities=1, copies=0)


def test_what_an_archive_brought_does_not_expire(world):
    activity_id = synced(world)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    world.services.state.activities.settle(lease, replace(lease.entry, fetched_at_epoch_s=None))
    world.clock.advance(1000 * DAY_S)
    assert expired(world) == Expired(0)


def test_event_about_an_activity_that_was_only_listed_is_not_taken_for_answered(world):
    activity_id = world.finish(announce=False)
    event = world.event(activity_id)
    days = {"athlete": PARENT_ID, "from": "2026-01-01", "to": "2026-12-31", "dry_run": False}
    list_on(world.services, world.ask(days))
    world.clock.advance(3600)
    expired(world)
    assert [item.activity_id for item in plan_events(world.services, [event])] == [activity_id]


def test_event_that_arrives_meanwhile_wins(world, monkeypatch):
    activity_id = synced(world)
    world.clock.advance(7 * DAY_S)
    remove = world.services.lake.raw.remove

    def interrupted(*arguments, **named):
        assert world.services.state.activities.acquire(PARENT_ID, activity_id) is None
        remove(*arguments, **named)

    monkeypatch.setattr(world.services.lake.raw, "remove", interrupted)
    assert expired(world).activities == 1
    assert queue_due(world.services) == Queued(1, 0)


class Killed(Exception):
    """The process ends here."""


@pytest.mark.parametrize("step", range(1, 10))
def test_night_that_dies_at_any_step_is_finished_by_the_next_and_nothing_comes_back(world, monkeypatch, step):
    ids = [synced(world, hours_ago=1), synced(world, hours_ago=2)]
    world.clock.advance(7 * DAY_S)
    steps = iter(range(1, 1000))
    store, delete = world.services.state.activities._put, world.services.lake.objects.delete

    def dying(call):
        def called(*arguments, **named):
            if next(steps) == step:
                raise Killed
            return call(*arguments, **named)

        return called

    with monkeypatch.context() as patched:
        patched.setattr(world.services.state.activities, "_put", dying(store))
        patched.setattr(world.services.lake.objects, "delete", dying(delete))
        with pytest.raises(Killed):
            expired(world)
    for _ in range(3):
        world.clock.advance(DAY_S)
        requeued = queue_due(world.services).activities
        expired(world)
        # Only a death between a lease and its mark leaves a row that reconcile may find first; then Strava is asked.
        assert requeued == 0 or step in (2, 4)
    assert objects(world) == []
    assert {entry(world, activity_id).state for activity_id in ids} == {ActivityState.EXPIRED}


@pytest.mark.parametrize(
    ("value", "state", "days"),
    [
        pytest.param("", "sqlite:///x/y", None, id="not set on one machine"),
        pytest.param("keep", "sqlite:///x/y", None, id="keep"),
        pytest.param("7", "sqlite:///x/y", 7, id="days"),
        pytest.param("keep", "dynamodb://strava-", None, id="keep on AWS"),
        pytest.param("30", "dynamodb://strava-", 30, id="days on AWS"),
    ],
)
def test_setting_says_how_long(settings, value, state, days):
    assert kept_days(replace(settings, retention_days=value, state_url=state)) == days


def test_owner_has_to_decide_on_aws(settings):
    with pytest.raises(SettingsError, match="RETENTION_DAYS"):
        kept_days(replace(settings, retention_days="", state_url="dynamodb://strava-"))


def test_expired_activity_that_an_event_asks_for_is_left_to_it(world):
    activity_id = synced(world)
    world.clock.advance(8 * DAY_S)
    expired(world)
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(world.clock.now_epoch_s))

    expired(world)
    world.clock.advance(1800)

    assert queue_due(world.services) == Queued(activities=1, copies=0)
