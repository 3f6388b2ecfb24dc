"""What a proof found, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

Advance = Callable[[int], None]
"""Is told how many rounds are done."""


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
