"""Whole runs of reconcile, retention and erasure: what tasks do, and what the run says."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from include.setting_values import EXAMPLES
from include.state.accounts.athletes import athlete_key
from include.store.backend import open_store

pytestmark = [pytest.mark.network, pytest.mark.timeout(400)]

PARENT_ID, CHILD_ID = 71, 72
HOUR_S, DAY_S = 3600, 86_400


def test_reconcile_queues_what_the_ledger_lacks(world):
    activity_id = world.finish()
    run = world.run("strava_reconcile")

    assert run.result("list_athletes")["lacking"] == 1
    assert run.states("queue_due") == run.states("look_after_erasures") == ["success"]
    assert world.queued() == {activity_id}


def test_reconcile_queues_what_is_due(world):
    activity_id = world.finish(hours_ago=1)
    world.ingest(activity_id)
    an_hour_ago = int(time.time()) - HOUR_S
    world.age(activity_id, next_try_epoch_s=an_hour_ago, own_try_epoch_s=an_hour_ago, due="due")
    run = world.run("strava_reconcile")

    assert run.result("queue_due")["activities"] == 1
    assert world.queued() == {activity_id}


def test_reconcile_logs_in_its_place_of_the_quota_and_looks_at_the_subscription(world):
    run = world.run("strava_reconcile")

    assert run.state == "success"
    assert "No webhook subscription is needed" in run.result("check_subscription")
    assert run.result("look_after_erasures") == {"removed_late": 0, "refused_athletes": []}


def test_reconcile_fails_where_strava_sends_no_events(world):
    operator = {name: EXAMPLES[name] for name in ("OPERATOR_NAME", "CONTACT", "PRIVACY_URL")}
    run = world.run("strava_reconcile", PUBLIC_URL="https://strava.test", **operator)

    assert run.state == "failed"
    assert run.states("check_subscription") == ["failed"]
    assert run.states("queue_due") == ["success"]


def test_reconcile_starts_the_catalogue_for_what_has_waited_and_for_nothing_else(world):
    world.ingest(world.finish())
    assert world.run("strava_reconcile").told == 0
    world.wait_for_catalogue(HOUR_S)
    run = world.run("strava_reconcile")

    assert (run.state, run.told) == ("success", 1)


def test_reconcile_names_who_is_refused_for_a_week(world):
    with closing(open_store(world.settings.state_url, time.time)) as store:
        item = store.get(athlete_key(PARENT_ID))
        refused = {"status": "needs_reauth", "refused_at_epoch_s": int(time.time()) - 8 * DAY_S}
        store.put(item.key, {**item.fields, **refused}, expected_version=item.version)

    assert world.run("strava_reconcile").result("look_after_erasures")["refused_athletes"] == [PARENT_ID]


# --- strava_retention ----------------------------------------------------------------------------


@pytest.fixture
def night(world):
    """An activity that was fetched forty days ago and one of today, and what a night does with them."""
    world.old, world.fresh = world.finish("Run with Rex", hours_ago=5), world.finish(seed=8)
    world.ingest(world.old, world.fresh)
    world.age(world.old, fetched_at_epoch_s=time.time() - 40 * DAY_S)
    return lambda *, dry_run=False: world.run("strava_retention", {"dry_run": dry_run}, RETENTION_DAYS="7")


def test_night_deletes_what_is_too_old_and_sums_up(world, night):
    run = night()

    assert run.state == "success"
    assert run.result("find_athletes") == [[PARENT_ID, CHILD_ID]]
    assert run.result("report_night")["expired"] == 1
    assert run.told == 1
    assert "streams" in {each.table for each in world.waiting()}
    assert run.labels == [f"{PARENT_ID} · 2 athletes"]
    assert {row["activity_id"] for row in world.rows("activities")} == {world.fresh}


def test_night_of_a_dry_run_counts_and_deletes_nothing(world, night):
    run = night(dry_run=True)

    assert run.state == "success"
    assert run.result("report_night")["expired"] == 1
    assert run.states("repair_copies") == ["skipped"]
    assert {row["activity_id"] for row in world.rows("activities")} == {world.old, world.fresh}


def test_night_finds_rows_that_no_ledger_knows(world, night):
    world.age(world.fresh, object_keys=[])
    run = night()

    assert run.result("report_night")["unknown"] == 1


def test_night_makes_the_rows_of_copies_agree_with_their_ledger(world, night):
    for path in (world.lake / "copies").rglob("*.parquet"):
        path.unlink()
    run = night()

    assert run.result("repair_copies") == 1
    assert [row["parent_activity_id"] for row in world.rows("copies")] == [world.old]


def test_night_logs_and_counts_an_object_that_cannot_be_read(world, night):
    for path in (world.lake / "activities").rglob("*.parquet"):
        path.write_bytes(b"no table")
    run = night(dry_run=True)

    assert run.result("report_night")["unreadable"] == 1


# --- strava_erase --------------------------------------------------------------------------------


def test_erasure_for_an_operator_leaves_nothing_and_tells_the_asset(world):
    world.ingest(world.finish("Run with Rex"))
    counted = world.run("strava_erase", {"athlete": PARENT_ID, "reason": "operator", "dry_run": True})
    assert counted.result("erase_athlete")["counts"]["athletes"] == 1
    assert len(world.rows("activities")) == 1
    run = world.run("strava_erase", {"athlete": PARENT_ID, "reason": "operator", "dry_run": False})

    assert run.state == "success"
    assert run.result("erase_athlete")["outcome"] == "erased"
    assert world.rows("activities") == []
    assert run.told == 1
    assert {each.athlete_id for each in world.waiting()} == {None}


def test_erasure_of_a_connected_athlete_for_a_reported_deauthorisation_is_skipped(world):
    run = world.run("strava_erase", {"athlete": PARENT_ID, "reason": "deauthorisation", "dry_run": False})

    assert run.states("erase_athlete") == ["skipped"]
    with world.services() as services:
        assert services.state.athletes.get(PARENT_ID) is not None
