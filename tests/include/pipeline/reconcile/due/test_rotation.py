"""The progress of an athlete's lists as it is stored: the next older page, and what was fetched because of a list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.errors import QuotaSpent
from include.pipeline.ingest.fingerprint import Fingerprint
from include.pipeline.reconcile import due as reconcile
from include.pipeline.reconcile.due import Listed, list_athletes
from include.state.activities.ledger import LedgerEntry
from include.state.activities.observation import Observation
from include.state.listings import Listing, MonthShown
from include.strava.models import Activity
from tests.include.pipeline.reconcile.due.lists import HOUR_S, queued

PARENT_ID, DAY_S, ZONE = 71, 86_400, "Europe/Berlin"
SPENT = QuotaSpent("spent", until_epoch_s=0.0)


@pytest.fixture
def world(alone):
    """No Strava answers here but by a test's own words."""
    return alone


def row(activity_id, start_epoch_s, name="Run"):
    start_at = datetime.fromtimestamp(start_epoch_s, UTC).isoformat()
    answer = {"id": activity_id, "athlete": {"id": PARENT_ID}, "start_date": start_at, "name": name}
    return Activity.parse({**answer, "timezone": f"(GMT+01:00) {ZONE}"})


@pytest.fixture
def strava(world, monkeypatch):
    """Has Strava list activities that began so long ago, two on a page; returns the bounds that are asked for."""
    asked = []

    def show(*hours_ago, first_id=1, fails_at=None):
        now = world.clock.now_epoch_s
        rows = [row(number, now - hours * HOUR_S) for number, hours in enumerate(hours_ago, start=first_id)]

        def activities(athlete_id, *, before_epoch_s, **_):
            asked.append(before_epoch_s)
            if fails_at == len(asked):
                raise SPENT
            return iter([[one for one in rows if before_epoch_s is None or start(one) < before_epoch_s][:2]])

        monkeypatch.setattr(world.services.strava.client, "activities", activities)
        asked.clear()
        return rows

    show.asked = asked
    return show


def start(activity):
    return int(activity.start_at.timestamp())


def stored(world, activity, **changes):
    """The lake holds the activity as the list shows it, or otherwise."""
    activities = world.services.state.activities
    seen = Observation(world.clock.now_epoch_s, "Run", start(activity), str(Fingerprint.of(activity)))
    entry = LedgerEntry.unknown(PARENT_ID, activity.activity_id).synced(replace(seen, **changes), points=60)
    activities.settle(activities.acquire(PARENT_ID, activity.activity_id), entry)


def listed(world):
    """One listing, an hour after the last; what it found, and the ids that it queued."""
    world.clock.advance(HOUR_S)
    return list_athletes(world.services, world.settings), [event.object_id for event in queued(world)]


def progress(world):
    return world.services.state.listings.get(PARENT_ID)


def test_older_pages_follow_each_other_until_an_empty_one_and_rest_for_a_day_then(world, strava):
    rows = strava(1, 24, 48, 72)
    for one in rows:
        stored(world, one)
    begun = Listing(PARENT_ID, zone=ZONE)

    listed(world)
    after_first = start(rows[2]) + 1
    assert strava.asked == [None, start(rows[1]) + 1]
    newer_part = MonthShown(3, world.clock.now_epoch_s)
    assert progress(world) == replace(
        begun,
        listed_at_epoch_s=world.clock.now_epoch_s,
        older_before_epoch_s=after_first,
        older_newer_part=replace(newer_part, activities=2),
    )

    for before in (after_first, start(rows[3]) + 1):
        strava.asked.clear()
        listed(world)
        assert strava.asked == [None, before]
    ended_at = world.clock.now_epoch_s
    while progress(world).older_before_epoch_s is not None:
        listed(world)
        ended_at = world.clock.now_epoch_s
    assert progress(world) == replace(begun, listed_at_epoch_s=ended_at, older_from_epoch_s=ended_at + DAY_S)


@pytest.mark.parametrize(("passed_s", "calls"), [(DAY_S - 1, 1), (DAY_S, 2)])
def test_rotation_starts_again_a_day_after_its_end(world, strava, passed_s, calls):
    strava(1)
    listed(world), listed(world)
    assert progress(world).older_from_epoch_s == world.clock.now_epoch_s + DAY_S
    world.clock.advance(passed_s - HOUR_S)
    strava.asked.clear()
    listed(world)

    assert len(strava.asked) == calls


def test_newest_page_counts_and_the_older_one_comes_first_next_time_when_the_quota_ends_between_them(world, strava):
    rows = strava(1, 2, 48, 72, fails_at=2)

    assert listed(world) == (Listed(athletes=1, lacking=2), [1, 2])
    assert progress(world).older_before_epoch_s is None
    strava(2, 3, 49, 73)
    listed(world)
    assert strava.asked == [None, start(rows[1]) + 1]


def test_difference_on_an_older_page_is_queued_too_and_counted_once(world, strava):
    rows = strava(1, 2, 3)
    stored(world, rows[0]), stored(world, rows[1], fingerprint="2.a.b"), stored(world, rows[2], fingerprint="2.a.b")

    assert listed(world) == (Listed(athletes=1, changed=2), [2, 3])


def test_what_was_fetched_because_of_a_list_is_remembered_and_not_fetched_again_that_day(world, strava):
    rows = strava(1, 2, 3)
    stored(world, rows[0]), stored(world, rows[1], fingerprint="2.a.b")
    stored(world, row(9, world.clock.now_epoch_s - HOUR_S / 2))

    assert listed(world) == (Listed(athletes=1, lacking=1, changed=1, missing=1), [2, 3, 9])
    shown = {one.activity_id: str(Fingerprint.of(one)) for one in rows}
    assert progress(world).looked_for == (9,)
    assert dict(progress(world).looked_at) == {number: shown[number] for number in (2, 3)}

    assert listed(world)[1] == [3], "the ledger does not know it still"


def test_what_a_list_found_and_did_not_queue_is_not_remembered(world, strava, monkeypatch):
    monkeypatch.setattr(reconcile, "DIFFERENCES_AT_ONCE", 1)
    rows = strava(1, 2)
    stored(world, rows[0], fingerprint="2.a.b")
    stored(world, row(9, world.clock.now_epoch_s - HOUR_S / 2))

    assert listed(world)[1] == [1]
    assert (progress(world).looked_for, [number for number, _ in progress(world).looked_at]) == ((), [1])
    assert listed(world)[1] == [2]


def test_as_many_are_remembered_as_fit_the_latest_ones(world, strava, monkeypatch):
    monkeypatch.setattr(reconcile, "REMEMBERED", 2)
    looks, missed = [], []
    for number in range(1, 5):
        [shown] = strava(1, first_id=number)
        stored(world, shown, fingerprint="2.a.b")
        stored(world, row(20 + number, world.clock.now_epoch_s - HOUR_S / 2))
        listed(world)
        looks.append([each for each, _ in progress(world).looked_at])
        missed.append(progress(world).looked_for)

    assert looks == [[1], [1, 2], [2, 3], [3, 4]]
    assert missed == [(21,), (21, 22), (22, 23), (23, 24)]


def test_zone_stays_when_a_page_names_none(world, strava):
    strava(1)
    listed(world)
    strava()
    listed(world)

    assert progress(world).zone == ZONE
