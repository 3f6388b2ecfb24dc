"""What becomes of a row of Strava's list that cannot be read."""

from __future__ import annotations

import pytest

from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import Listed, list_athletes
from include.pipeline.reconcile.listing import quarantine
from include.state.activities.ledger import LedgerEntry
from include.strava.client import StravaClient, Unreadable

pytestmark = pytest.mark.network

PARENT_ID, REASON = 71, "activity: 'start_date' should be str, is NoneType"


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def test_unknown_activity_is_quarantined_without_a_time_and_is_not_due(world, caplog):
    quarantine(world.services, Unreadable(PARENT_ID, 5, REASON))

    assert entry(world, 5) == LedgerEntry.unknown(PARENT_ID, 5).quarantined(REASON, fetched_at_epoch_s=None)
    assert f"A row of the activity list of athlete 71 cannot be read: {REASON}" in caplog.text
    assert world.services.state.activities.acquire(PARENT_ID, 5), "nobody holds it"


def test_known_activity_and_one_that_a_worker_has_begun_with_stay_as_they_are(world):
    known = world.finish(announce=False)
    sync(world.services, world.item(known), source="webhook")
    world.services.state.activities.acquire(PARENT_ID, 5)
    before = [entry(world, activity_id) for activity_id in (known, 5)]

    for activity_id in (known, 5):
        quarantine(world.services, Unreadable(PARENT_ID, activity_id, REASON))

    assert [entry(world, activity_id) for activity_id in (known, 5)] == before


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
    known = world.finish(announce=False)
    sync(world.services, world.item(known), source="webhook")
    world.clock.advance(3600)

    def pages(self, athlete_id, *, unreadable, **bounds):
        for activity_id in (5, None, 6, known):
            unreadable(Unreadable(athlete_id, activity_id, REASON))
        yield []

    monkeypatch.setattr(StravaClient, "activities", pages)

    assert list_athletes(world.services, world.settings) == Listed(athletes=1)
    assert [entry(world, activity_id).state for activity_id in (5, 6, known)] == ["quarantined"] * 2 + ["synced"]
    assert world.services.queue.depth() == 0
