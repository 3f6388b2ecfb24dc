"""What one odd answer, a spent quota or an outage costs a backfill."""

from __future__ import annotations

import gzip
from dataclasses import replace

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
from include.pipeline.backfill.history import list_batch, postponed
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState
from include.state.histories import History
from include.strava.models import Activity
from local.strava_simulator.api.script import Line
from tests.include.pipeline.backfill.history.shares import PARENT_ID, asked, in_lake, loaded, planned, reads, row

pytestmark = pytest.mark.network


def test_spent_quota_stores_what_was_fetched_and_goes_on_where_it_stopped(world, monkeypatch, finished):
    ids = finished(world, 8)
    listed = planned(world)
    fetch, fetched = world.services.strava.client.streams, []

    def until_spent(athlete_id, activity_id):
        if len(fetched) == 3:
            raise QuotaSpent("spent", until_epoch_s=world.clock.now_epoch_s + 60)
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


def test_unreadable_row_is_quarantined_by_its_id_and_the_others_load(world, unreadable_row, finished):
    ids = finished(world, 4)
    unreadable_row(ids[1])
    result = planned(world)
    assert (result.found, result.lacking, result.unreadable, result.in_lake) == (4, 3, 1, 0)
    assert result.to_load == (ids[3], ids[2], ids[0])
    entry = world.services.state.activities.get(PARENT_ID, ids[1])
    assert (entry.state, entry.next_try_epoch_s) == (ActivityState.QUARANTINED, None)
    assert "no date" in entry.reason


def test_unreadable_row_of_a_stored_activity_changes_nothing_about_it(world, unreadable_row, finished):
    [activity_id] = finished(world, 1)
    loaded(world, planned(world))
    before = world.services.state.activities.get(PARENT_ID, activity_id)
    unreadable_row(activity_id)
    world.clock.advance(1)
    assert planned(world).unreadable == 1
    assert world.services.state.activities.get(PARENT_ID, activity_id) == before


def test_streams_that_cannot_be_understood_are_asked_for_again_as_in_a_live_sync_and_the_others_load(world, finished):
    ids = finished(world, 3)
    listed = planned(world)
    world.control.write_script(
        *(Line(route=f"GET /activities/{activity_id}/streams", body='{"message":"ok"}') for activity_id in ids[:2])
    )
    services = world.services
    with pytest.raises(UnexpectedShape):
        sync(services, SyncItem(PARENT_ID, ids[0], int(world.clock.now_epoch_s)), source="webhook")
    live = services.state.activities.get(PARENT_ID, ids[0])

    [result] = loaded(world, listed)

    assert (result.loaded, in_lake(world)) == (1, [ids[2]])
    entry = services.state.activities.get(PARENT_ID, ids[1])
    assert entry.state is live.state is ActivityState.PENDING
    assert (
        (entry.rounds, entry.next_try_epoch_s)
        == (live.rounds, live.next_try_epoch_s)
        == (1, world.clock.now_epoch_s + 900)
    )
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
def test_history_is_put_off_by_what_stops_it(error, waits_s):
    history = History(PARENT_ID, 0, 9_000, dry_run=False, asked_at_epoch_s=1, before_epoch_s=9_000, to_load=(1, 2))

    assert postponed(history, now_epoch_s=1_000.9, error=error) == replace(
        history, next_turn_epoch_s=1_000 + waits_s, reason=str(error)
    )


def test_run_that_the_quota_stops_tells_what_is_listed_and_goes_on_when_the_window_has_opened(world, monkeypatch):
    activity_id = world.finish(points=20, announce=False)
    page, opens_at = world.services.strava.client.activities, world.clock.now_epoch_s + 60.5

    def until_spent(*args, **named):
        monkeypatch.undo()
        first = page(*args, **named)

        def spent(*_args, **_named):
            raise QuotaSpent("spent", until_epoch_s=opens_at)

        monkeypatch.setattr(world.services.strava.client, "activities", spent)
        return first

    monkeypatch.setattr(world.services.strava.client, "activities", until_spent)

    share = planned(world)

    assert share == row(world, share)
    assert (share.to_load, share.is_listed, share.reason) == ((activity_id,), False, "spent")
    assert share.next_turn_epoch_s == int(opens_at + 1)


