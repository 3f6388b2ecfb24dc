"""The results of the proofs' last runs in full size: `docs/proofs.json`, from which `docs/proofs.md` is made."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

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

    @classmethod
    def of_today(cls, seconds: int, machine: str, verdicts: Sequence[Verdict]) -> Run:
        """A run that has just ended, of the commit that is checked out."""
        return cls(_commit(), datetime.now(UTC).date().isoformat(), seconds, machine, verdicts)

    @property
    def conditions(self) -> str:
        """When and where it ran, in a sentence."""
        return f"{self.on}, commit {self.commit}, {self.seconds} s, {self.machine}."


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
    """Replace the earlier run of this proof; the runs of other proofs stay."""
    runs = {**read(path), name: run}
    text = json.dumps({key: asdict(runs[key]) for key in sorted(runs)}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n")


def machine() -> str:
    """This machine and how busy it is now, as a run is recorded."""
    memory_gb = psutil.virtual_memory().total / 1e9
    return f"{os.cpu_count()} cores, {memory_gb:.0f} GB, load {os.getloadavg()[0]:.1f} before"


def _commit() -> str:
    """The commit that is checked out, with `+` where files differ from it, except pages, which a run writes."""
    commit = _git("rev-parse", "--short", "HEAD") or "unknown"
    is_changed = _git("status", "--porcelain", "--", ".", ":!docs")
    return f"{commit}{'+' if is_changed else ''}"


def _git(*arguments: str) -> str:
    ended = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return ended.stdout.strip()
