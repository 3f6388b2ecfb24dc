"""A copy dies at each of its points; what production runs next leaves exactly one activity."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.copying.outcome import Outcome, OutcomeState, read_outcome
from include.state.copies.ledger import CopyState
from include.store.sqlite import SqliteStore
from include.store.store import Key
from include.strava.models import Upload
from local.docs.pages import page_path
from local.docs.walks.crash_walk import section
from local.proofs.crash_walk.adapters import CrashingStore
from local.proofs.crash_walk.copy_scenarios import COPY_SCENARIOS, CopyScenario
from local.proofs.crash_walk.copy_walk import CrashOutcome, walk
from local.proofs.crash_walk.points import Crashed, Points

FRESH, WRITING_ONLY = COPY_SCENARIOS[0], COPY_SCENARIOS[3]


@pytest.mark.parametrize("scenario", [pytest.param(scenario, id=scenario.name) for scenario in COPY_SCENARIOS])
def test_copy_ends_as_one_activity_wherever_it_dies(scenario: CopyScenario) -> None:
    outcomes = list(walk(scenario))

    assert [outcome for outcome in outcomes if not outcome.holds(scenario)] == []
    assert len(outcomes) >= scenario.fewest_points, "the walk no longer sees all that a copy does"
    page = page_path("crash-walk").read_text()
    assert section(scenario, outcomes) in page, "run `make docs ARGS=crash-walk`"
    assert f"| {scenario.name} | {len(outcomes)} | one activity, `{scenario.ends_as}` |" in page


def test_walk_finds_a_copy_that_takes_its_own_upload_for_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def harsh(upload: Upload) -> Outcome:
        outcome = read_outcome(upload)
        return Outcome(OutcomeState.FAILED) if outcome.state is OutcomeState.DUPLICATE else outcome

    monkeypatch.setattr("include.pipeline.copying.copy_job.read_outcome", harsh)

    broken = [outcome for outcome in walk(WRITING_ONLY) if not outcome.holds(WRITING_ONLY)]

    assert [(outcome.point, outcome.state) for outcome in broken] == [
        ("after `POST /uploads`", CopyState.FAILED),
        ("before put `copies` as processing, held", CopyState.FAILED),
    ]


WELL = {
    "point": "before",
    "retry": "",
    "windows": "",
    "state": CopyState.DONE,
    "activities": 1,
    "named": True,
    "left": 0,
}


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        pytest.param({}, True, id="all is well"),
        pytest.param({"activities": 2}, False, id="two activities"),
        pytest.param({"activities": 0}, False, id="no activity"),
        pytest.param({"state": CopyState.PROCESSING}, False, id="not finished"),
        pytest.param({"state": None}, False, id="not in the ledger"),
        pytest.param({"named": False}, False, id="another activity"),
        pytest.param({"left": 1}, False, id="something left"),
    ],
)
def test_death_holds_only_when_nothing_is_wrong(changes: dict[str, object], holds: bool) -> None:
    assert CrashOutcome(**{**WELL, **changes}).holds(FRESH) is holds


def test_dead_process_gets_nothing_done(tmp_path: Path) -> None:
    living, points, key = (
        SqliteStore(tmp_path / "s.sqlite", lambda: 0.0),
        Points("before put `quota`"),
        Key("quota", "1"),
    )
    store = CrashingStore(living, points)

    for operation in (
        lambda: store.put(key, {"count": 1}, expected_version=0),
        lambda: store.get(key),
        lambda: store.add(key, {"count": 1}),
    ):
        with pytest.raises(Crashed):
            operation()

    assert living.get(key) is None
    assert points.passed == ["before put `quota`"]
    living.close()


def test_points_of_one_name_are_numbered() -> None:
    points = Points()
    for _ in range(2):
        with points.around("a write"):
            pass
    with pytest.raises(ValueError, match="lost"), points.around("a write"):
        raise ValueError("lost")

    assert points.passed == [
        "before a write",
        "after a write",
        "before a write (2)",
        "after a write (2)",
        "before a write (3)",
    ]
