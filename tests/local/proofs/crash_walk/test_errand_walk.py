"""A run is struck at its points and deleted; reconcile alone brings everything to where it should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from include.pipeline.ingest import sync as syncs
from include.state.activities.ledger import ActivityLedger, LedgerEntry
from include.state.histories import Histories
from local.docs.markdown import table
from local.docs.pages import page_path
from local.docs.run_walk import line
from local.proofs.crash_walk.errand_walk import Blow, Struck, prepared, walk
from local.proofs.crash_walk.errands import ERRANDS, Errand
from local.proofs.crash_walk.judge import Owed, faults
from local.proofs.crash_walk.points import Points
from local.proofs.crash_walk.system import System
from local.strava_simulator.world.simulation import Rules
from local.testbed.world import PARENT_ID, REX_ID, World, open_world

TWO = ERRANDS[0]
[BACKFILL] = [errand for errand in ERRANDS if errand.name == "backfill of three activities"]
EACH = pytest.mark.parametrize("errand", [pytest.param(errand, id=errand.name) for errand in ERRANDS])


@EACH
def test_everything_is_right_within_an_hour_wherever_a_run_dies(errand: Errand) -> None:
    with prepared(errand) as ground:
        points = ground.points()
        strikes = [ground.strike(Blow.DEATH, point) for point in points[3::12]]

    assert [struck for struck in strikes if struck.faults] == []
    assert len(points) >= errand.fewest_points, "the walk no longer sees all that the system does"
    page = page_path("run-walk").read_text()
    assert f"| {errand.name} | {len(points)} |" in page, "run `make docs ARGS=run-walk`"
    lines = table(("", ""), [line(struck) for struck in strikes]).splitlines()[2:]
    assert [text for text in lines if text not in page] == [], "run `make docs ARGS=run-walk`"


@pytest.mark.parametrize("blow", [blow for blow in Blow if blow is not Blow.DEATH])
@EACH
def test_everything_is_right_within_an_hour_however_a_run_is_struck(errand: Errand, blow: Blow) -> None:
    assert [struck for struck in walk(errand, blow, every=30) if struck.faults] == []


def struck_at(errand: Errand, *points: str) -> list[Struck]:
    with prepared(errand) as ground:
        return [ground.strike(Blow.DEATH, point) for point in points]


def test_walk_is_red_when_the_dispatcher_makes_nothing_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActivityLedger, "make_due", lambda *_args, **_kwargs: None)

    (lost,) = struck_at(TWO, "before put `events`")

    assert any("the ledger has no row" in fault for fault in lost.faults)


def test_walk_is_red_when_a_sync_does_not_say_that_copies_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(_services: object, _lease: object, entry: LedgerEntry, _activity: object) -> LedgerEntry:
        return entry

    monkeypatch.setattr(syncs, "with_copies", forgetful)

    lost, safe = struck_at(TWO, "before put `copies` as planned, free", "after put `copies` as planned, free")

    assert any(f"child {REX_ID} has 0 activities of 1" in fault for fault in lost.faults)
    assert not any("child" in fault for fault in safe.faults)


def test_walk_is_red_when_nobody_takes_up_a_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Histories, "open", lambda *_args: iter(()))

    (lost,) = struck_at(BACKFILL, "before put `activities`")

    assert sum("the ledger has no row" in fault for fault in lost.faults) == 3


def test_backfill_that_dies_before_its_first_write_has_begun_nothing_and_goes_on_after_it() -> None:
    before, after = struck_at(BACKFILL, "before put `histories`", "after put `histories`")

    assert (before.is_said, before.faults) == (False, ())
    assert (after.is_said, after.faults) == (True, ())
    assert after.windows > 0


def told_and_done(world: World) -> Owed:
    owed = TWO.prepare(world)
    System(world).deliver(Points())
    return owed


def another_copy(world: World, owed: Owed) -> Owed:
    world.finish(REX_ID, "The same once more")
    return owed


def lost_object(world: World, owed: Owed) -> Owed:
    key = next(world.services.lake.objects.list(f"streams/athlete_id={PARENT_ID}/"))
    stored = world.services.lake.objects.get(key)
    assert stored is not None
    world.services.lake.objects.delete(key, expected=stored.etag)
    return owed


def renamed_at_strava(world: World, owed: Owed) -> Owed:
    world.control.rename(owed.activities[0], "Another title")
    return owed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(another_copy, f"child {REX_ID} has 2 activities of 1", id="doubled"),
        pytest.param(lost_object, "points at Strava", id="lost from the lake"),
        pytest.param(renamed_at_strava, "the raw answer", id="old"),
        pytest.param(lambda _, owed: Owed(owed.activities, {REX_ID: owed.activities}), "unknown", id="not copied"),
        pytest.param(lambda _, owed: Owed(erased=(PARENT_ID,)), "has no certificate", id="not erased"),
        pytest.param(
            lambda world, owed: (world.services.queue.send("{}"), owed)[1], "1 messages wait", id="message left"
        ),
    ],
)
def test_judge_says_what_is_wrong(tmp_path: Path, change: Callable[[World, Owed], Owed], says: str) -> None:
    with open_world(tmp_path, Rules()) as world:
        owed = told_and_done(world)
        assert faults(world, owed) == ()

        found = faults(world, change(world, owed))

    assert any(says in fault for fault in found), found
