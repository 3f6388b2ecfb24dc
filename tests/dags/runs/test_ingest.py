"""Whole runs of ingest, backfill and catalogue: what tasks do, how they hand on, and what the run says."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from include.pipeline.backfill.request import BackfillRequest
from include.queue.content import ResumeBackfill
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import CopyState
from include.state.histories import Histories
from include.store.backend import open_store
from local.strava_simulator.api.script import Line

pytestmark = [pytest.mark.network, pytest.mark.timeout(400)]

PARENT_ID, CHILD_ID = 71, 72
HOUR_S, DAY_S = 3600, 86_400


def test_ingest_brings_every_activity_to_the_lake_and_the_named_one_to_the_child(world):
    plain, named = world.finish(), world.finish("Run with Rex", hours_ago=5, seed=8)
    run = world.ingest(plain, named, named)

    assert run.state == "success"
    assert {row["activity_id"] for row in world.rows("activities")} == {plain, named}
    assert {row["activity_id"] for row in world.rows("streams")} == {plain, named}
    with world.services() as services:
        assert services.state.copies.get(named, CHILD_ID).state is CopyState.DONE
    assert len(world.control.activity_ids(CHILD_ID)) == 1


def test_ingest_run_says_what_became_of_each_activity(world):
    plain, named = world.finish(), world.finish("Run with Rex", hours_ago=5, seed=8)
    run = world.ingest(plain, named)

    assert {item["activity_id"] for chunk in run.result("plan_events") for item in chunk} == {plain, named}
    assert {each["activity_id"]: each["state"] for chunk in run.result("sync_activities") for each in chunk} == {
        plain: ActivityState.SYNCED,
        named: ActivityState.SYNCED,
    }
    assert [copy["child_id"] for copies in run.result("copy_to_children") for copy in copies] == [CHILD_ID]
    assert sorted(run.states("copy_to_children")) == ["skipped", "success"]
    assert any(label.startswith(f"{plain} · Run") for label in run.labels)
    assert f"{named} → {CHILD_ID}" in run.labels


def test_ingest_of_many_activities_has_few_tasks_and_one_that_fails_keeps_no_other_out(world):
    ids = [world.finish("Run with Rex" if n == 3 else "Run", hours_ago=5.0 * n + 2, seed=n) for n in range(9)]
    run = world.ingest(999_999_999, *ids)

    assert run.state == "success"
    assert len(run.tasks) <= 12
    assert {row["activity_id"] for row in world.rows("activities")} == set(ids)
    assert len(world.control.activity_ids(CHILD_ID)) == 1
    assert any(" · 3 activities · 1 waits: a temporary fault" in label for label in run.labels)
    with world.services() as services:
        assert services.state.activities.get(PARENT_ID, 999_999_999).due_at_epoch_s is not None


def test_ingest_tells_the_asset_that_partitions_wait_all_of_which_are_rows(world):
    run = world.ingest(world.finish("Run with Rex"))

    assert run.told == 1
    assert {each.table for each in world.waiting()} >= {"activities", "streams", "copies"}
    assert {each.athlete_id for each in world.waiting() if each.table != "copies"} == {PARENT_ID}


def test_ingest_of_an_unknown_athletes_activity_ends_green_and_tells_no_asset(world):
    run = world.run("strava_ingest", {"events": [{**world.event(1), "owner_id": 999}]})

    assert run.states("plan_events") == ["success"]
    assert run.told == 0
    assert world.rows("activities") == []


def test_ingest_whose_last_try_meets_a_fault_ends_green_and_the_ledger_goes_on(world):
    activity_id = world.finish()
    world.control.write_script(Line(route="GET /activities/*", status=500))
    run = world.ingest(activity_id, is_last_try=True)

    assert run.state == "success"
    assert run.states("sync_activities") == ["skipped"]
    with world.services() as services:
        assert services.state.activities.get(PARENT_ID, activity_id).due_at_epoch_s is not None


def test_ingest_that_a_defect_breaks_for_one_activity_is_red_and_does_the_others(world):
    ids = [world.finish("Run with Rex", hours_ago=5.0 * n + 2, seed=n) for n in range(2)]
    filler = [world.finish(hours_ago=5.0 * n + 12, seed=n) for n in range(2, 5)]
    world.spoil_copy(ids[0])
    run = world.ingest(*ids, *filler)

    assert run.state == "failed"
    assert {row["activity_id"] for row in world.rows("activities")} >= {ids[1], *filler}
    assert sum(state == "failed" for _, _, state in run.tasks) == 1
    assert run.told == 1


# --- strava_backfill -----------------------------------------------------------------------------


def backfill(world, *, dry_run):
    today = datetime.now(UTC).date()
    days = {"from": str(today - timedelta(days=30)), "to": str(today)}
    return world.run("strava_backfill", {"athlete": PARENT_ID, "dry_run": dry_run, "asked_at_epoch_s": None, **days})


def test_backfill_dry_run_counts_and_loads_nothing(world):
    world.finish(hours_ago=50)
    world.finish(hours_ago=100)
    run = backfill(world, dry_run=True)

    assert run.state == "success"
    assert run.result("list_activities")["to_load"] == 2
    assert run.states("choose_chunks") == ["skipped"]
    assert world.rows("activities") == []


def test_backfill_loads_the_history_and_tells_the_asset(world):
    ids = {world.finish(hours_ago=50), world.finish(hours_ago=100, seed=8)}
    run = backfill(world, dry_run=False)

    assert run.state == "success"
    assert {row["activity_id"] for row in world.rows("streams")} == ids
    assert run.result("publish_lake") == {"loaded": 2, "skipped": 0, "points": 60}
    assert run.told == 1
    assert {each.table for each in world.waiting()} >= {"activities", "streams"}
    assert any(label.endswith(" · 2 activities") for label in run.labels)


def test_backfill_whose_run_was_deleted_goes_on_with_nothing_but_reconcile(world):
    ids = {world.finish(hours_ago=50), world.finish(hours_ago=100, seed=8)}
    today = datetime.now(UTC).date()
    an_hour_ago = time.time() - HOUR_S
    request = BackfillRequest(PARENT_ID, today - timedelta(days=30), today, int(an_hour_ago))
    with closing(open_store(world.settings.state_url, time.time)) as store:
        Histories(store, lambda: an_hour_ago).ask(request.to_history())

    assert world.run("strava_reconcile").result("queue_due")["histories"] == 1
    [form] = [message.form for message in world.messages() if isinstance(message, ResumeBackfill)]
    run = world.run("strava_backfill", form)

    assert (run.state, run.result("publish_lake")["loaded"]) == ("success", 2)
    assert {row["activity_id"] for row in world.rows("streams")} == ids


# --- strava_catalog ------------------------------------------------------------------------------


def test_catalogue_registers_what_waits_whichever_events_it_was_started_by(world):
    import duckdb

    for number in range(3):  # Airflow gives a run that they start together only the first of such events
        world.ingest(world.finish(hours_ago=2 + 24 * 300 * number, seed=number))
    waiting = world.waiting()
    run = world.run("strava_catalog")

    assert run.state == "success"
    assert run.result("register_partitions") == {"registered": len(waiting), "removed": 0}
    assert world.waiting() == set()
    with duckdb.connect(world.settings.catalog_url.removeprefix("duckdb://"), read_only=True) as catalog:
        assert catalog.execute("SELECT count(*), count(DISTINCT activity_id) FROM streams").fetchone() == (90, 3)
