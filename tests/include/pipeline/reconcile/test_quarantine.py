"""What becomes of a row of Strava's list that cannot be read."""

from __future__ import annotations

import pytest

from include.pipeline.reconcile.due import Listed, list_athletes
from include.pipeline.reconcile.listing import quarantine
from include.state.activities.ledger import LedgerEntry
from include.state.activities.observation import Observation
from include.strava.client import StravaClient, Unreadable

PARENT_ID, REASON = 71, "activity: 'start_date' should be str, is NoneType"


@pytest.fixture
def world(alone):
    """No Strava answers here but by a test's own words."""
    return alone


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def stored(world, activity_id):
    """The lake holds the activity."""
    activities, now = world.services.state.activities, world.clock.now_epoch_s
    lease = activities.acquire(PARENT_ID, activity_id)
    seen = Observation(now, "Run", int(now) - 3600, "2.a.b")
    activities.settle(lease, LedgerEntry.unknown(PARENT_ID, activity_id).synced(seen, points=60))


def test_unknown_activity_is_quarantined_without_a_time_and_is_not_due(world, caplog):
    quarantine(world.services, Unreadable(PARENT_ID, 5, REASON))

    assert entry(world, 5) == LedgerEntry.unknown(PARENT_ID, 5).quarantined(REASON, fetched_at_epoch_s=None)
    assert f"A row of the activity list of athlete 71 cannot be read: {REASON}" in caplog.text
    assert world.services.state.activities.acquire(PARENT_ID, 5), "nobody holds it"


def test_known_activity_and_one_that_a_worker_has_begun_with_stay_as_they_are(world):
    stored(world, 4)
    world.services.state.activities.acquire(PARENT_ID, 5)
    before = [entry(world, activity_id) for activity_id in (4, 5)]

    for activity_id in (4, 5):
        quarantine(world.services, Unreadable(PARENT_ID, activity_id, REASON))

    assert [entry(world, activity_id) for activity_id in (4, 5)] == before


@pytest.mark.parametrize("begins", ["a fetch", "an event"])
def test_activity_that_becomes_known_meanwhile_is_not_quarantined(world, monkeypatch, begins):
    activities, now = world.services.state.activities, int(world.clock.now_epoch_s)
    held = activities.held

    def held_after(athlete_id, activity_id):
        if begins == "a fetch":
            activities.acquire(athlete_id, activity_id)
        else:
            activities.make_due(athlete_id, activity_id, asked_at_epoch_s=now, due_at_epoch_s=now)
        return held(athlete_id, activity_id)

    monkeypatch.setattr(activities, "held", held_after)
    quarantine(world.services, Unreadable(PARENT_ID, 5, REASON))

    assert entry(world, 5).state == "pending"


def test_row_without_an_id_is_only_logged(world, caplog):
    quarantine(world.services, Unreadable(PARENT_ID, None, REASON))

    assert list(world.services.state.activities.of_athlete(PARENT_ID)) == []
    assert REASON in caplog.text


def test_list_with_unreadable_rows_quarantines_each_and_misses_none_of_them(world, monkeypatch):
    stored(world, 4)

    def pages(self, athlete_id, *, unreadable, **bounds):
        for activity_id in (5, None, 6, 4):
            unreadable(Unreadable(athlete_id, activity_id, REASON))
        yield []

    monkeypatch.setattr(StravaClient, "activities", pages)

    assert list_athletes(world.services, world.settings) == Listed(athletes=1)
    assert [entry(world, activity_id).state for activity_id in (5, 6, 4)] == ["quarantined"] * 2 + ["synced"]
    assert world.services.queue.depth() == 0
