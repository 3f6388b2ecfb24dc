"""What may be asked of a backfill, and what becomes of the request."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.errors import (
    BadRequest,
    NotConnected,
)
from include.pipeline.backfill.history import keys, summary
from include.pipeline.backfill.loading import ChunkLoaded, load
from include.pipeline.backfill.request import BackfillRequest
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import queue_due
from include.state.histories import WORKED_S
from tests.include.pipeline.backfill.history.shares import DAYS, PARENT_ID, loaded, planned, row

pytestmark = pytest.mark.network


def test_unknown_athlete_is_refused_with_the_next_step(world):
    with pytest.raises(NotConnected, match="have them connect"):
        planned(world, athlete=12345)


def test_days_in_the_wrong_order_are_refused():
    with pytest.raises(BadRequest, match="swap"):
        BackfillRequest.from_params({**DAYS, "from": "2026-06-18"}, default_asked_at=datetime.now(UTC))


def test_request_is_told_again_by_the_history_that_it_made():
    form = {**DAYS, "again": True, "asked_at_epoch_s": 7}
    request = BackfillRequest.from_params(form, default_asked_at=datetime.now(UTC))
    assert BackfillRequest.of(request.to_history()).to_params() == form


@pytest.mark.parametrize("day", ["9999-12-31", "10000-01-01", "2026-02-30", "yesterday"])
def test_request_is_refused_for_a_day_that_is_none_or_that_nothing_can_follow(day):
    with pytest.raises(BadRequest):
        BackfillRequest.from_params({**DAYS, "to": day}, default_asked_at=datetime.now(UTC))


def test_what_is_asked_for_of_an_unknown_athlete_is_refused_and_forgotten(world):
    with pytest.raises(NotConnected):
        planned(world, athlete=999)
    world.clock.advance(WORKED_S)
    assert queue_due(world.services).histories == 0
    assert list(world.services.state.histories.of_athlete(999)) == []


def test_progress_tells_when_it_should_be_done(world, finished):
    finished(world, 4)
    listed = planned(world)
    world.clock.advance(600)
    load(world.services, keys(listed)[:2])
    said = summary(row(world, listed), world.clock.now_epoch_s)
    assert (said["loaded"], said["to_load"], said["done_percent"]) == (2, 2, 50)
    assert said["done_about"] == "2026-06-17T12:22+00:00"


def test_erasure_ends_the_history_and_removes_its_row(world, finished):
    finished(world, 1)
    listed = planned(world)
    world.services.state.histories.forget(PARENT_ID)
    assert loaded(world, listed) == [ChunkLoaded()]
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
