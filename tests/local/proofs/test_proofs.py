from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import local.proofs.__main__ as command
from local.docs import pages
from local.proofs import page, record, registry
from local.proofs.proof import LONGEST_S, Effort, Proof
from local.proofs.record import Run
from local.proofs.verdict import Verdict

RUN = Run("abc1234", "2026-11-29", 12, "2 cores", (Verdict("good", "a claim", "3 of 3", True),))


@pytest.fixture
def efforts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Effort]:
    """How hard the invented proofs `good` and `bad` were asked to try; the page is in `tmp_path`."""
    efforts: list[Effort] = []

    def good(effort: Effort) -> list[Verdict]:
        efforts.append(effort)
        return [Verdict("good", "a claim", f"{effort.rounds(300, small=2)} rounds", True)]

    def bad(effort: Effort) -> list[Verdict]:
        efforts.append(effort)
        return [Verdict("bad", "a claim", "1 lost", False)]

    proofs = (Proof("good", "Nothing is lost", 30, good), Proof("bad", "Nothing is won", 40, bad))
    monkeypatch.setattr(registry, "PROOFS", proofs)
    monkeypatch.setattr(record, "RECORD", tmp_path / "proofs.json")
    monkeypatch.setattr(record.read, "__defaults__", (tmp_path / "proofs.json",))
    monkeypatch.setattr(record.keep, "__defaults__", (tmp_path / "proofs.json",))
    monkeypatch.setattr(pages, "page_path", lambda name: tmp_path / f"{name}.md")
    return efforts


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command.app, arguments)


def test_command_lists_every_proof_with_its_seconds_when_none_is_named(efforts: list[Effort]) -> None:
    result = run()

    assert [line.split() for line in result.output.splitlines()] == [
        ["good", "30", "s", "Nothing", "is", "lost"],
        ["bad", "40", "s", "Nothing", "is", "won"],
    ]
    assert efforts == []


def test_command_runs_the_named_proof_and_writes_its_figures(efforts: list[Effort], tmp_path: Path) -> None:
    result = run("--name", "good", "--seed", "5")

    assert result.exit_code == 0
    assert [(effort.is_small, effort.seed) for effort in efforts] == [(False, 5)]
    assert "| good | a claim | 300 rounds | yes |" in (tmp_path / "proofs.md").read_text()


def test_command_writes_no_page_when_the_size_is_small(efforts: list[Effort], tmp_path: Path) -> None:
    result = run("--name", "good", "--small")

    assert result.exit_code == 0
    assert "2 rounds" in result.output
    assert list(tmp_path.iterdir()) == []


def test_command_runs_all_and_fails_when_one_claim_does_not_hold(efforts: list[Effort], tmp_path: Path) -> None:
    result = run("--name", "all")

    assert result.exit_code == 1
    assert len(efforts) == 2
    assert "Not held: bad" in result.output
    assert "| bad | a claim | 1 lost | **NO** |" in (tmp_path / "proofs.md").read_text()


def test_command_names_the_proofs_there_are_when_it_is_asked_for_another(efforts: list[Effort]) -> None:
    result = run("--name", "god")

    assert result.exit_code == 2
    assert "good, bad" in " ".join(result.output.replace("│", " ").split())
    assert efforts == []


def test_command_closes_what_its_proofs_share_when_the_last_one_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def opens(effort: Effort) -> list[Verdict]:
        effort.closing.callback(happened.append, "closed")
        return [Verdict("opens", "a claim", "", True)]

    def uses(effort: Effort) -> list[Verdict]:
        happened.append("used")
        return [Verdict("uses", "a claim", "", True)]

    monkeypatch.setattr(registry, "PROOFS", (Proof("opens", "It", 1, opens), Proof("uses", "It", 1, uses)))

    assert run("--name", "all", "--small").exit_code == 0
    assert happened == ["used", "closed"]


def test_proof_that_says_nothing_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "PROOFS", (Proof("mute", "Nothing", 1, lambda effort: ()),))

    assert run("--name", "mute", "--small").exit_code == 1


def test_record_keeps_the_runs_of_other_proofs(tmp_path: Path) -> None:
    path = tmp_path / "proofs.json"
    assert record.read(path) == {}

    record.keep("good", RUN, path)
    record.keep("bad", RUN, path)

    assert record.read(path) == {"good": RUN, "bad": RUN}
    assert list(json.loads(path.read_text())) == ["bad", "good"]


def test_page_shows_commit_day_and_figures_of_the_proofs_that_ran() -> None:
    shows = {name: f"About {name}" for name in ("good", "never_ran")}

    text = page.page(shows, {"good": RUN, "gone": RUN})

    assert "## good\n\nAbout good." in text
    assert "2026-11-29, commit abc1234, 12 s, 2 cores." in text
    assert "never_ran" not in text
    assert "gone" not in text


def test_registry_names_each_proof_once_and_none_takes_longer_than_ten_minutes() -> None:
    names = [proof.name for proof in registry.PROOFS]

    assert len(set(names)) == len(names)
    assert all(0 < proof.seconds <= LONGEST_S for proof in registry.PROOFS)
    assert command.ALL not in names


def test_record_of_the_repository_knows_only_proofs_there_are() -> None:
    names = {proof.name for proof in registry.PROOFS}

    assert not names & page.TARGETS.keys()
    assert set(record.read()) <= names | page.TARGETS.keys()
