"""A chunk of athletes at night: audited, then rid of what has expired, one athlete's trouble its own."""

from __future__ import annotations

import pytest

from include.errors import ObjectConflict, WorkBroken
from include.pipeline.ingest.sync import sync
from include.pipeline.retention import night
from include.pipeline.retention.audit import Audited
from include.pipeline.retention.night import Checked, check

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72
WEEK_S = 7 * 86_400


def test_chunk_audits_and_expires_every_athlete_and_sums_up(world):
    world.connect(CHILD_ID)
    activity_id = world.finish(announce=False)
    sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(WEEK_S)
    checked = check(world.services, [PARENT_ID, CHILD_ID, 999], 7, dry_run=False)
    counts = {"athletes": 3, "objects": 3, "activities": 1, "expired": 1}
    others = dict.fromkeys(("unknown", "lost", "repaired", "unreadable", "busy"), 0)
    assert checked == Checked(counts | others, waiting=())
    assert checked.to_json() == {**counts, **others, "left": 0}
    assert list(world.services.lake.objects.list("streams/")) == []


def test_dry_run_of_a_chunk_changes_nothing(world):
    activity_id = world.finish(announce=False)
    sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(WEEK_S)
    checked = check(world.services, [PARENT_ID], 7, dry_run=True)
    assert checked.counts["expired"] == 1
    assert len(list(world.services.lake.objects.list("streams/"))) == 1


def test_athlete_who_cannot_be_checked_keeps_no_other_out(world, monkeypatch):
    def audited(services, athlete_id, **_):
        if athlete_id == 5:
            raise ObjectConflict("written by another")
        return Audited(objects=2)

    monkeypatch.setattr(night, "audit", audited)
    checked = check(world.services, [4, 5, 6], 7, dry_run=False)
    assert (checked.counts["athletes"], checked.counts["objects"]) == (2, 4)
    assert checked.to_json()["left"] == 1


def test_night_that_a_defect_breaks_for_one_athlete_checks_the_others_and_says_whom(world, monkeypatch):
    checked = []

    def audited(services, athlete_id, **_):
        checked.append(athlete_id)
        return Audited(objects=1 // (athlete_id - 5))

    monkeypatch.setattr(night, "audit", audited)
    with pytest.raises(WorkBroken, match=r"1 of 3: 5 \(ZeroDivisionError\)"):
        check(world.services, [4, 5, 6], 7, dry_run=False)
    assert checked == [4, 5, 6]


def test_unreadable_objects_are_logged(world, monkeypatch, caplog):
    monkeypatch.setattr(night, "audit", lambda *_, **__: Audited(unreadable=("streams/x is no table",)))
    assert check(world.services, [4], 7, dry_run=False).counts["unreadable"] == 1
    assert "streams/x is no table" in caplog.text
