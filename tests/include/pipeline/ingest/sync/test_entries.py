"""What the ledger says of an activity after a sync, whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import RemovalsStopped, StravaUnavailable, UnexpectedShape
from include.pipeline.ingest import sync as sync_module
from include.pipeline.ingest.fingerprint import Fingerprint
from include.pipeline.ingest.removal import ANNOUNCED, STOPPED, UNANNOUNCED, StillListed
from include.pipeline.ingest.sync import MAX_FETCHES, NotThereYet, sync
from include.pipeline.ingest.sync_item import Synced, SyncItem
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.strava.models import Activity
from local.strava_simulator.api.faults import Faults
from tests.include.pipeline.ingest.sync.synced import PARENT_ID, entry, reads, synced

pytestmark = pytest.mark.network

HOUR_S, DAY_S = 3600, 86_400
TABLES = ("activities", "laps", "streams")


def table_keys(world):
    return tuple(key for key in world.services.lake.objects.list("") if key.split("/")[0] in TABLES)


def fingerprint(world, activity_id):
    return str(Fingerprint.of(world.services.lake.raw.detail(PARENT_ID, activity_id)))


def test_entry_of_a_synced_activity_says_what_is_stored_and_when_it_was_fetched(world):
    activity_id = world.finish("run", hours_ago=3)
    synced(world, activity_id)

    assert entry(world, activity_id) == LedgerEntry(
        PARENT_ID,
        activity_id,
        ActivityState.SYNCED,
        sport_type="Run",
        start_at_epoch_s=int(world.clock.now_epoch_s) - 3 * HOUR_S,
        fingerprint=fingerprint(world, activity_id),
        object_keys=table_keys(world),
        points=60,
        fetched_at_epoch_s=world.clock.now_epoch_s,
    )


def test_entry_of_a_renamed_activity_knows_how_old_its_streams_are(world):
    activity_id = world.finish("run")
    synced(world, activity_id)
    before, first_epoch_s = entry(world, activity_id), world.clock.now_epoch_s
    world.clock.advance(HOUR_S)
    world.control.rename(activity_id, "Another")
    synced(world, activity_id)

    assert entry(world, activity_id) == replace(
        before,
        fingerprint=fingerprint(world, activity_id),
        fetched_at_epoch_s=world.clock.now_epoch_s,
        oldest_answer_epoch_s=first_epoch_s,
    )


def test_rows_move_with_the_activity_when_it_is_given_another_start(world, monkeypatch):
    activity_id = world.finish("run")
    synced(world, activity_id)
    fetch = world.services.strava.client.activity
    monkeypatch.setattr(
        world.services.strava.client,
        "activity",
        lambda *key: Activity.parse({**fetch(*key).fields, "start_date": "2025-12-31T10:00:00Z"}),
    )
    synced(world, activity_id)

    keys = table_keys(world)
    assert (len(keys), entry(world, activity_id).object_keys) == (3, keys)
    assert all("year=2025" in key for key in keys)
    [row] = world.sql("SELECT activity_id, source FROM activities").to_pylist()
    assert row == {"activity_id": activity_id, "source": "webhook"}


@pytest.mark.parametrize(("is_announced", "reason"), [(True, ANNOUNCED), (False, UNANNOUNCED)])
def test_entry_of_a_removed_activity_says_why_and_since_when(world, is_announced, reason):
    activity_id = world.finish("run", hours_ago=3)
    synced(world, activity_id)
    world.clock.advance(HOUR_S)
    world.control.delete_activity(activity_id)
    sync(world.services, replace(world.item(activity_id), is_announced=is_announced), source="webhook")

    left = entry(world, activity_id)
    assert left == replace(left, state=ActivityState.REMOVED, reason=reason, object_keys=(), fingerprint="", points=0)
    assert (left.fetched_at_epoch_s, left.due_at_epoch_s) == (world.clock.now_epoch_s, None)
    assert list(world.services.lake.objects.list("")) == []


def test_item_of_which_only_copies_are_due_is_answered_from_the_ledger(world):
    activity_id = world.finish("run")
    synced(world, activity_id)
    before = reads(world)

    items = [replace(world.item(number), copies_only=True) for number in (activity_id, 5)]
    results = [sync(world.services, item, source="webhook") for item in items]

    assert results == [Synced.of(entry(world, activity_id)), Synced.of(LedgerEntry.unknown(PARENT_ID, 5))]
    assert (reads(world), entry(world, 5)) == (before, None)


def test_event_during_an_outage_is_kept_with_its_own_time_and_nothing_is_fetched(world):
    world.services.state.outages.begin("StravaUnavailable")
    world.control.switch_faults(world.client_id, Faults(error_rate=1.0))
    now = int(world.clock.now_epoch_s)

    result = sync(world.services, SyncItem(PARENT_ID, 5, now - 60), source="webhook")

    reason = "Strava has been down since 2026-06-17 12:02 UTC; reconcile continues when it is back"
    assert result == Synced(PARENT_ID, 5, "pending", "", "", 0, reason)
    assert entry(world, 5) == LedgerEntry.unknown(PARENT_ID, 5).asked_for(now - 60, due_at_epoch_s=now)
    assert reads(world) == 0


def test_activity_that_keeps_changing_is_left_to_reconcile_after_some_fetches(world, monkeypatch):
    activity_id = world.finish("run")
    fetch, fetches = world.services.strava.client.activity, []

    def asked_meanwhile(*key):
        fetches.append(key)
        assert world.services.state.activities.acquire(PARENT_ID, activity_id) is None
        return fetch(*key)

    monkeypatch.setattr(world.services.strava.client, "activity", asked_meanwhile)
    result = synced(world, activity_id)

    assert result.reason == "it keeps changing; reconcile continues with it"
    assert fetches == [(PARENT_ID, activity_id)] * MAX_FETCHES
    assert (result.state, entry(world, activity_id).due_at_epoch_s) == ("synced", int(world.clock.now_epoch_s))


def test_activity_that_another_run_holds_is_said_to_be_in_its_hands(world):
    world.services.state.activities.acquire(PARENT_ID, 5)
    assert synced(world, 5) == Synced.of(
        LedgerEntry.unknown(PARENT_ID, 5), reason="another run holds it and will fetch again"
    )


# --- 404 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_announced", [False, True])
@pytest.mark.parametrize(("passed_s", "is_waited"), [(0, True), (299, True), (300, False)])
def test_404_is_waited_out_for_some_minutes_after_an_event_that_announced_nothing(
    world, is_announced, passed_s, is_waited
):
    activity_id, at = world.finish("run"), int(world.clock.now_epoch_s)
    world.control.delete_activity(activity_id)
    world.clock.advance(passed_s)
    item = SyncItem(PARENT_ID, activity_id, at, is_announced=is_announced)
    if is_waited and not is_announced:
        with pytest.raises(NotThereYet) as waiting:
            sync(world.services, item, source="webhook")
        assert str(waiting.value) == (
            f"Strava answers 404 for activity {activity_id} of athlete 71 right after its event; the call is repeated "
            "for some minutes before the activity counts as gone."
        )
        assert entry(world, activity_id).state is ActivityState.PENDING
    else:
        assert sync(world.services, item, source="webhook").state == "removed"


def test_404_of_what_was_removed_before_is_not_waited_out(world):
    activity_id = world.finish("run")
    world.control.delete_activity(activity_id)
    sync(world.services, replace(world.item(activity_id), is_announced=True), source="webhook")

    assert synced(world, activity_id).state == "removed"


def test_404_of_what_the_grant_does_not_cover_leaves_everything_but_the_time_of_the_look(world):
    activity_id = world.finish("run")
    world.control.change_visibility(activity_id, "only_me")
    synced(world, activity_id)
    before = entry(world, activity_id)
    world.clock.advance(HOUR_S)
    world.connect(PARENT_ID, ("read", "activity:read"))
    synced(world, activity_id)

    assert entry(world, activity_id) == replace(
        before,
        fetched_at_epoch_s=world.clock.now_epoch_s,
        oldest_answer_epoch_s=before.fetched_at_epoch_s,
    )


# --- answers that are not stored --------------------------------------------------------------------


@pytest.mark.parametrize("is_cropped", [False, True], ids=["the same recording", "another recording"])
def test_answer_that_makes_no_rows_leaves_the_stored_ones_and_is_looked_at_a_day_later(world, monkeypatch, is_cropped):
    activity_id = world.finish("run")
    synced(world, activity_id)
    before, first_epoch_s = entry(world, activity_id), world.clock.now_epoch_s
    world.clock.advance(HOUR_S)
    if is_cropped:
        world.control.crop(activity_id, first=5)

    def refuse(*_, **__):
        raise UnexpectedShape("not understood")

    monkeypatch.setattr(sync_module, "build_rows", refuse)
    synced(world, activity_id)

    after = entry(world, activity_id)
    assert after == replace(
        before,
        state=ActivityState.QUARANTINED,
        reason="not understood",
        fingerprint=fingerprint(world, activity_id),
        start_at_epoch_s=after.start_at_epoch_s,
        points=55 if is_cropped else 60,
        fetched_at_epoch_s=world.clock.now_epoch_s,
        oldest_answer_epoch_s=first_epoch_s,
        next_try_epoch_s=int(world.clock.now_epoch_s) + DAY_S,
    )
    assert table_keys(world) == before.object_keys


@pytest.mark.parametrize("changes", [{"athlete_id": 72}, {"activity_id": 5}], ids=["another athlete", "another id"])
def test_answer_about_another_activity_is_not_stored(world, monkeypatch, changes):
    activity_id = world.finish("run")
    shown = replace(world.services.strava.client.activity(PARENT_ID, activity_id), **changes)
    monkeypatch.setattr(world.services.strava.client, "activity", lambda *_: shown)

    assert synced(world, activity_id).reason == (
        f"An event named activity {activity_id} of athlete 71, but Strava shows another athlete's. It is not stored. "
        "The event was wrong: there is nothing to do."
    )
    assert list(world.services.lake.objects.list("")) == []


@pytest.mark.parametrize(
    ("error", "reason", "wait_s"),
    [
        pytest.param(RemovalsStopped("much is gone"), STOPPED, DAY_S, id="stopped again"),
        pytest.param(StravaUnavailable("503"), STOPPED, 900, id="a fault"),
        pytest.param(StillListed("listed"), "Something did not answer; it is tried again.", 900, id="shown again"),
    ],
)
def test_removal_that_waits_for_the_operator_does_so_until_strava_shows_the_activity(
    world, monkeypatch, error, reason, wait_s
):
    activity_id, activities = world.finish("run"), world.services.state.activities
    synced(world, activity_id)
    stopped = entry(world, activity_id).waiting(STOPPED, next_try_epoch_s=int(world.clock.now_epoch_s))
    activities.postpone(activities.acquire(PARENT_ID, activity_id), stopped)

    def fail(*_):
        raise error

    monkeypatch.setattr(world.services.strava.client, "activity", fail)
    with pytest.raises(type(error)):
        synced(world, activity_id)

    after = entry(world, activity_id)
    assert (after.state, after.reason) == (ActivityState.PENDING, reason)
    assert after.next_try_epoch_s == int(world.clock.now_epoch_s) + wait_s
