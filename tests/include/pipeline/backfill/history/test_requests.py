"""What may be asked of a backfill, and what becomes of the request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from include.errors import (
    BadRequest,
    NotConnected,
)
from include.pipeline.backfill.history import keys, summary
from include.pipeline.backfill.loading import ChunkLoaded, load
from include.pipeline.backfill.request import BackfillRequest, ask, queue_histories
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import queue_due
from include.queue.content import ResumeBackfill, parse
from include.state.histories import WORKED_S, History
from tests.include.pipeline.backfill.history.shares import DAYS, PARENT_ID, loaded, planned, row

pytestmark = pytest.mark.network


def test_unknown_athlete_is_refused_with_the_next_step(world):
    with pytest.raises(NotConnected) as refusal:
        planned(world, athlete=12345)
    assert str(refusal.value) == (
        "Athlete 12345 is not connected; have them connect at the start page. The backfill waits for that; that of an"
        " unknown athlete is dropped."
    )


def request(**changes):
    """What the form says, submitted by a run of 12:00:00.9 on 17 June."""
    return BackfillRequest.from_params(
        {**DAYS, **changes}, default_asked_at=datetime(2026, 6, 17, 12, 0, 0, 900_000, UTC)
    )


def test_days_in_the_wrong_order_are_refused():
    with pytest.raises(BadRequest, match=r"ends \(2026-06-17\) before it starts \(2026-06-18\); swap the two days"):
        request(**{"from": "2026-06-18"})


@pytest.mark.parametrize(
    "asked", [pytest.param({}, id="by hand"), pytest.param({"asked_at_epoch_s": None}, id="empty")]
)
def test_request_without_a_time_counts_from_its_run(asked):
    assert request(**asked) == BackfillRequest(PARENT_ID, date(2026, 5, 1), date(2026, 6, 17), 1_781_697_600)


def test_request_keeps_its_time_and_its_choices_when_a_later_run_answers_it():
    first, last = date(2026, 5, 1), date(2026, 6, 17)
    assert request(asked_at_epoch_s=0, dry_run=True) == BackfillRequest(PARENT_ID, first, last, 0, dry_run=True)
    assert request(asked_at_epoch_s=7, again=True) == BackfillRequest(PARENT_ID, first, last, 7, again=True)


def test_history_of_one_day_begins_and_ends_with_it():
    day = request(**{"from": "2026-06-17", "to": "2026-06-17"})

    assert day.to_history() == History(
        PARENT_ID,
        after_epoch_s=utc(2026, 6, 17) - 1,
        until_epoch_s=utc(2026, 6, 18),
        dry_run=False,
        asked_at_epoch_s=1_781_697_600,
        before_epoch_s=utc(2026, 6, 18),
    )
    assert BackfillRequest.of(day.to_history()) == day


def test_last_day_of_the_calendar_that_a_day_can_follow_is_accepted():
    assert request(to="9998-12-31").before_epoch_s == utc(9999, 1, 1)


def utc(*day):
    return int(datetime(*day, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("choice", [{"dry_run": True, "again": False}, {"dry_run": False, "again": True}])
def test_request_is_told_again_by_the_history_that_it_made(choice):
    form = {**DAYS, **choice, "asked_at_epoch_s": 7}
    assert BackfillRequest.of(request(**form).to_history()).to_params() == form


@pytest.mark.parametrize(
    ("day", "words"),
    [
        pytest.param("9999-12-31", "ends after 9998-12-31; choose an earlier last day", id="the last day there is"),
        pytest.param("10000-01-01", "cannot be read: .*; write it like 2026-06-17", id="five digits"),
        pytest.param("2026-02-30", "cannot be read: .*; write it like 2026-06-17", id="30 February"),
        pytest.param("yesterday", "cannot be read: .*; write it like 2026-06-17", id="a word"),
    ],
)
def test_request_is_refused_for_a_day_that_is_none_or_that_nothing_can_follow(day, words):
    with pytest.raises(BadRequest, match=words):
        request(to=day)


def test_what_is_asked_for_of_an_unknown_athlete_is_refused_and_forgotten(world):
    with pytest.raises(NotConnected):
        planned(world, athlete=999)
    world.clock.advance(WORKED_S)
    assert queue_due(world.services).histories == 0
    assert list(world.services.state.histories.of_athlete(999)) == []


def test_reconcile_queues_what_is_due_of_connected_athletes_and_drops_what_nobody_knows(world):
    services, form = world.services, {**DAYS, "again": False, "asked_at_epoch_s": 1_781_697_600}
    world.connect(72)
    for athlete_id in (999, 72, PARENT_ID):
        ask(services, request(athlete=athlete_id))
    assert queue_histories(services, {PARENT_ID}) == 0, "none is due yet"
    world.clock.advance(WORKED_S)

    assert [queue_histories(services, {PARENT_ID}) for _ in range(2)] == [1, 0]

    [message] = services.queue.receive(10, visibility_s=30)
    assert parse(message.body) == ResumeBackfill(form, world.clock.now_epoch_s)
    assert list(services.state.histories.of_athlete(999)) == []
    assert queue_histories(services, {PARENT_ID, 72}) == 1, "the other athlete's waited, and is still due"


def test_progress_tells_when_it_should_be_done(world, finished):
    finished(world, 4)
    listed = planned(world)
    world.clock.advance(600)
    load(world.services, keys(listed)[:2])
    said = summary(row(world, listed), world.clock.now_epoch_s)
    assert (said["loaded"], said["to_load"], said["done_percent"]) == (2, 2, 50)
    assert said["done_about"] == "2026-06-17T12:22+00:00"


HALF_LISTED = History(
    PARENT_ID,
    after_epoch_s=1_000,
    until_epoch_s=3_000,
    dry_run=False,
    asked_at_epoch_s=1_781_697_600,
    before_epoch_s=2_000,
    to_load=(1, 2),
    found=9,
    in_lake=3,
    changed=1,
    unreadable=1,
    lacking=4,
    read_calls=12,
    loaded=2,
    reason="spent",
)
"""Half of its span is listed, and half of what that lacks is loaded."""


def test_progress_is_told_in_numbers_with_the_time_that_the_rest_takes_at_this_pace():
    assert summary(HALF_LISTED, HALF_LISTED.asked_at_epoch_s + 600) == {
        "found": 9,
        "in_lake": 3,
        "changed": 1,
        "unreadable": 1,
        "read_calls": 12,
        "loaded": 2,
        "to_load": 2,
        "done_percent": 25,
        "done_about": "2026-06-17T12:40+00:00",
        "reason": "spent",
    }


def test_progress_of_a_dry_run_tells_what_a_run_would_load():
    assert summary(replace(HALF_LISTED, dry_run=True, to_load=()), 1_781_697_600)["to_load"] == 4


def test_progress_has_no_end_while_nothing_is_done():
    said = summary(replace(HALF_LISTED, before_epoch_s=3_000), HALF_LISTED.asked_at_epoch_s + 600)
    assert (said["done_percent"], said["done_about"]) == (0, None)


def test_progress_of_a_finished_history_is_whole():
    said = summary(replace(HALF_LISTED, is_listed=True, to_load=()), HALF_LISTED.asked_at_epoch_s + 600)
    assert (said["done_percent"], said["done_about"]) == (100, "2026-06-17T12:10+00:00")


def test_erasure_ends_the_history_and_removes_its_row(world, finished):
    finished(world, 1)
    listed = planned(world)
    world.services.state.histories.forget(PARENT_ID)
    assert loaded(world, listed) == [ChunkLoaded(loaded=0, points=0, skipped=0)]
    assert list(world.services.state.histories.of_athlete(PARENT_ID)) == []


def test_span_that_is_asked_for_again_is_fetched_whole_at_the_calls_that_the_dry_run_says(world, finished):
    ids = finished(world, 3)
    load(world.services, keys(planned(world)))
    listed_calls = planned(world, dry_run=True).read_calls
    counted = planned(world, again=True, dry_run=True)
    manual = sum(world.control.activity(activity_id)["detail"]["manual"] for activity_id in ids)
    assert counted.read_calls == listed_calls + 2 * len(ids) - manual
    assert list(world.services.state.activities.due(world.clock.now_epoch_s)) == []

    planned(world, again=True)
    before, due = (
        world.calls(),
        [entry.activity_id for entry in world.services.state.activities.due(world.clock.now_epoch_s)],
    )
    assert sorted(due) == sorted(ids)
    for activity_id in due:
        sync(world.services, world.item(activity_id), source="webhook")
    assert sum(world.calls().values()) - sum(before.values()) == 2 * len(ids) - manual
    assert list(world.services.state.activities.due(world.clock.now_epoch_s)) == []
    assert world.sql("SELECT count(*) AS n FROM activities WHERE has_detail").to_pylist() == [{"n": len(ids)}]
