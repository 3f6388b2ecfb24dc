"""A run is disturbed at its points and deleted; reconcile alone brings everything to where it should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from include.pipeline.ingest import sync as syncs
from include.state.activities.ledger import ActivityLedger, LedgerEntry
from include.state.histories import Histories
from local.docs.markdown import table
from local.docs.pages import page_path
from local.docs.walks.run_walk import line
from local.proofs.crash_walk.expectations import Expectations, violations
from local.proofs.crash_walk.points import Points
from local.proofs.crash_walk.run_scenarios import RUN_SCENARIOS, RunScenario
from local.proofs.crash_walk.run_walk import Disturbance, PointOutcome, prepared, walk
from local.proofs.crash_walk.system import System
from local.strava_simulator.world.simulation import Rules
from local.testbed.world import PARENT_ID, REX_ID, World, open_world

TWO = RUN_SCENARIOS[0]
[BACKFILL] = [scenario for scenario in RUN_SCENARIOS if scenario.name == "backfill of three activities"]
EACH = pytest.mark.parametrize("scenario", [pytest.param(scenario, id=scenario.name) for scenario in RUN_SCENARIOS])


@EACH
def test_everything_is_right_within_an_hour_wherever_a_run_dies(scenario: RunScenario) -> None:
    with prepared(scenario) as prepared_run:
        points = prepared_run.points()
        outcomes = [prepared_run.disturb(Disturbance.DEATH, point) for point in points[3::12]]

    assert [outcome for outcome in outcomes if outcome.violations] == []
    assert len(points) >= scenario.fewest_points, "the walk no longer sees all that the system does"
    page = page_path("run-walk").read_text()
    assert f"| {scenario.name} | {len(points)} |" in page, "run `make docs ARGS=run-walk`"
    lines = table(("", ""), [line(outcome) for outcome in outcomes]).splitlines()[2:]
    assert [text for text in lines if text not in page] == [], "run `make docs ARGS=run-walk`"


@pytest.mark.parametrize(
    "disturbance", [disturbance for disturbance in Disturbance if disturbance is not Disturbance.DEATH]
)
@EACH
def test_everything_is_right_within_an_hour_however_a_run_is_disturbed(
    scenario: RunScenario, disturbance: Disturbance
) -> None:
    assert [outcome for outcome in walk(scenario, disturbance, every=30) if outcome.violations] == []


def killed_at(scenario: RunScenario, *points: str) -> list[PointOutcome]:
    with prepared(scenario) as prepared_run:
        return [prepared_run.disturb(Disturbance.DEATH, point) for point in points]


def test_walk_is_red_when_the_dispatcher_makes_nothing_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActivityLedger, "make_due", lambda *_args, **_kwargs: None)

    (lost,) = killed_at(TWO, "before put `events`")

    assert any("the ledger has no row" in fault for fault in lost.violations)


def test_walk_is_red_when_a_sync_does_not_say_that_copies_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(_services: object, _lease: object, entry: LedgerEntry, _activity: object) -> LedgerEntry:
        return entry

    monkeypatch.setattr(syncs, "with_copies", forgetful)

    lost, safe = killed_at(TWO, "before put `copies` as planned, free", "after put `copies` as planned, free")

    assert any(f"child {REX_ID} has 0 activities of 1" in fault for fault in lost.violations)
    assert not any("child" in fault for fault in safe.violations)


def test_walk_is_red_when_nobody_takes_up_a_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Histories, "open", lambda *_args: iter(()))

    (lost,) = killed_at(BACKFILL, "before put `activities`")

    assert sum("the ledger has no row" in fault for fault in lost.violations) == 3


def test_backfill_that_dies_before_its_first_write_has_begun_nothing_and_goes_on_after_it() -> None:
    before, after = killed_at(BACKFILL, "before put `histories`", "after put `histories`")

    assert (before.is_recorded, before.violations) == (False, ())
    assert (after.is_recorded, after.violations) == (True, ())
    assert after.windows > 0


def told_and_done(world: World) -> Expectations:
    expected = TWO.prepare(world)
    System(world).deliver(Points())
    return expected


def another_copy(world: World, expected: Expectations) -> Expectations:
    world.finish(REX_ID, "The same once more")
    return expected


def lost_object(world: World, expected: Expectations) -> Expectations:
    key = next(world.services.lake.objects.list(f"streams/athlete_id={PARENT_ID}/"))
    stored = world.services.lake.objects.get(key)
    assert stored is not None
    world.services.lake.objects.delete(key, expected=stored.etag)
    return expected


def renamed_at_strava(world: World, expected: Expectations) -> Expectations:
    world.control.rename(expected.activities[0], "Another title")
    return expected


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(another_copy, f"child {REX_ID} has 2 activities of 1", id="doubled"),
        pytest.param(lost_object, "points at Strava", id="lost from the lake"),
        pytest.param(renamed_at_strava, "the raw answer", id="old"),
        pytest.param(
            lambda _, expected: Expectations(expected.activities, {REX_ID: expected.activities}),
            "unknown",
            id="not copied",
        ),
        pytest.param(lambda _, expected: Expectations(erased=(PARENT_ID,)), "has no certificate", id="not erased"),
        pytest.param(
            lambda world, expected: (world.services.queue.send("{}"), expected)[1], "1 messages wait", id="message left"
        ),
    ],
)
def test_expectations_say_what_is_wrong(
    tmp_path: Path, change: Callable[[World, Expectations], Expectations], says: str
) -> None:
    with open_world(tmp_path, Rules()) as world:
        expected = told_and_done(world)
        assert violations(world, expected) == ()

        found = violations(world, change(world, expected))

    assert any(says in fault for fault in found), found
