"""A long history is listed in shares, by many runs, whoever of them dies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest

from include.errors import (
    QuotaSpent,
)
from include.pipeline.backfill import history as backfill
from include.pipeline.backfill.history import keys, list_batch
from include.pipeline.chunks import ACTIVITIES, in_chunks
from include.pipeline.reconcile.due import queue_due
from include.queue.content import ResumeBackfill
from include.queue.content import parse as parse_content
from include.state.accounts.athletes import AthleteStatus
from include.state.histories import WORKED_S, History
from include.strava import client
from tests.include.pipeline.backfill.history.shares import PARENT_ID, asked, in_lake, loaded, planned, reads, row

pytestmark = pytest.mark.network


def resumed(world):
    """What the runs list that reconcile has the dispatcher start."""
    queue_due(world.services)
    shares = []
    for message in world.services.queue.receive(100, visibility_s=30):
        content = parse_content(message.body)
        if isinstance(content, ResumeBackfill):
            shares.append(list_batch(world.services, world.ask(content.form)))
        world.services.queue.delete(message)
    return shares


@pytest.fixture
def short_pages(monkeypatch):
    """Strava lists three activities in an answer."""
    monkeypatch.setattr(client, "PER_PAGE", 3)


def test_list_longer_than_a_window_goes_on_from_its_cursor(world, short_pages, monkeypatch, finished):
    ids = finished(world, 20)
    page, calls = world.services.strava.client.activities, []

    def until_spent(*args, **named):
        calls.append(named["before_epoch_s"])
        if len(calls) % 3 == 0:
            raise QuotaSpent("spent", until_epoch_s=world.clock.now_epoch_s + 60)
        return page(*args, **named)

    monkeypatch.setattr(world.services.strava.client, "activities", until_spent)
    listed = planned(world)
    for _ in range(6):
        assert resumed(world) == []  # it is not its turn before the window opens
        world.clock.advance(62)
        resumed(world)
    listed = row(world, listed)
    assert (listed.is_listed, sorted(listed.to_load), listed.found) == (True, ids, 20)
    answered = [before for number, before in enumerate(calls, 1) if number % 3]
    assert len(answered) == len(set(answered))


def test_129_pages_of_200_are_many_shares_of_few_chunks(world, monkeypatch, finished):
    newest = int(world.clock.now_epoch_s)
    finished(world, 1)
    summary_row = next(world.services.strava.client.activities(PARENT_ID))[0]
    asked_for = []

    def endless(athlete_id, *, before_epoch_s, unreadable):
        asked_for.append(before_epoch_s)
        starts = range(min(before_epoch_s - 1, newest), newest - 25_800, -1)
        rows = [
            replace(summary_row, activity_id=start, start_at=datetime.fromtimestamp(start, UTC))
            for start in starts[:200]
        ]
        return iter([rows] if rows else [])

    monkeypatch.setattr(world.services.strava.client, "activities", endless)
    monkeypatch.setattr(backfill, "_prepare", lambda *_, **__: None)
    listed, shares = planned(world), 0
    while listed.is_open:
        chunks = in_chunks(keys(listed), ACTIVITIES)
        assert len(chunks) <= 60
        settled = set(listed.to_load)
        change = partial(History.without, settled=settled, in_lake=settled, now_epoch_s=world.clock.now_epoch_s)
        listed = list_batch(world.services, world.services.state.histories.amend(listed, change))
        shares += 1
    assert (listed.found, listed.loaded, shares) == (25_800, 25_800, 22)
    assert len(asked_for) == len(set(asked_for))


def test_activity_that_is_deleted_between_two_pages_hides_no_other(world, short_pages, monkeypatch, finished):
    ids = finished(world, 7)
    page, shown = world.services.strava.client.activities, []

    def delete_after_the_first(*args, **named):
        if len(shown) == 1:
            world.control.delete_activity(ids[-1])
        shown.append(named["before_epoch_s"])
        return page(*args, **named)

    monkeypatch.setattr(world.services.strava.client, "activities", delete_after_the_first)

    assert set(ids[:-1]) <= set(planned(world).to_load)


def test_activities_of_one_second_over_a_page_are_each_listed_once(world, short_pages):
    ids = sorted(world.finish(hours_ago=24.0, points=5, announce=False) for _ in range(8))
    listed = planned(world)
    assert len(set(listed.to_load)) == len(listed.to_load)
    assert set(listed.to_load) <= set(ids)
    assert listed.is_listed


def test_histories_take_turns_and_one_without_access_keeps_no_other_out_and_goes_on_with_access(world, finished):
    world.connect(72)
    finished(world, 2)
    asked(world)
    asked(world, athlete=72)
    world.services.state.athletes.mark(72, AthleteStatus.NEEDS_REAUTH)
    world.clock.advance(WORKED_S)
    [share] = resumed(world)
    assert (share.athlete_id, len(share.to_load)) == (PARENT_ID, 2)
    world.clock.advance(900)
    assert resumed(world) == []
    world.connect(72)
    assert [share.athlete_id for share in resumed(world)] == [72]


def test_reconcile_queues_few_histories_at_once_longest_overdue_first(world):
    for day in range(1, 7):
        asked(world, to=f"2026-06-{day:02}")
        world.clock.advance(1)
    world.clock.advance(WORKED_S)
    assert [queue_due(world.services).histories for _ in range(3)] == [4, 2, 0]
    forms = [parse_content(message.body).form for message in world.services.queue.receive(100, visibility_s=30)]
    assert [form["to"] for form in forms] == [f"2026-06-{day:02}" for day in range(1, 7)]


def test_history_whose_runs_come_to_nothing_is_queued_a_few_times_a_day(world):
    asked(world)
    queued = 0
    for _ in range(96):
        world.clock.advance(900)
        queued += queue_due(world.services).histories
    assert 4 <= queued <= 8


def test_run_that_died_is_taken_up_half_an_hour_later(world, finished):
    ids = finished(world, 3)
    planned(world)
    assert resumed(world) == []
    world.clock.advance(WORKED_S)
    [share] = resumed(world)
    loaded(world, share)
    assert in_lake(world) == sorted(ids)


def test_run_that_begins_when_its_history_is_finished_lists_nothing_again(world, finished):
    finished(world, 3)
    asked(world)
    world.clock.advance(WORKED_S)
    queue_due(world.services)
    [message] = world.services.queue.receive(100, visibility_s=30)
    loaded(world, planned(world))
    before = reads(world)
    share = list_batch(world.services, world.ask(parse_content(message.body).form))
    assert (share.to_load, share.loaded, reads(world)) == ((), 3, before)
