"""What the proofs found when they last ran in full: `docs/proofs.json`, from which `docs/proofs.md` is made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from local.proofs.verdict import Verdict
from ops.repository import REPOSITORY

RECORD = REPOSITORY / "docs" / "proofs.json"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a proof in full size."""

    commit: str
    """The commit that was checked out; `+` at its end says that files differed from it."""
    on: str
    """The day, as `2026-11-29`."""
    seconds: int
    machine: str
    """What else the figures depend on: cores, memory, and how busy the machine was before."""
    verdicts: Sequence[Verdict]


def read(path: Path = RECORD) -> Mapping[str, Run]:
    """The last run of each proof, by its name; empty where none ever ran."""
    if not path.is_file():
        return {}
    runs = json.loads(path.read_text())
    return {
        name: Run(**{**run, "verdicts": tuple(Verdict(**verdict) for verdict in run["verdicts"])})
        for name, run in runs.items()
    }


def keep(name: str, run: Run, path: Path = RECORD) -> None:
    """Replace what an earlier run of the proof found; those of other proofs stay."""
    runs = {**read(path), name: run}
    text = json.dumps({key: asdict(runs[key]) for key in sorted(runs)}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n")