@pytest.mark.parametrize("status", [AthleteStatus.NEEDS_REAUTH, AthleteStatus.REVOKED])
def test_history_of_an_athlete_who_has_to_connect_again_waits_without_a_call(world, status):
    history = asked(world)
    world.services.state.athletes.mark(PARENT_ID, status)
    before = reads(world)

    with pytest.raises(NotConnected, match="not connected; have them connect at the start page"):
        list_batch(world.services, history)
    assert (row(world, history), reads(world)) == (history, before)


def test_history_waits_as_long_as_strava_asks_when_its_list_fails(world):
    listed = asked(world)
    world.control.write_script(
        Line(route="GET /athlete/activities", status=503, headers={"Retry-After": "7200"}),
        Line(route="GET /push_subscriptions", body="[]"),
    )

    with pytest.raises(StravaUnavailable):
        list_batch(world.services, listed)

    assert row(world, listed).next_turn_epoch_s == int(world.clock.now_epoch_s) + 7200


def test_activity_waits_as_long_as_strava_asks_when_its_streams_fail(world, finished):
    [activity_id] = finished(world, 1)
    listed = planned(world)
    world.control.write_script(
        Line(route="GET /activities/*/streams", status=503, headers={"Retry-After": "7200"}),
        Line(route="GET /push_subscriptions", body="[]"),
    )
    loaded(world, listed)

    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    assert entry.next_try_epoch_s == int(world.clock.now_epoch_s) + 7200


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"status": 404, "body": '{"message":"Record Not Found","errors":[]}'}, id="404"),
        pytest.param({"body": "{}"}, id="an empty object"),
    ],
)
@pytest.mark.parametrize("is_true", [pytest.param(False, id="said once"), pytest.param(True, id="said again")])
def test_recording_that_one_answer_denies_is_asked_for_once_more(world, odd, is_true, finished):
    [activity_id] = finished(world, 1)
    world.control.write_script(Line(route="GET /activities/*/streams", last=None if is_true else 1, **odd))
    loaded(world, planned(world))
    assert world.services.state.activities.get(PARENT_ID, activity_id).state is ActivityState.NO_STREAMS

    for pause_s in (*[900] * 6, *[21_600] * 2):
        world.clock.advance(pause_s)
        for entry in list(world.services.state.activities.due(world.clock.now_epoch_s)):
            sync(world.services, world.item(entry.activity_id), source="reconcile")

    assert world.control.script()[0]["calls"] == 2
    assert world.services.state.activities.get(PARENT_ID, activity_id).points == (0 if is_true else 20)


def test_activity_without_a_list_row_is_let_go(world, finished):
    [activity_id] = finished(world, 1)
    listed = planned(world)
    world.services.lake.raw.remove(PARENT_ID, activity_id, guard=lambda: None)
    [result] = loaded(world, listed)
    assert (result.loaded, result.skipped) == (0, 1)
    assert world.services.state.activities.acquire(PARENT_ID, activity_id) is not None


def test_page_that_is_refused_is_tried_again_an_hour_later(world, monkeypatch):
    def refused(*_args, **_named):
        raise UnexpectedShape("no list")

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "activities", refused)
        with pytest.raises(UnexpectedShape):
            planned(world)
    [waiting] = world.services.state.histories.of_athlete(PARENT_ID)
    assert (waiting.reason, waiting.next_turn_epoch_s) == ("no list", int(world.clock.now_epoch_s) + 3600)


def test_nothing_is_listed_while_strava_is_out(world, finished):
    finished(world, 2)
    world.services.state.outages.begin("StravaUnavailable")
    before = reads(world)
    share = planned(world)
    assert (share.to_load, reads(world)) == ((), before)
    assert share.reason == "Strava has been down since 2026-06-17 12:02 UTC; reconcile continues when it is back."
    assert share.next_turn_epoch_s == int(world.clock.now_epoch_s) + 900
