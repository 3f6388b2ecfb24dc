"""Who works for the athlete while everything goes brings nothing back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import IngestError, NotConnected, RetryLater
from include.lake.keys import gpx_key, raw_detail_key
from include.lake.objects.objects import Condition
from include.pipeline.erasure import watch as erasure_watch
from include.pipeline.erasure.erase import EraseRequest, Outcome
from include.pipeline.erasure.watch import remove_late_records, remove_late_records_everywhere
from include.pipeline.ingest.sync import sync
from include.state.copies.ledger import Copy, CopyState
from include.state.erasures.ledger import EraseReason

pytestmark = pytest.mark.network

ANN, REX = 71, 72
THEIR_ACTIVITY = 900_001
OPERATOR = EraseRequest(ANN, EraseReason.OPERATOR)


def assert_gone(place):
    assert place.rows_of(ANN) == []
    assert place.objects_of(ANN) == []
    assert not list(place.lake.rglob(f"athlete_id={ANN}"))


def test_late_sync_and_backfill_of_an_erased_athlete_write_nothing(world, place):
    activity_id = world.finish(name="Late")
    place.run(OPERATOR)

    synced = sync(world.services, world.item(activity_id), source="webhook")
    with pytest.raises(NotConnected):
        world.ask({"athlete": ANN, "from": "2026-01-01", "to": "2026-12-31", "dry_run": False})

    assert synced.points == 0
    assert_gone(place)


def test_copies_planned_late_for_an_erased_child_go(world, place):
    link = world.services.state.links.get(REX, ANN)
    place.run(OPERATOR)
    world.services.state.copies.plan(Copy(THEIR_ACTIVITY, ANN, REX, CopyState.PLANNED))

    assert link is not None
    assert world.services.state.copies.acquire(THEIR_ACTIVITY, ANN) is None
    assert_gone(place)


class _Racing:
    """Strava as the sync sees it: an erasure runs to where it has to wait, after the answer and before the writes."""

    def __init__(self, strava, race):
        self._strava = strava
        self._race = race

    def activity(self, athlete_id, activity_id):
        answer = self._strava.activity(athlete_id, activity_id)
        self._race()
        return answer

    def streams(self, athlete_id, activity_id):
        return self._strava.streams(athlete_id, activity_id)


def test_sync_that_runs_meanwhile_is_waited_for_and_brings_nothing_back(world, place):
    activity_id = world.finish(name="At the same time")
    refusals = []

    def race():
        with pytest.raises(RetryLater, match="continues when that run has ended") as refusal:
            place.run(OPERATOR)
        refusals.append(refusal)

    client = _Racing(world.services.strava.client, race)
    racing = replace(world.services, strava=replace(world.services.strava, client=client))
    with pytest.raises(NotConnected):
        sync(racing, world.item(activity_id), source="webhook")

    assert len(refusals) == 1
    assert place.run(OPERATOR).outcome is Outcome.ERASED
    assert_gone(place)


def test_sync_that_stalled_until_after_the_erasure_loses_its_lease(world, place):
    activity_id = world.finish(name="Stalled")

    def race():
        world.clock.advance(400)
        place.run(OPERATOR)

    client = _Racing(world.services.strava.client, race)
    racing = replace(world.services, strava=replace(world.services.strava, client=client))
    with pytest.raises(IngestError):
        sync(racing, world.item(activity_id), source="webhook")

    assert_gone(place)


def test_what_a_stalled_worker_writes_after_all_is_removed_by_a_second_look_or_at_night(world, place):
    place.run(OPERATOR)
    world.services.lake.objects.put(raw_detail_key(ANN, 5), b"late", expected=Condition.ANYTHING)
    world.services.lake.objects.put(gpx_key(REX, 5, ANN), b"late", expected=Condition.ANYTHING)

    assert remove_late_records(world.services) == 1
    assert remove_late_records(world.services) == 0
    assert place.objects_of(ANN) == [gpx_key(REX, 5, ANN)]
    world.clock.advance(29 * 86_400)
    assert remove_late_records(world.services) == 0
    assert remove_late_records_everywhere(world.services) == 1
    assert place.objects_of(ANN) == []


def test_unreadable_object_of_copies_does_not_stand_in_the_way(world, place):
    (key,) = [key for key in world.services.lake.objects.list("copies/") if key.endswith(f"/{REX}.parquet")]
    world.services.lake.objects.put(key, b"no parquet", expected=Condition.ANYTHING)
    place.run(OPERATOR)
    assert world.services.lake.objects.get(key) is None
    assert place.objects_of(ANN) == []


def test_second_look_leaves_alone_what_is_written_after_connecting_again(world, place, monkeypatch):
    place.run(OPERATOR)
    found = erasure_watch.personal_records

    def connected_meanwhile(services, erasure, others):
        world.connect(ANN)
        world.services.lake.objects.put(raw_detail_key(ANN, 5), b"new", expected=Condition.ANYTHING)
        return found(services, erasure, others)

    monkeypatch.setattr(erasure_watch, "personal_records", connected_meanwhile)
    assert remove_late_records(world.services) == 0
    assert place.objects_of(ANN) == [raw_detail_key(ANN, 5)]


def test_erasure_takes_what_appears_between_two_of_its_looks(place, monkeypatch):
    from include.pipeline.erasure import erase as erase_module

    records_of, looks = erase_module.personal_records, []

    def records_with_a_late_one(services, erasure, others):
        found = list(records_of(services, erasure, others))
        looks.append(len(found))
        if len(looks) == 2:  # the first look counts
            services.lake.objects.put(raw_detail_key(ANN, 999), b"late", expected=Condition.ANYTHING)
        return iter(found)

    monkeypatch.setattr(erase_module, "personal_records", records_with_a_late_one)
    place.run(OPERATOR)

    assert len(looks) > 2
    assert_gone(place)


@pytest.mark.parametrize(("passed_s", "removed"), [(86_399, 1), (86_400, 0)])
def test_late_records_are_looked_for_each_quarter_hour_for_a_day_after_the_erasure(world, place, passed_s, removed):
    certificate = place.run(OPERATOR).certificate
    world.services.lake.objects.put(raw_detail_key(ANN, 5), b"late", expected=Condition.ANYTHING)
    world.clock.now_epoch_s = certificate.finished_at_epoch_s + passed_s

    assert remove_late_records(world.services) == removed


def test_erasure_waits_twenty_seconds_for_a_worker_before_its_run_is_tried_again(world, place):
    world.services.state.activities.acquire(ANN, 5)
    began_at_epoch_s = world.clock.now_epoch_s

    with pytest.raises(RetryLater) as refusal:
        place.run(OPERATOR)

    assert world.clock.now_epoch_s == began_at_epoch_s + 20
    assert str(refusal.value) == (
        "Another run is still working on activities of athlete 71. Nothing was removed yet, and nothing new is written "
        "for the athlete; the erasure continues when that run has ended. Run it again in a few minutes."
    )
    assert place.rows_of(ANN)


def test_erasure_is_tried_again_when_records_keep_appearing(place, monkeypatch):
    from include.pipeline.erasure import erase as erase_module

    records_of = erase_module.personal_records

    def records_with_a_late_one(services, erasure, others):
        services.lake.objects.put(raw_detail_key(ANN, 999), b"late", expected=Condition.ANYTHING)
        return records_of(services, erasure, others)

    monkeypatch.setattr(erase_module, "personal_records", records_with_a_late_one)

    with pytest.raises(RetryLater, match="Records of athlete 71 keep appearing; run the erasure again in a few minut"):
        place.run(OPERATOR)
    assert place.certificates()[0]["finished_at"] is None
