"""One number that is to hold: what was measured, what it is compared with, and whether it holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from local.proofs.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Claim:
    """A measured number beside its bound.

    Shape: `row` is the name of the row, for a second claim of it with a suffix (`gpx_write.memory`).
    Units: `ours` and `rival` in `unit`; `ratio` as the target says, None where the bound is absolute.
    """

    row: str
    unit: str
    ours: float
    target: str
    holds: bool
    rival: float | None = None
    ratio: float | None = None

    @classmethod
    def times_better(cls, row: str, unit: str, ours: float, rival: float, *, at_least: float) -> Claim:
        """The claim that the rival needs at least `at_least` times as much as our code."""
        ratio = rival / ours
        return cls(row, unit, ours, f"rival / ours ≥ {at_least:g} ({unit})", ratio >= at_least, rival, ratio)

    @classmethod
    def share(cls, row: str, unit: str, ours: float, rival: float, *, at_most: float) -> Claim:
        """Ours takes at most this share of what the rival takes."""
        ratio = ours / rival
        return cls(row, unit, ours, f"ours / rival ≤ {at_most:g} ({unit})", ratio <= at_most, rival, ratio)

    @classmethod
    def bounded(cls, row: str, unit: str, ours: float, *, at_most: float) -> Claim:
        """Ours stays below an absolute bound."""
        return cls(row, unit, ours, f"≤ {at_most:g} {unit}", ours <= at_most)

    @classmethod
    def rate(cls, row: str, unit: str, ours: float, rival: float, *, at_least: float) -> Claim:
        """Ours reaches an absolute rate; the rival's is there to compare."""
        return cls(row, unit, ours, f"≥ {at_least:g} {unit}", ours >= at_least, rival, ours / rival)

    def verdict(self) -> Verdict:
        """The claim as a proof says it."""
        return Verdict(self.row, self.target, _measured(self.ours, self.unit), self.holds)

    def to_json(self) -> dict[str, Any]:
        """The claim as an element of `build/bench.json`."""
        return {
            "row": self.row,
            "ours": self.ours,
            "rival": self.rival,
            "ratio": self.ratio,
            "target": self.target,
            "holds": self.holds,
        }


def as_table(claims: Sequence[Claim]) -> Table:
    """The claims for a person to read."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("row", no_wrap=True)
    for column in ("ours", "rival", "ratio"):
        table.add_column(column, justify="right")
    table.add_column("target")
    table.add_column("holds", justify="center")
    for claim in claims:
        table.add_row(
            claim.row,
            _measured(claim.ours, claim.unit),
            _measured(claim.rival, claim.unit),
            "–" if claim.ratio is None else f"{claim.ratio:.3g} ×",
            claim.target,
            "[green]yes[/green]" if claim.holds else "[bold red]NO[/bold red]",
        )
    return table


def write_json(claims: Sequence[Claim], path: Path) -> None:
    """Write the claims as a JSON list. Effects: replaces what an earlier run wrote."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([claim.to_json() for claim in claims], indent=2, ensure_ascii=False) + "\n")


def _measured(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:,.4g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
