"""The last counts: `docs/scale.json`, from which `docs/scale.md` is made."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from local.proofs.scale.counting import Counts, Kind
from ops.repository import REPOSITORY

RECORD = REPOSITORY / "docs" / "scale.json"

Counted = Mapping[int, Mapping[str, Counts]]
"""The counts of each workload, by the number of athletes."""


def read(path: Path = RECORD) -> Counted:
    """The last counts; empty where there are none."""
    if not path.is_file():
        return {}
    kept = json.loads(path.read_text())
    return {int(athletes): {name: _counts(counts) for name, counts in kept[athletes].items()} for athletes in kept}


def keep(counted: Counted, path: Path = RECORD) -> None:
    """Replace the last counts."""
    path.write_text(json.dumps(counted, indent=2, sort_keys=True) + "\n")


def _counts(kept: Mapping[str, int]) -> Counts:
    return Counter({Kind(kind): number for kind, number in kept.items()})
