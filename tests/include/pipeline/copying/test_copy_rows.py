"""What copying leaves in the lake's table of copies."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from include.errors import RetryLater
from include.pipeline.chunks import COPIED_AT_ONCE, process_each
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync
from include.state.links import CopyOptions, Link
from include.state.partitions import Partition
from local.strava_simulator.api.faults import Faults

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72


@pytest.fixture
def family(world):
    world.connect(CHILD_ID)
    world.services.state.links.save(
        Link(
            PARENT_ID,
            CHILD_ID,
            ("Rex",),
            options=CopyOptions(power=False, trim_m=0),
            parent_consent_epoch_s=1,
            child_consent_epoch_s=1,
        )
    )
    return world


def named(world, kind="run", **values):
    activity_id = world.finish(kind, name="Morning run with Rex", **values)
    sync(world.services, world.item(activity_id), source="webhook")
    return activity_id


def row(world):
    (only,) = world.sql("SELECT * FROM copies").to_pylist()
    return only


def test_finished_copy_is_a_row_that_tells_what_was_uploaded(family):
    activity_id = named(family, points=90)

    (result,) = copy_to_children(family.services, PARENT_ID, activity_id)

    found = row(family)
    assert Partition("copies", None, 2026) in {each.partition for each in family.services.lake.partitions.waiting()}
    assert (found["parent_activity_id"], found["child_id"], found["parent_id"]) == (activity_id, CHILD_ID, PARENT_ID)
    assert (found["state"], found["child_activity_id"]) == ("done", result.child_activity_id)
    assert (found["file_format"], found["points"], found["carried"]) == ("gpx", 90, ["heartrate", "temperature"])
    (start,) = family.sql("SELECT start_ts_utc FROM activities").to_pylist()
    assert found["activity_start_ts"] == start["start_ts_utc"]


def test_activity_without_positions_is_told_as_tcx(family):
    copy_to_children(family.services, PARENT_ID, named(family, "indoor_ride"))
    assert row(family)["file_format"] == "tcx"


def test_skipped_copy_is_a_row_with_its_reason_and_no_file(family):
    copy_to_children(family.services, PARENT_ID, named(family, "swim"))
    found = row(family)
    assert (found["state"], found["file_format"], found["points"], found["carried"]) == ("skipped", None, None, None)
    assert "by hand" in found["reason"]


def test_copy_that_met_a_passing_fault_is_in_the_lake_all_the_same(family):
    activity_id = named(family)
    family.control.switch_faults(family.client_id, Faults(error_rate=1.0))
    with pytest.raises(RetryLater):
        copy_to_children(family.services, PARENT_ID, activity_id)
    assert row(family)["state"] == "uploading"


def test_lake_that_lags_behind_the_ledger_is_repaired(family):
    copy_to_children(family.services, PARENT_ID, named(family))
    (key,) = family.services.lake.objects.list("copies/")
    before = family.services.lake.objects.get(key)
    family.services.lake.objects.delete(key, expected=before.etag)

    family.services.lake.copy_rows.repair([PARENT_ID, CHILD_ID])

    assert family.services.lake.objects.get(key) == before


def test_copies_of_a_chunk_wait_for_strava_together_and_each_is_made_once(family):
    ids = {named(family, hours_ago=24.0 * days): PARENT_ID for days in range(1, COPIED_AT_ONCE + 1)}
    together = threading.Barrier(COPIED_AT_ONCE, timeout=60)

    def wait(seconds):
        together.wait()
        family.clock.advance(seconds)

    services = replace(family.services, wait=wait)
    worked = process_each(ids, lambda key: copy_to_children(services, ids[key], key), at_once=COPIED_AT_ONCE)

    assert worked.faults == {}
    assert {result.state for results in worked.done.values() for result in results} == {"done"}
    assert len(family.control.activity_ids(CHILD_ID)) == COPIED_AT_ONCE
    assert family.sql("SELECT count(*) AS rows FROM copies WHERE state = 'done'").to_pylist() == [
        {"rows": COPIED_AT_ONCE}
    ]
