"""The verdicts of a proof, and their table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

Advance = Callable[[int], None]
"""Called with the number of finished rounds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One claim, the figures that it was measured by, and whether it holds."""

    proof: str
    claim: str
    figures: str
    holds: bool


def as_table(verdicts: Sequence[Verdict]) -> Table:
    """The verdicts for a person to read."""
    table = Table(box=box.SIMPLE_HEAD, show_lines=True)
    for column in ("proof", "claim", "measured"):
        table.add_column(column)
    table.add_column("holds", justify="center")
    for verdict in verdicts:
        answer = "[green]yes[/green]" if verdict.holds else "[bold red]NO[/bold red]"
        table.add_row(verdict.proof, verdict.claim, verdict.figures, answer)
    return table
