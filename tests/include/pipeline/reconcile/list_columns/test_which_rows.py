"""Which rows follow a list, and that one that does not keeps no other from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import ObjectConflict, RetryLater, UnexpectedShape
from include.pipeline.ingest.fingerprint import in_old_format
from include.pipeline.reconcile.list_columns import ListedRows, update_from_list
from include.strava.models import Activity
from tests.include.pipeline.reconcile.list_columns.lists import row, synced

pytestmark = pytest.mark.network

PARENT_ID = 71
HOUR_S = 3600


def ledger(world):
    return {entry.activity_id: entry for entry in world.services.state.activities.of_athlete(PARENT_ID)}


def rows_of(world, shown):
    """The list's rows of these activities, each with these fields besides."""
    for activity_id, changes in shown.items():
        detail = world.control.activity(activity_id)["detail"]
        yield Activity.parse({**detail, "resource_state": 2, **changes})


def updated(world, shown, *, after_s=HOUR_S, looked_at=(), known=None):
    listed = ListedRows(PARENT_ID, world.clock.now_epoch_s + after_s, list(rows_of(world, shown)))
    known = ledger(world) if known is None else known
    return update_from_list(world.services, listed, known, looked_at=looked_at)


def kudos(world, *ids):
    return [row(world, activity_id)["kudos_count"] for activity_id in ids]


def held(world, activity_id):
    world.services.state.activities.acquire(PARENT_ID, activity_id)


def due(world, activity_id):
    now = int(world.clock.now_epoch_s)
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=now)


def amend(world, activity_id, **changes):
    activities = world.services.state.activities
    lease = activities.acquire(PARENT_ID, activity_id)
    activities.settle(lease, replace(lease.entry, **changes))


def as_of_an_older_version(world, activity_id):
    amend(world, activity_id, fingerprint=in_old_format(world.services.lake.raw.detail(PARENT_ID, activity_id)))


@pytest.mark.parametrize(("after_s", "follows"), [(120, False), (121, True)])
def test_row_follows_a_list_that_is_surely_newer_than_its_fetch(world, after_s, follows):
    activity_id = synced(world)
    [before] = kudos(world, activity_id)

    assert updated(world, {activity_id: {"kudos_count": 99}}, after_s=after_s) == []
    assert kudos(world, activity_id) == [99 if follows else before]


@pytest.mark.parametrize("reason", ["the same", "held", "due", "fetched at no known time", "looked at", "unknown"])
def test_row_that_stays_keeps_no_other_of_its_object_from_following_the_list(world, reason):
    ids = [synced(world, hours_ago=hours) for hours in (1, 5, 9)]
    before, known = kudos(world, *ids), ledger(world)
    first, looked_at = ids[0], ()
    shown = {activity_id: {"kudos_count": 99} for activity_id in ids}
    if reason == "the same":
        shown[first] = {}
    elif reason == "held":
        held(world, first)
    elif reason == "due":
        due(world, first)
    elif reason == "fetched at no known time":
        amend(world, first, fetched_at_epoch_s=None)
    elif reason == "looked at":
        looked_at = (first,)
    else:
        del known[first]

    assert updated(world, shown, looked_at=looked_at, known=known) == []
    assert kudos(world, *ids) == [before[0], 99, 99]


@pytest.mark.parametrize("fault", [ObjectConflict, RetryLater, UnexpectedShape])
def test_object_that_cannot_be_written_keeps_no_other_from_following_the_list(world, monkeypatch, fault):
    older, newer = synced(world, hours_ago=24 * 300), synced(world)
    before = kudos(world, older)
    amended = world.services.lake.tables.amend

    def amend_but_2025(key, change):
        if "year=2025" in key:
            raise fault("others were always first")
        amended(key, change)

    monkeypatch.setattr(world.services.lake.tables, "amend", amend_but_2025)
    updated(world, {activity_id: {"kudos_count": 99} for activity_id in (older, newer)})

    assert kudos(world, older, newer) == [*before, 99]


@pytest.mark.parametrize("changes", [{}, {"kudos_count": 99}], ids=["alone", "and kudos"])
def test_corrected_recordings_of_an_older_version_are_named_once_and_their_rows_stay_until_they_are_fetched(
    world, changes
):
    ids = [synced(world, hours_ago=hours) for hours in (1, 5)]
    before = kudos(world, *ids)
    for activity_id in ids:
        as_of_an_older_version(world, activity_id)

    assert updated(world, {number: {"elev_high": 4000.0, **changes} for number in ids}) == ids
    assert kudos(world, *ids) == before


def test_uncorrected_recording_of_an_older_version_follows_the_list(world):
    activity_id = synced(world)
    as_of_an_older_version(world, activity_id)

    assert updated(world, {activity_id: {"kudos_count": 99}}) == []
    assert kudos(world, activity_id) == [99]


def test_corrected_recording_of_today_is_left_to_the_comparison_of_fingerprints(world):
    activity_id = synced(world)
    before = row(world, activity_id)

    assert updated(world, {activity_id: {"elev_high": 4000.0}}) == []
    assert row(world, activity_id) == before
