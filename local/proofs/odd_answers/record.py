"""The outcomes of the last run of every odd answer: `docs/odd-answers.json`, from which the page is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from local.proofs.odd_answers.cell import Outcome
from ops.repository import REPOSITORY

RECORD = REPOSITORY / "docs" / "odd-answers.json"

Cell = tuple[str, str]
"""A call and an answer to it, by their names."""


@dataclass(frozen=True, slots=True)
class Played:
    """Every answer to every call on one store."""

    seed: int
    """The seed of the recordings."""
    outcomes: Mapping[Cell, Outcome]


def read(path: Path = RECORD) -> Mapping[str, Played]:
    """The last outcomes, by store; empty where there are none."""
    if not path.is_file():
        return {}
    return {
        store: Played(
            played["seed"],
            {
                (call, answer): Outcome(**outcome)
                for call, answers in played["outcomes"].items()
                for answer, outcome in answers.items()
            },
        )
        for store, played in json.loads(path.read_text()).items()
    }


def keep(store: str, played: Played, path: Path = RECORD) -> None:
    """Replace the last outcomes on that store; those on the other stay."""
    every = {**read(path), store: played}
    path.write_text(json.dumps({name: _to_json(every[name]) for name in sorted(every)}, ensure_ascii=False, indent=1))


def _to_json(played: Played) -> dict[str, object]:
    outcomes: dict[str, dict[str, object]] = {}
    for (call, answer), outcome in played.outcomes.items():
        outcomes.setdefault(call, {})[answer] = asdict(outcome)
    return {"seed": played.seed, "outcomes": outcomes}
