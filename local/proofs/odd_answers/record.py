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
class StoreOutcomes:
    """Every answer to every call on one store."""

    seed: int
    """The seed of the recordings."""
    outcomes: Mapping[Cell, Outcome]


def read(path: Path = RECORD) -> Mapping[str, StoreOutcomes]:
    """The last outcomes, by store; empty where there are none."""
    if not path.is_file():
        return {}
    return {
        store: StoreOutcomes(
            stored["seed"],
            {
                (call, answer): Outcome(**outcome)
                for call, answers in stored["outcomes"].items()
                for answer, outcome in answers.items()
            },
        )
        for store, stored in json.loads(path.read_text()).items()
    }


def keep(store: str, stored: StoreOutcomes, path: Path = RECORD) -> None:
    """Replace the last outcomes on that store; those on the other stay."""
    every = {**read(path), store: stored}
    path.write_text(json.dumps({name: _to_json(every[name]) for name in sorted(every)}, ensure_ascii=False, indent=1))


def _to_json(stored: StoreOutcomes) -> dict[str, object]:
    outcomes: dict[str, dict[str, object]] = {}
    for (call, answer), outcome in stored.outcomes.items():
        outcomes.setdefault(call, {})[answer] = asdict(outcome)
    return {"seed": stored.seed, "outcomes": outcomes}
