"""One number that is to hold: what was measured, how much it spreads, and whether its target holds all the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Literal

from rich import box
from rich.table import Table

from local.proofs.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Bound:
    """The least or the most that is promised of a figure."""

    sign: Literal["≥", "≤"]
    value: float
    unit: str = ""
    of: str = ""
    """How a ratio follows from ours and the rival's."""

    def __str__(self) -> str:
        """In words, as a table says it."""
        return " ".join(filter(None, (self.of, self.sign, f"{self.value:g}", self.unit)))


@dataclass(frozen=True, slots=True)
class Claim:
    """A measured number and its bound, which holds with the number's spread to spare.

    Shape: `row` is the name of the row, for a second claim of it with a suffix (`gpx_write.memory`).
    Units: `ours` and `rival` in `unit`; `figure` and `spread` too where there is no rival, else they are ratios.
    """

    row: str
    unit: str
    ours: float
    figure: float
    """What the target bounds: the ratio to the rival, or `ours` where there is none."""
    spread: float
    """The interquartile range of the figure over the repetitions; 0 for what is counted."""
    bound: Bound
    rival: float | None = None

    @classmethod
    def times_better(
        cls, row: str, unit: str, ours: Sequence[float], rival: Sequence[float], *, at_least: float
    ) -> Claim:
        """The claim that the rival needs at least `at_least` times as much as our code; a pair for each repetition."""
        ratios = [theirs / our for our, theirs in zip(ours, rival, strict=True)]
        bound = Bound("≥", at_least, of="rival / ours")
        return cls(row, unit, median(ours), median(ratios), spread(ratios), bound, median(rival))

    @classmethod
    def rate(cls, row: str, unit: str, ours: Sequence[float], rival: Sequence[float], *, at_least: float) -> Claim:
        """The claim that ours does at least `at_least` times as much a second as the rival."""
        return cls._ours_by_rival(row, unit, ours, rival, Bound("≥", at_least, of="ours / rival"))

    @classmethod
    def share(cls, row: str, unit: str, ours: Sequence[float], rival: Sequence[float], *, at_most: float) -> Claim:
        """The claim that ours takes at most this share of what the rival takes."""
        return cls._ours_by_rival(row, unit, ours, rival, Bound("≤", at_most, of="ours / rival"))

    @classmethod
    def bounded(cls, row: str, unit: str, ours: Sequence[float], *, at_most: float) -> Claim:
        """The claim that ours stays below an absolute bound."""
        return cls(row, unit, median(ours), median(ours), spread(ours), Bound("≤", at_most, unit))

    @classmethod
    def _ours_by_rival(cls, row: str, unit: str, ours: Sequence[float], rival: Sequence[float], bound: Bound) -> Claim:
        ratios = [our / theirs for our, theirs in zip(ours, rival, strict=True)]
        return cls(row, unit, median(ours), median(ratios), spread(ratios), bound, median(rival))

    @property
    def figures_unit(self) -> str:
        """The unit of figure and spread."""
        return self.unit if self.rival is None else "×"

    @property
    def spare(self) -> float:
        """How far the figure, worse by its spread, stays from the target, as a share of it; negative beyond it."""
        if self.bound.sign == "≥":
            return (self.figure - self.spread - self.bound.value) / self.bound.value
        return (self.bound.value - self.figure - self.spread) / self.bound.value

    @property
    def holds(self) -> bool:
        """Whether the target holds with the spread to spare."""
        return self.spare >= 0

    def verdict(self) -> Verdict:
        """The claim as a proof says it."""
        said = _measured(self.ours, self.unit)
        if self.rival is not None:
            said = f"{_measured(self.figure, self.figures_unit)} ({said}, rival {_measured(self.rival, self.unit)})"
        if self.spread:
            said += f", spread {_measured(self.spread, self.figures_unit)}, {self.spare:.0%} to spare"
        return Verdict(self.row, str(self.bound), said, self.holds)

    def to_json(self) -> dict[str, Any]:
        """The claim as an element of `build/bench.json`."""
        return {
            "row": self.row,
            "ours": self.ours,
            "rival": self.rival,
            "ratio": None if self.rival is None else self.figure,
            "spread": self.spread,
            "target": str(self.bound),
            "spare": self.spare,
            "holds": self.holds,
        }


def spread(values: Sequence[float]) -> float:
    """The interquartile range: one disturbed repetition hardly changes it. 0 for a single value."""
    if len(values) == 1:
        return 0.0
    low, _, high = quantiles(values, n=4, method="inclusive")
    return high - low


def as_table(claims: Sequence[Claim]) -> Table:
    """The claims for a person to read."""
    table = Table(box=box.SIMPLE_HEAD, caption="The target holds with the spread (interquartile range) to spare.")
    table.add_column("row", no_wrap=True)
    for column in ("ours", "rival", "figure", "spread"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("target")
    table.add_column("to spare", justify="right")
    table.add_column("holds", justify="center")
    for claim in claims:
        table.add_row(
            claim.row,
            _measured(claim.ours, claim.unit),
            _measured(claim.rival, claim.unit),
            _measured(claim.figure, claim.figures_unit),
            _measured(claim.spread, claim.figures_unit),
            str(claim.bound),
            f"{claim.spare:.0%}",
            "[green]yes[/green]" if claim.holds else "[bold red]NO[/bold red]",
        )
    return table


def write_json(claims: Sequence[Claim], path: Path) -> None:
    """Write the claims as a JSON list. Effects: replaces what an earlier run wrote."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([claim.to_json() for claim in claims], indent=2, ensure_ascii=False) + "\n")


def _measured(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:,.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
