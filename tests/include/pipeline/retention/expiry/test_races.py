"""What expires together, beside other work and at its time; what another worker holds is left to the next night."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from include.errors import LeaseLost, SettingsError
from include.lake.objects.objects import Condition
from include.pipeline.ingest.sync import sync
from include.pipeline.retention import expiry
from include.pipeline.retention.expiry import Expired, kept_days
from include.state.activities.ledger import ActivityState, LedgerEntry
from tests.include.pipeline.retention.expiry.stored import PARENT_ID, entry, expired, objects, synced

pytestmark = pytest.mark.network

DAY_S = 86_400


def stored(world, count, **values):
    return [synced(world, hours_ago=1 + 3 * at, points=5, **values) for at in range(count)]


@pytest.fixture
def before_lease(world, monkeypatch):
    """Has this happen to an activity after it was found due, before it is leased."""
    acquire = world.services.state.activities.acquire

    def happen(wanted_id, work):
        works = [work]

        def acquire_after(athlete_id, activity_id, **options):
            if activity_id == wanted_id and works:
                works.pop()()
            return acquire(athlete_id, activity_id, **options)

        monkeypatch.setattr(world.services.state.activities, "acquire", acquire_after)

    return happen


def test_night_counts_what_went_and_what_others_hold(world, before_lease):
    held, other = stored(world, 2)
    world.clock.advance(7 * DAY_S)
    leases = []
    before_lease(held, lambda: leases.append(world.services.state.activities.acquire(PARENT_ID, held)))

    found = expired(world)

    assert (found, found.counts) == (Expired(1, busy=1), {"expired": 1, "busy": 1})
    assert [entry(world, number).state for number in (held, other)] == [ActivityState.SYNCED, ActivityState.EXPIRED]
    assert not world.services.state.activities.settle(leases[0], leases[0].entry), "the other is not asked to fetch"


def test_activity_that_is_fetched_meanwhile_is_young_and_stays(world, before_lease):
    [activity_id] = stored(world, 1)
    world.clock.advance(7 * DAY_S)

    def fetch_all_again():
        activities = world.services.state.activities
        lease = activities.acquire(PARENT_ID, activity_id)
        activities.settle(lease, replace(lease.entry, fingerprint=""))
        sync(world.services, world.item(activity_id), source="webhook")

    before_lease(activity_id, fetch_all_again)

    assert expired(world) == Expired(0, busy=1)
    left = entry(world, activity_id)
    assert (left.state, left.fetched_at_epoch_s, left.due_at_epoch_s) == ("synced", world.clock.now_epoch_s, None)
    assert len(objects(world)) == 5
    assert world.services.state.activities.acquire(PARENT_ID, activity_id), "its lease was let go"


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_rows_of_many_are_removed_together(world, monkeypatch, at_once):
    monkeypatch.setattr(expiry, "AT_ONCE", at_once)
    ids = stored(world, 3)
    world.clock.advance(4 * DAY_S)
    young = synced(world)
    world.clock.advance(3 * DAY_S)
    put, written = world.services.lake.objects.put, Counter()
    monkeypatch.setattr(
        world.services.lake.objects, "put", lambda key, *a, **k: (written.update([key]), put(key, *a, **k))
    )

    assert expired(world) == Expired(3)
    assert {*written.values()} == {-(-3 // at_once)}
    assert [entry(world, number).object_keys for number in ids] == [()] * 3
    assert world.sql("SELECT activity_id FROM activities").column("activity_id").to_pylist() == [young]


def test_objects_of_a_month_go_unwritten_however_the_ids_of_two_months_alternate(world, monkeypatch):
    for hours_ago in (1, 24 * 31, 4, 24 * 31 + 4):
        synced(world, hours_ago=hours_ago, points=5)
    world.clock.advance(7 * DAY_S)
    put, written = world.services.lake.objects.put, []
    monkeypatch.setattr(
        world.services.lake.objects, "put", lambda key, *a, **k: (written.append(key), put(key, *a, **k))
    )

    assert expired(world) == Expired(4)
    assert [key for key in written if key.startswith("streams/")] == []
    assert objects(world) == []


def test_lease_that_is_lost_stops_the_deletion(world, monkeypatch):
    ids = stored(world, 2)
    world.clock.advance(7 * DAY_S)
    check = world.services.state.activities.check

    def lost(lease):
        if lease.activity_id == max(ids):
            raise LeaseLost("it ran out")
        check(lease)

    monkeypatch.setattr(world.services.state.activities, "check", lost)
    before = objects(world)

    with pytest.raises(LeaseLost):
        expired(world)
    assert objects(world) == before


def broken_off(world, **changes):
    """An activity that was marked as expired by a night that died before it deleted anything."""
    [activity_id] = stored(world, 1)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    world.services.state.activities.settle(lease, replace(lease.entry.expired(), **changes))
    return activity_id


@pytest.mark.parametrize("days", [None, 7])
def test_night_that_broke_off_is_finished_whatever_the_setting_is_now(world, days):
    activity_id = broken_off(world)

    assert expired(world, days) == Expired(1)
    assert objects(world) == []
    assert expired(world, days) == Expired(0)
    assert entry(world, activity_id).object_keys == ()


def test_expired_activity_without_rows_that_is_still_due_is_finished(world):
    activity_id = broken_off(world, object_keys=(), next_try_epoch_s=int(world.clock.now_epoch_s))

    assert expired(world) == Expired(1)
    assert entry(world, activity_id).due_at_epoch_s is None


def test_entry_of_an_expired_activity_says_what_it_was_and_nothing_more(world):
    [activity_id] = stored(world, 1)
    before = entry(world, activity_id)
    world.clock.advance(7 * DAY_S)
    expired(world)

    assert entry(world, activity_id) == replace(before.expired(), object_keys=())


@pytest.mark.parametrize(
    ("passed_s", "count"),
    [(7 * DAY_S - 1, 0), (7 * DAY_S, 0), (8 * DAY_S - 1, 0), (8 * DAY_S, 1)],
    ids=["young", "old", "almost a day longer", "a day longer"],
)
def test_activity_that_waits_to_be_fetched_has_a_day_more(world, passed_s, count):
    [activity_id] = stored(world, 1)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    waiting = lease.entry.waiting("quota", next_try_epoch_s=int(world.clock.now_epoch_s) + 900)
    world.services.state.activities.postpone(lease, waiting)
    world.clock.advance(passed_s)

    assert expired(world) == Expired(count)


# --- raw objects without a time -------------------------------------------------------------------


def raw(world, activity_id, name="detail"):
    key = f"raw/athlete_id={PARENT_ID}/{activity_id}.{name}.json.gz"
    world.services.lake.objects.put(key, b"x", expected=Condition.ABSENT)
    return key


def test_raw_object_that_nobody_knows_gets_this_night_as_its_time_and_is_not_due(world):
    raw(world, 5), raw(world, 5, "streams")

    assert [expired(world, None), expired(world, dry_run=True)] == [Expired(0)] * 2
    assert entry(world, 5) is None
    assert expired(world) == Expired(0)

    adopted = entry(world, 5)
    assert (adopted.fetched_at_epoch_s, adopted.due_at_epoch_s) == (world.clock.now_epoch_s, None)
    assert adopted.state is ActivityState.PENDING
    world.clock.advance(DAY_S)
    expired(world)
    assert entry(world, 5) == adopted


def test_raw_object_that_has_a_time_keeps_no_other_from_getting_one(world):
    [known] = stored(world, 1)
    world.clock.advance(60)
    raw(world, known + 1)
    expired(world)

    assert entry(world, known).fetched_at_epoch_s == world.clock.now_epoch_s - 60
    assert entry(world, known + 1).fetched_at_epoch_s == world.clock.now_epoch_s


def test_object_that_is_no_raw_answer_is_left_alone(world):
    keys = [f"raw/athlete_id={PARENT_ID}/readme.txt", raw(world, 5) + ".bak"]
    for key in keys:
        world.services.lake.objects.put(key, b"x", expected=Condition.ABSENT)
    world.clock.advance(7 * DAY_S)
    expired(world)
    world.clock.advance(7 * DAY_S)

    assert expired(world) == Expired(1)
    assert set(objects(world)) == set(keys)


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        pytest.param({"object_keys": ()}, False, id="nothing is left of it"),
        pytest.param({"next_try_epoch_s": 1, "object_keys": ()}, True, id="it is to be fetched"),
    ],
)
def test_late_raw_answer_of_a_removed_activity_goes_at_once_unless_it_is_to_be_fetched(world, changes, stays):
    activities = world.services.state.activities
    lease = activities.acquire(PARENT_ID, 5)
    removed = replace(LedgerEntry.unknown(PARENT_ID, 5).removed(1.0, "gone"), **changes)
    activities.settle(lease, removed)
    key = raw(world, 5)

    expired(world)

    assert (key in objects(world)) is stays
    assert entry(world, 5) == removed


def test_owner_is_told_what_to_decide_on_aws(settings):
    with pytest.raises(SettingsError) as undecided:
        kept_days(replace(settings, retention_days="", state_url="dynamodb://strava-"))
    assert str(undecided.value) == (
        "RETENTION_DAYS is not set. Strava's API terms allow data to be cached for 7 days: decide, and set it to a "
        "number of days, or to `keep`."
    )
