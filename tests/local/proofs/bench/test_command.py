from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import local.proofs.bench.__main__ as command
from local.docs import pages
from local.proofs.bench import page, rows
from local.proofs.bench.claim import Claim
from local.proofs.bench.scale import FULL, QUICK, Scale


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command writes; it has the rows `good`, `bad` and `scale`, all invented."""
    measured = {
        "good": lambda scale, directory: [Claim.bounded("good", "s", [1.0], at_most=2)],
        "bad": lambda scale, directory: [Claim.bounded("bad", "s", [3.0], at_most=2)],
        "scale": lambda scale, directory: [Claim.bounded("scale", "points", [_points(scale, directory)], at_most=1e6)],
    }
    monkeypatch.setattr(rows, "ROWS", measured)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "build" / "bench.json")
    monkeypatch.setattr(page, "RECORD", tmp_path / "record.json")
    monkeypatch.setattr(pages, "page_path", lambda name: tmp_path / f"{name}.md")
    return tmp_path / "build" / "bench.json"


def _points(scale: Scale, directory: Path) -> float:
    assert list(directory.iterdir()) == []
    return scale.ride_points


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command.app, arguments)


def test_status_is_0_when_every_row_holds(results: Path) -> None:
    result = run("--rows", "good scale")

    assert result.exit_code == 0
    assert [entry["row"] for entry in json.loads(results.read_text())] == ["good", "scale"]


def test_status_is_1_and_results_are_written_when_a_row_does_not_hold(results: Path) -> None:
    result = run()

    assert result.exit_code == 1
    assert "Not held: bad" in result.output
    assert [(entry["row"], entry["holds"]) for entry in json.loads(results.read_text())] == [
        ("good", True),
        ("bad", False),
        ("scale", True),
    ]


def test_unknown_row_is_refused_with_the_list_of_rows(results: Path) -> None:
    result = run("--rows", "good gpx_wrte")

    assert result.exit_code == 2
    assert "gpx_wrte" in result.output
    assert "good, bad, scale" in " ".join(result.output.replace("│", " ").split())
    assert not results.exists()


@pytest.mark.parametrize(
    ("arguments", "points"),
    [pytest.param((), FULL.ride_points, id="full"), pytest.param(("--quick",), QUICK.ride_points, id="quick")],
)
def test_quick_measures_with_smaller_inputs(results: Path, arguments: tuple[str, ...], points: int) -> None:
    run("--rows", "scale", *arguments)

    assert json.loads(results.read_text())[0]["ours"] == points


def test_page_tells_of_every_row_when_all_are_measured_in_full(results: Path, tmp_path: Path) -> None:
    run()

    text = (tmp_path / "bench.md").read_text()
    assert "| good | 1 s | ≤ 2 s | yes |\n| bad | 3 s | ≤ 2 s | **NO** |\n| scale | " in text
    assert " cores, " in text


@pytest.mark.parametrize(
    "arguments", [pytest.param(("--quick",), id="quick"), pytest.param(("--rows", "good"), id="some rows")]
)
def test_page_stays_when_not_everything_is_measured(results: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    run(*arguments)

    assert not (tmp_path / "bench.md").exists()
    assert not (tmp_path / "record.json").exists()


def test_page_says_what_is_measured_when_nothing_was_recorded() -> None:
    assert "event_to_lake" in page.page({})
