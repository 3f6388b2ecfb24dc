"""A backfill loads what the lake lacks, at one call for each activity and one for each page."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest

from include.errors import (
    BadRequest,
    NotConnected,
    QuotaSpent,
    ScopeMissing,
    StravaUnavailable,
    TokenRefused,
    UnexpectedShape,
)
from include.pipeline.backfill import history as backfill
from include.pipeline.backfill.history import keys, postponed, summary, take_share
from include.pipeline.backfill.loading import ChunkLoaded, load
from include.pipeline.backfill.request import BackfillRequest
from include.pipeline.chunks import ACTIVITIES, in_chunks
from include.pipeline.ingest.events import plan as plan_events
from include.pipeline.ingest.sync import SyncItem, sync
from include.pipeline.reconcile.due import queue_due
from include.pipeline.services import open_services
from include.queue.queued_event import QueuedEvent
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.histories import WORKED_S, History
from include.strava import client
from include.strava.client import Priority
from include.strava.models import Activity
from local.strava_simulator.api.script import Line

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


def asked(world, **changes):
    return world.ask({**DAYS, **changes})


def planned(world, **changes):
    return take_share(world.services, asked(world, **changes))


def resumed(world):
    """What the runs list that reconcile has the dispatcher start."""
    queue_due(world.services)
    shares = []
    for message in world.services.queue.receive(100, visibility_s=30):
        form = QueuedEvent.parse(message.body).backfill
        if form is not None:
            shares.append(take_share(world.services, world.ask(form)))
        world.services.queue.delete(message)
    return shares


def loaded(world, history):
    return [load(world.services, chunk) for chunk in in_chunks(keys(history), ACTIVITIES)]


def row(world, history):
    return world.services.state.histories.get(PARENT_ID, history.span)


def in_lake(world):
    return world.sql("SELECT activity_id FROM activities ORDER BY activity_id").column("activity_id").to_pylist()


def reads(world):
    return sum(world.calls().values()) - world.calls().get("POST /oauth/token", 0)


@pytest.mark.parametrize("count", [pytest.param(n, id=f"{n} activities") for n in (0, 1, 20, 21)])
def test_every_activity_is_in_exactly_one_chunk_oldest_first(world, count):
    ids = history(world, count)
    chunks = in_chunks(keys(planned(world)), ACTIVITIES)
    assert [activity_id for chunk in chunks for _, _, activity_id in chunk] == ids
    assert all(0 < len(chunk) <= ACTIVITIES for chunk in chunks)


def test_backfill_fills_the_lake_and_a_second_one_finds_nothing_to_do(world):
    ids = history(world, 12)
    results = loaded(world, planned(world))
    assert sum(result.loaded for result in results) == 12
    assert in_lake(world) == sorted(ids)
    world.now[0] += 1
    again = planned(world)
    assert (again.found, again.in_lake, again.to_load, again.loaded) == (12, 12, (), 0)


def test_loading_costs_one_call_for_each_recorded_activity_and_none_for_manual_ones(world):
    history(world, 12)
    listed = planned(world)
    before = reads(world)
    loaded(world, listed)
    assert reads(world) - before == 9


def test_dry_run_counts_and_changes_nothing(world):
    history(world, 3)
    result = planned(world, dry_run=True)
    said = summary(result, world.now[0])
    names = ("found", "in_lake", "changed", "to_load", "unreadable", "read_calls")
    assert [said[name] for name in names] == [3, 0, 0, 3, 0, 4]
    assert list(world.services.lake.objects.list("")) == []


def test_days_bound_the_backfill_on_both_sides(world):
    ids = history(world, 10)
    days = {"from": "2026-06-10", "to": "2026-06-12"}
    assert planned(world, **days).to_load == (*reversed(ids[3:6]),)


def test_spent_quota_stores_what_was_fetched_and_goes_on_where_it_stopped(world, monkeypatch):
    ids = history(world, 8)
    listed = planned(world)
    fetch, fetched = world.services.strava.client.streams, []

    def until_spent(athlete_id, activity_id):
        if len(fetched) == 3:
            raise QuotaSpent("spent", until_epoch_s=world.now[0] + 60)
        fetched.append(activity_id)
        return fetch(athlete_id, activity_id)

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "streams", until_spent)
        [result] = loaded(world, listed)
    assert set(fetched) <= set(in_lake(world))
    assert set(result.waiting) == {"quota"}
    assert row(world, listed).loaded == result.loaded == 8 - len(result.waiting)
    before = reads(world)
    loaded(world, row(world, listed))
    assert in_lake(world) == sorted(ids)
    assert reads(world) - before == 6 - 3
    assert not row(world, listed).is_open


def test_activity_edited_since_is_queued_for_a_live_sync(world):
    [activity_id] = history(world, 1)
    loaded(world, planned(world))
    world.control.rename(activity_id, "another title")
    world.now[0] += 1
    result = planned(world)
    assert (result.changed, result.to_load) == (1, ())
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
    assert (result.found, result.lacking, result.unreadable, result.in_lake) == (4, 3, 1, 0)
    assert result.to_load == (ids[3], ids[2], ids[0])
    entry = world.services.state.activities.get(PARENT_ID, ids[1])
    assert (entry.state, entry.next_try_epoch_s) == (ActivityState.QUARANTINED, None)
    assert "no date" in entry.reason


def test_unreadable_row_of_a_stored_activity_changes_nothing_about_it(world, unreadable_row):
    [activity_id] = history(world, 1)
    loaded(world, planned(world))
    before = world.services.state.activities.get(PARENT_ID, activity_id)
    unreadable_row(activity_id)
    world.now[0] += 1
    assert planned(world).unreadable == 1
    assert world.services.state.activities.get(PARENT_ID, activity_id) == before


def test_live_detail_is_not_replaced_by_a_list_row(world):
    activity_id = world.finish(name="kept")
    sync(world.services, world.item(activity_id), source="webhook")
    planned(world)
    assert world.services.lake.raw.detail(PARENT_ID, activity_id).is_detail


def test_activity_that_a_live_run_holds_is_left_to_it(world):
    ids = history(world, 2)
    listed = planned(world)
    world.services.state.activities.acquire(PARENT_ID, ids[0])
    [result] = loaded(world, listed)
    assert (result.loaded, result.skipped) == (1, 1)
    assert in_lake(world) == [ids[1]]


def test_event_from_between_listing_and_loading_is_still_looked_at(world):
    [activity_id] = history(world, 1)
    listed = planned(world)
    world.now[0] += 60
    renamed = world.event(activity_id, aspect_type="update")
    world.now[0] += 60
    loaded(world, listed)
    assert [item.activity_id for item in plan_events(world.services, [renamed])] == [activity_id]


def test_row_of_an_earlier_backfill_that_was_given_up_is_replaced_by_todays(world):
    [activity_id] = history(world, 1)
    planned(world, **{"from": "2026-04-30"})
    world.control.rename(activity_id, "Renamed since")
    loaded(world, planned(world))
    assert world.sql("SELECT name FROM activities").column("name").to_pylist() == ["Renamed since"]


def test_activity_that_waits_to_be_fetched_again_still_does(world):
    activity_id = world.finish(announce=False)
    sync(world.services, world.item(activity_id), source="webhook")
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    again_at = int(world.now[0]) + 300
    waiting = replace(lease.entry, state=ActivityState.PENDING, next_try_epoch_s=again_at)
    world.services.state.activities.postpone(lease, waiting)
    loaded(world, planned(world))
    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    assert (entry.state, entry.next_try_epoch_s) == (ActivityState.SYNCED, again_at)
    assert entry.object_keys == waiting.object_keys


def test_event_that_comes_while_the_quota_ends_is_looked_at_at_once(world, monkeypatch):
    [activity_id] = history(world, 1)
    listed = planned(world)

    def asked_and_spent(athlete_id, activity_id):
        assert world.services.state.activities.acquire(athlete_id, activity_id) is None
        raise QuotaSpent("spent", until_epoch_s=world.now[0] + 60)

    monkeypatch.setattr(world.services.strava.client, "streams", asked_and_spent)
    loaded(world, listed)
    assert [entry.activity_id for entry in world.services.state.activities.due(world.now[0])] == [activity_id]


def test_streams_that_cannot_be_understood_are_asked_for_again_as_in_a_live_sync_and_the_others_load(world):
    ids = history(world, 3)
    listed = planned(world)
    world.control.write_script(
        *(Line(route=f"GET /activities/{activity_id}/streams", body='{"message":"ok"}') for activity_id in ids[:2])
    )
    services = world.services
    with pytest.raises(UnexpectedShape):
        sync(services, SyncItem(PARENT_ID, ids[0], int(world.now[0])), source="webhook")
    live = services.state.activities.get(PARENT_ID, ids[0])

    [result] = loaded(world, listed)

    assert (result.loaded, in_lake(world)) == (1, [ids[2]])
    entry = services.state.activities.get(PARENT_ID, ids[1])
    assert entry.state is live.state is ActivityState.PENDING
    assert (entry.rounds, entry.next_try_epoch_s) == (live.rounds, live.next_try_epoch_s) == (1, world.now[0] + 900)
    assert "not what the API documents" in entry.reason
    kept = [services.lake.objects.get(f"raw/athlete_id={PARENT_ID}/{activity_id}.odd.json.gz") for activity_id in ids]
    assert [each and gzip.decompress(each.body) for each in kept] == [b'{"message":"ok"}'] * 2 + [None]


@pytest.mark.parametrize(
    ("error", "waits_s"),
    [
        pytest.param(BadRequest("410"), 3_600, id="refused"),
        pytest.param(UnexpectedShape("null"), 3_600, id="another shape"),
        pytest.param(StravaUnavailable("503"), 900, id="failing"),
        pytest.param(StravaUnavailable("503", retry_after_s=5_000), 5_000, id="asks to wait"),
        pytest.param(NotConnected("gone"), 86_400, id="access lost"),
        pytest.param(TokenRefused("refused"), 3_600, id="token refused"),
        pytest.param(ScopeMissing("not granted", scope="activity:read"), 86_400, id="scope missing"),
    ],
)
def test_history_is_put_off_by_what_stops_it(world, error, waits_s):
    assert postponed(asked(world), now_epoch_s=1_000.0, error=error).next_turn_epoch_s == 1_000 + waits_s


def test_history_waits_as_long_as_strava_asks_when_its_list_fails(world):
    listed = asked(world)
    world.control.write_script(
        Line(route="GET /athlete/activities", status=503, headers={"Retry-After": "7200"}),
        Line(route="GET /push_subscriptions", body="[]"),
    )

    with pytest.raises(StravaUnavailable):
        take_share(world.services, listed)

    assert row(world, listed).next_turn_epoch_s == int(world.now[0]) + 7200


def test_activity_waits_as_long_as_strava_asks_when_its_streams_fail(world):
    [activity_id] = history(world, 1)
    listed = planned(world)
    world.control.write_script(
        Line(route="GET /activities/*/streams", status=503, headers={"Retry-After": "7200"}),
        Line(route="GET /push_subscriptions", body="[]"),
    )
    loaded(world, listed)

    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    assert entry.next_try_epoch_s == int(world.now[0]) + 7200


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"status": 404, "body": '{"message":"Record Not Found","errors":[]}'}, id="404"),
        pytest.param({"body": "{}"}, id="an empty object"),
    ],
)
@pytest.mark.parametrize("is_true", [pytest.param(False, id="said once"), pytest.param(True, id="said again")])
def test_recording_that_one_answer_denies_is_asked_for_once_more(world, odd, is_true):
    [activity_id] = history(world, 1)
    world.control.write_script(Line(route="GET /activities/*/streams", last=None if is_true else 1, **odd))
    loaded(world, planned(world))
    assert world.services.state.activities.get(PARENT_ID, activity_id).state is ActivityState.NO_STREAMS

    for _ in range(6):
        world.now[0] += 900
        for entry in list(world.services.state.activities.due(world.now[0])):
            sync(world.services, world.item(entry.activity_id), source="reconcile")

    assert world.control.script()[0]["calls"] == 2
    assert world.services.state.activities.get(PARENT_ID, activity_id).points == (0 if is_true else 20)


def test_activity_without_a_list_row_is_let_go(world):
    [activity_id] = history(world, 1)
    listed = planned(world)
    world.services.lake.raw.remove(PARENT_ID, activity_id, guard=lambda: None)
    [result] = loaded(world, listed)
    assert (result.loaded, result.skipped) == (0, 1)
    assert world.services.state.activities.acquire(PARENT_ID, activity_id) is not None


def test_unknown_athlete_is_refused_with_the_next_step(world):
    with pytest.raises(NotConnected, match="have them connect"):
        planned(world, athlete=12345)


def test_days_in_the_wrong_order_are_refused():
    with pytest.raises(BadRequest, match="swap"):
        BackfillRequest.from_params({**DAYS, "from": "2026-06-18"}, or_asked_at=datetime.now(UTC))


def test_request_is_told_again_by_the_history_that_it_made():
    form = {**DAYS, "again": True, "asked_at_epoch_s": 7}
    request = BackfillRequest.from_params(form, or_asked_at=datetime.now(UTC))
    assert BackfillRequest.of(request.to_history()).to_params() == form


@pytest.mark.parametrize("day", ["9999-12-31", "10000-01-01", "2026-02-30", "yesterday"])
def test_request_is_refused_for_a_day_that_is_none_or_that_nothing_can_follow(day):
    with pytest.raises(BadRequest):
        BackfillRequest.from_params({**DAYS, "to": day}, or_asked_at=datetime.now(UTC))


def test_backfill_leaves_live_work_its_reserve(world):
    with open_services(world.settings, priority=Priority.BACKFILL, clock=world.services.clock) as services:
        for _ in range(90):
            services.strava.client.athlete(PARENT_ID)
        with pytest.raises(QuotaSpent):
            services.strava.client.athlete(PARENT_ID)
    assert world.services.strava.client.athlete(PARENT_ID).athlete_id == PARENT_ID


# --- a history is a row with a cursor -------------------------------------------------------------


@pytest.fixture
def short_pages(monkeypatch):
    """Strava lists three activities in an answer."""
    monkeypatch.setattr(client, "PER_PAGE", 3)


def list_calls(world):
    return world.calls().get("GET /athlete/activities", 0)


def test_list_longer_than_a_window_goes_on_from_its_cursor(world, short_pages, monkeypatch):
    ids = history(world, 20)
    page, calls = world.services.strava.client.activities, []

    def until_spent(*args, **named):
        calls.append(named["before_epoch_s"])
        if len(calls) % 3 == 0:
            raise QuotaSpent("spent", until_epoch_s=world.now[0] + 60)
        return page(*args, **named)

    monkeypatch.setattr(world.services.strava.client, "activities", until_spent)
    listed = planned(world)
    for _ in range(6):
        assert resumed(world) == []  # it is not its turn before the window opens
        world.now[0] += 62
        resumed(world)
    listed = row(world, listed)
    assert (listed.is_listed, sorted(listed.to_load), listed.found) == (True, ids, 20)
    answered = [before for number, before in enumerate(calls, 1) if number % 3]
    assert len(answered) == len(set(answered))


def test_129_pages_of_200_are_many_shares_of_few_chunks(world, monkeypatch):
    newest = int(world.now[0])
    history(world, 1)
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
        change = partial(History.without, settled=settled, in_lake=settled, now_epoch_s=world.now[0])
        listed = take_share(world.services, world.services.state.histories.amend(listed, change))
        shares += 1
    assert (listed.found, listed.loaded, shares) == (25_800, 25_800, 22)
    assert len(asked_for) == len(set(asked_for))


def test_activity_that_is_deleted_between_two_pages_hides_no_other(world, short_pages, monkeypatch):
    ids = history(world, 7)
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


def test_histories_take_turns_and_one_without_access_keeps_no_other_out_and_goes_on_with_access(world):
    world.connect(72)
    history(world, 2)
    asked(world)
    asked(world, athlete=72)
    world.services.state.athletes.mark(72, AthleteStatus.NEEDS_REAUTH)
    world.now[0] += WORKED_S
    [share] = resumed(world)
    assert (share.athlete_id, len(share.to_load)) == (PARENT_ID, 2)
    world.now[0] += 900
    assert resumed(world) == []
    world.connect(72)
    assert [share.athlete_id for share in resumed(world)] == [72]


def test_reconcile_queues_few_histories_at_once_longest_overdue_first(world):
    for day in range(1, 7):
        asked(world, to=f"2026-06-{day:02}")
        world.now[0] += 1
    world.now[0] += WORKED_S
    assert [queue_due(world.services).histories for _ in range(3)] == [4, 2, 0]
    forms = [QueuedEvent.parse(message.body).backfill for message in world.services.queue.receive(100, visibility_s=30)]
    assert [form["to"] for form in forms] == [f"2026-06-{day:02}" for day in range(1, 7)]


def test_history_whose_runs_come_to_nothing_is_queued_a_few_times_a_day(world):
    asked(world)
    queued = 0
    for _ in range(96):
        world.now[0] += 900
        queued += queue_due(world.services).histories
    assert 4 <= queued <= 8


def test_run_that_died_is_taken_up_half_an_hour_later(world):
    ids = history(world, 3)
    planned(world)
    assert resumed(world) == []
    world.now[0] += WORKED_S
    [share] = resumed(world)
    loaded(world, share)
    assert in_lake(world) == sorted(ids)


def test_run_that_begins_when_its_history_is_finished_lists_nothing_again(world):
    history(world, 3)
    asked(world)
    world.now[0] += WORKED_S
    queue_due(world.services)
    [message] = world.services.queue.receive(100, visibility_s=30)
    loaded(world, planned(world))
    before = reads(world)
    share = take_share(world.services, world.ask(QueuedEvent.parse(message.body).backfill))
    assert (share.to_load, share.loaded, reads(world)) == ((), 3, before)


def test_what_is_asked_for_of_an_unknown_athlete_is_refused_and_forgotten(world):
    with pytest.raises(NotConnected):
        planned(world, athlete=999)
    world.now[0] += WORKED_S
    assert queue_due(world.services).histories == 0
    assert list(world.services.state.histories.of_athlete(999)) == []


def test_page_that_is_refused_is_tried_again_an_hour_later(world, monkeypatch):
    def refused(*_args, **_named):
        raise UnexpectedShape("no list")

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "activities", refused)
        with pytest.raises(UnexpectedShape):
            planned(world)
    [waiting] = world.services.state.histories.of_athlete(PARENT_ID)
    assert (waiting.reason, waiting.next_turn_epoch_s) == ("no list", int(world.now[0]) + 3600)


def test_nothing_is_listed_while_strava_is_out(world):
    history(world, 2)
    world.services.state.outages.begin("StravaUnavailable")
    before = reads(world)
    share = planned(world)
    assert (share.to_load, reads(world)) == ((), before)
    assert "Strava is out since" in share.reason
    assert share.next_turn_epoch_s == int(world.now[0]) + 900


def test_dry_run_makes_nothing_due(world):
    history(world, 2)
    planned(world, dry_run=True)
    assert list(world.services.state.activities.due(float("inf"))) == []


def test_event_that_is_newer_than_the_list_is_still_due_after_the_load(world):
    [activity_id] = history(world, 1)
    listed = planned(world)
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(world.now[0]))
    loaded(world, listed)
    assert [entry.activity_id for entry in world.services.state.activities.due(float("inf"))] == [activity_id]


def test_event_that_is_older_than_the_list_is_answered_by_the_load(world):
    [activity_id] = history(world, 1)
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(world.now[0]) - 3600)
    loaded(world, planned(world))
    assert list(world.services.state.activities.due(float("inf"))) == []


def test_activity_that_another_worker_holds_is_left_to_it_by_the_list(world):
    [activity_id] = history(world, 1)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    planned(world)
    entry = LedgerEntry.unknown(PARENT_ID, activity_id)
    assert world.services.state.activities.settle(lease, entry) is False
    assert list(world.services.state.activities.due(float("inf"))) == []


def test_progress_tells_when_it_should_be_done(world):
    history(world, 4)
    listed = planned(world)
    world.now[0] += 600
    load(world.services, keys(listed)[:2])
    said = summary(row(world, listed), world.now[0])
    assert (said["loaded"], said["to_load"], said["done_percent"]) == (2, 2, 50)
    assert said["done_about"] == "2026-06-17T12:22+00:00"


def test_erasure_ends_the_history_and_removes_its_row(world):
    history(world, 1)
    listed = planned(world)
    world.services.state.histories.forget(PARENT_ID)
    assert loaded(world, listed) == [ChunkLoaded()]
    assert list(world.services.state.histories.of_athlete(PARENT_ID)) == []


# --- a chunk ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "waits"),
    [
        pytest.param({"status": 500, "body": '{"message":"error"}'}, "a passing fault", id="500"),
        pytest.param({"status": 502, "body": "<html>", "content_type": "text/html"}, "a passing fault", id="502"),
        pytest.param({"body": "<html>", "content_type": "text/html"}, "a passing fault", id="a page"),
        pytest.param({"status": 403, "body": '{"message":"Forbidden","errors":[]}'}, "BadRequest", id="403"),
        pytest.param({"status": 400, "body": '{"message":"Bad Request","errors":[]}'}, "BadRequest", id="400"),
    ],
)
def test_activity_that_always_fails_leaves_its_chunk_loaded_and_owns_its_rest(world, odd, waits):
    ids = history(world, 3)
    listed = planned(world)
    world.control.write_script(Line(route=f"GET /activities/{ids[1]}/streams", **odd))

    [result] = loaded(world, listed)

    assert (result.loaded, result.waiting) == (2, (waits,))
    assert in_lake(world) == [ids[0], ids[2]]
    assert world.control.script()[0]["calls"] <= 3
    assert not row(world, listed).is_open
    due_at = world.services.state.activities.get(PARENT_ID, ids[1]).due_at_epoch_s
    assert world.now[0] < due_at <= world.now[0] + 3600


def test_slow_strava_costs_no_lease_and_no_second_call(world, monkeypatch):
    history(world, 20)
    listed = planned(world)
    fetch, made = world.services.strava.client.streams, []

    def slow(*args):
        made.append(args)
        world.now[0] += 40
        return fetch(*args)

    monkeypatch.setattr(world.services.strava.client, "streams", slow)
    [result] = loaded(world, listed)
    assert (result.loaded, result.waiting, len(made)) == (20, (), 15)


def test_streams_that_a_dead_run_stored_are_not_fetched_again_and_their_partitions_wait(world, monkeypatch):
    ids = [world.finish(hours_ago=24 * 300, announce=False), *history(world, 3)]
    listed = planned(world, **{"from": "2025-01-01"})
    fetch, made = world.services.strava.client.streams, []

    def dies(*args):
        if len(made) == 2:
            raise SystemExit
        made.append(args)
        return fetch(*args)

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "streams", dies)
        with pytest.raises(SystemExit):
            loaded(world, listed)
    world.now[0] += 400
    before = reads(world)
    [result] = loaded(world, listed)
    assert reads(world) - before == len(ids) - 1 - 2  # one is entered by hand
    assert result.loaded == len(ids)
    assert {each.partition.year for each in world.services.lake.partitions.waiting()} == {2025, 2026}
    assert loaded(world, listed) == [ChunkLoaded()]


def test_stored_points_stay_when_strava_says_once_that_there_is_no_recording(world):
    activity_id = world.finish(points=20, announce=False)
    sync(world.services, world.item(activity_id), source="webhook")
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    failed = replace(lease.entry, state=ActivityState.PENDING)
    world.services.state.activities.postpone(lease, failed)
    world.control.write_script(Line(route="GET /activities/*/streams", body="{}"))

    loaded(world, planned(world))

    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    assert (entry.state, entry.points, entry.next_try_epoch_s) == (ActivityState.PENDING, 20, world.now[0] + 900)
    assert world.sql("SELECT count(*) AS n FROM streams").to_pylist() == [{"n": 20}]


def test_span_that_is_asked_for_again_is_fetched_whole_at_the_calls_that_the_dry_run_says(world):
    ids = history(world, 3)
    load(world.services, keys(planned(world)))
    listed_calls = planned(world, dry_run=True).read_calls
    counted = planned(world, again=True, dry_run=True)
    manual = sum(world.control.activity(activity_id)["detail"]["manual"] for activity_id in ids)
    assert counted.read_calls == listed_calls + 2 * len(ids) - manual
    assert list(world.services.state.activities.due(world.now[0])) == []

    planned(world, again=True)
    before, due = world.calls(), [entry.activity_id for entry in world.services.state.activities.due(world.now[0])]
    assert sorted(due) == sorted(ids)
    for activity_id in due:
        sync(world.services, world.item(activity_id), source="webhook")
    assert sum(world.calls().values()) - sum(before.values()) == 2 * len(ids) - manual
    assert list(world.services.state.activities.due(world.now[0])) == []
    assert world.sql("SELECT count(*) AS n FROM activities WHERE has_detail").to_pylist() == [{"n": len(ids)}]
