"""Whose list is read when, and how many calls that takes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.errors import ApplicationInactive, StravaUnavailable, TokenRefused
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile import due as reconcile
from include.pipeline.reconcile.due import Listed, list_athletes
from include.pipeline.reconcile.turns import intervals_s, stretch_factor
from include.queue.content import LookAgain
from include.strava.models import Activity, Subscription
from include.strava.quota import Bucket, Limits, Priority
from tests.include.pipeline.reconcile.due.lists import HOUR_S, listed, queued, synced

pytestmark = pytest.mark.network

PARENT_ID = 71


def lists_of(world, function):
    """How often `function` had Strava list."""
    before = sum(count for route, count in world.calls().items() if route.endswith("/athlete/activities"))
    function()
    return sum(count for route, count in world.calls().items() if route.endswith("/athlete/activities")) - before


def test_athlete_has_a_turn_once_an_hour_at_two_calls_a_page_more_only_while_there_are_older_ones(world):
    synced(world)
    calls = []
    for _ in range(12):
        calls.append(lists_of(world, lambda: list_athletes(world.services, world.settings)))
        world.clock.advance(900)
    # The second hour's older page is the empty one that ends the rotation; it rests for a day.
    assert calls == [2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]


def test_older_pages_come_in_rotation_and_without_a_gap(world, monkeypatch):
    monkeypatch.setattr("include.strava.client.PER_PAGE", 2)
    ids = [synced(world, hours_ago=24 * number) for number in range(1, 6)]
    world.control.rename(ids[-1], "found at last")
    found = []
    for _ in range(4):
        found.append(listed(world)[1])
        world.clock.advance(HOUR_S)
    assert found[0] == []
    assert [ids[-1]] in found


def test_two_runs_at_once_list_an_athlete_once(world):
    world.finish(announce=False)
    turns = [list_athletes(world.services, world.settings) for _ in range(2)]
    assert [turn.athletes for turn in turns] == [1, 0]
    assert len(queued(world)) == 1


def test_athlete_waits_for_the_quota_and_keeps_the_turn(world):
    activity_id = world.finish(announce=False)
    for _ in range(100):
        world.services.state.quota.reserve(Bucket.READ, Priority.LIVE)
    assert listed(world) == (Listed(waiting=1), [])
    world.clock.advance(900)
    assert listed(world) == (Listed(athletes=1, lacking=1), [activity_id])


def test_newest_page_is_dealt_with_when_the_quota_ends_after_it(world):
    activity_id = world.finish(announce=False)
    for _ in range(99):
        world.services.state.quota.reserve(Bucket.READ, Priority.LIVE)
    assert listed(world) == (Listed(athletes=1, lacking=1), [activity_id])


def test_refused_athlete_does_not_keep_the_others_from_being_listed(world, monkeypatch):
    world.connect(70)
    activity_id = world.finish(announce=False)
    list_page = world.services.strava.client.activities

    def refuse_one(athlete_id, **bounds):
        if athlete_id == 70:
            raise TokenRefused("athlete 70 has to connect again")
        return list_page(athlete_id, **bounds)

    monkeypatch.setattr(world.services.strava.client, "activities", refuse_one)
    found, ids = listed(world)
    assert (found.athletes, found.refusals, ids) == (1, ("athlete 70 has to connect again",), [activity_id])
    assert found.to_json()["refusals"] == 1


@pytest.mark.parametrize("outage", [StravaUnavailable, ApplicationInactive])
def test_outage_ends_the_listing_and_the_athlete_keeps_the_turn(world, monkeypatch, outage):
    activity_id = world.finish(announce=False)

    def fail(*_, **__):
        raise outage("Strava is out of order")

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "activities", fail)
        with pytest.raises(outage):
            list_athletes(world.services, world.settings)
    assert listed(world)[1] == [activity_id]


def test_athlete_whose_list_always_fails_keeps_nobody_from_being_listed(world, monkeypatch):
    world.connect(70)
    activity_id = world.finish(announce=False)
    list_page = world.services.strava.client.activities

    def fail_one(athlete_id, **bounds):
        if athlete_id == 70:
            raise StravaUnavailable("Strava fails for this list")
        return list_page(athlete_id, **bounds)

    monkeypatch.setattr(world.services.strava.client, "activities", fail_one)
    for _ in range(2):
        with pytest.raises(StravaUnavailable):
            list_athletes(world.services, world.settings)
        world.clock.advance(1)
    assert [event.object_id for event in queued(world)] == [activity_id]


def test_one_listing_queues_a_bounded_number_and_the_next_the_rest(world, monkeypatch):
    monkeypatch.setattr(reconcile, "DIFFERENCES_AT_ONCE", 2)
    ids = [world.finish(announce=False, hours_ago=number) for number in range(1, 4)]
    assert listed(world)[1] == ids[:2]
    for activity_id in ids[:2]:
        sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(HOUR_S)
    assert listed(world)[1] == ids[2:]


@pytest.mark.parametrize(
    ("athletes", "reads", "hours"),
    [
        pytest.param(0, 1000, 1, id="nobody"),
        pytest.param(1, 1000, 1, id="one"),
        pytest.param(10, 1000, 1, id="as many as half a day's reads allow"),
        pytest.param(100, 1000, 9.6, id="ten times as many"),
        pytest.param(1000, 100_000, 1, id="a large application"),
    ],
)
def test_turns_take_half_of_the_days_reads_at_most(athletes, reads, hours):
    every_s = HOUR_S * stretch_factor((HOUR_S,) * athletes, Limits(read_day=reads))
    assert every_s == hours * HOUR_S
    assert athletes * 2 * 86_400 / every_s <= reads / 2


def turns(world, hours):
    """How often the parent is listed in so many hours."""
    taken = 0
    for _ in range(hours):
        world.clock.advance(HOUR_S)
        taken += list_athletes(world.services, world.settings).athletes
    return taken


def test_athlete_is_listed_every_six_hours_while_events_arrive_and_hourly_without(world):
    assert turns(world, 12) == 12
    world.services.state.subscriptions.save(Subscription(9, "http://localhost/webhook"))
    assert turns(world, 12) == 12
    plan(world.services, [world.event(1, subscription_id=9)])
    assert turns(world, 12) == 2
    assert turns(world, 24) == 2 + 12  # a day after the last event nobody can rely on them


@pytest.mark.parametrize(
    ("since_event_s", "read_day", "hours"),
    [
        pytest.param(0, 1000, 6, id="events arrive"),
        pytest.param(24 * HOUR_S - 1, 1000, 6, id="one came within a day"),
        pytest.param(24 * HOUR_S, 1000, 1, id="none came for a day"),
        pytest.param(24 * HOUR_S, 48, 2, id="the day has half the reads that this takes"),
    ],
)
def test_interval_is_a_few_minutes_short_of_whole_hours_so_that_a_run_a_little_early_is_no_hour_late(
    world, since_event_s, read_day, hours
):
    world.services.state.subscriptions.save(Subscription(9, "http://localhost/webhook"))
    world.services.state.subscriptions.note_event(9, world.clock.now_epoch_s - since_event_s)
    athletes = list(world.services.state.athletes.all())

    waits_s = intervals_s(world.services, world.settings, athletes, Limits(read_day=read_day))

    assert waits_s == {PARENT_ID: hours * HOUR_S - 300}


def test_event_of_our_own_does_not_count_as_one_that_arrived(world):
    world.services.state.subscriptions.save(Subscription(9, "http://localhost/webhook"))
    plan(world.services, [LookAgain(PARENT_ID, 1, world.clock.now_epoch_s).event])
    assert turns(world, 6) == 6


def test_athlete_of_whom_strava_sends_no_events_is_listed_hourly(world):
    world.services.state.subscriptions.save(Subscription(9, "http://localhost/webhook"))
    plan(world.services, [world.event(1, subscription_id=9)])
    world.connect(PARENT_ID, ("read", "activity:read_all"))
    assert turns(world, 6) == 6


def test_rotation_through_the_older_pages_starts_again_a_day_after_its_last_page(world, monkeypatch):
    monkeypatch.setattr("include.strava.client.PER_PAGE", 2)
    ids = [synced(world, hours_ago=24 * number) for number in range(1, 5)]
    for _ in range(8):
        listed(world)
        world.clock.advance(HOUR_S)
    world.clock.advance(24 * HOUR_S)
    world.control.rename(ids[2], "Renamed on a page that the first rotation has left behind")
    queued_again = []
    for _ in range(8):
        queued_again += listed(world)[1]
        world.clock.advance(HOUR_S)

    assert ids[2] in queued_again


def test_children_who_only_let_us_write_take_no_turns(world):
    for child_id in range(200, 208):
        world.connect(child_id, ("read", "activity:write"))
    world.services.state.quota.observe({"x-ratelimit-limit": "40,2000", "x-readratelimit-limit": "20,1000"})
    before = sum(world.calls().values())
    listed = list_athletes(world.services, world.settings)
    assert (listed.athletes, listed.refusals, listed.waiting) == (1, (), 0)
    assert sum(world.calls().values()) - before <= 2


def test_listing_queues_fifty_differences_and_the_next_one_the_rest(world, monkeypatch):
    now = int(world.clock.now_epoch_s)
    world.services.state.quota.observe({"x-ratelimit-limit": "400,4000", "x-readratelimit-limit": "400,4000"})
    answer = {"athlete": {"id": PARENT_ID}, "name": "Run", "sport_type": "Run", "distance": 250.0}
    starts = {number: datetime.fromtimestamp(now - number, UTC).isoformat() for number in range(1, 52)}
    rows = [Activity.parse({**answer, "id": number, "start_date": start}) for number, start in starts.items()]
    monkeypatch.setattr(world.services.strava.client, "activities", lambda *_, **__: iter([rows]))

    found, ids = listed(world)

    assert (found, ids) == (Listed(athletes=1, lacking=51, changed=0, missing=0, waiting=0), [*range(1, 51)])
