"""Breaks lines at random and counts what the tests notice: `python -m local.mutants [--seed 7] [--modules state,lake]`.

Why not one of the libraries: mutmut (3.8) changes functions through trampolines that it finds by the module's name,
which a DAG that Airflow imports under a name of its own does not have; cosmic-ray (8.7) asks the same test command
about every mutant, which takes minutes here; neither draws a sample from a seed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from include.errors import IngestError
from local.environment import REPOSITORY
from local.mutants.mutation import Mutant
from local.mutants.selection import MODULES, sample
from local.mutants.trial import Fate, Trial, copy_repository, try_mutant

PROCESSES = 2

app = typer.Typer(add_completion=False)


@app.command()
def main(
    seed: Annotated[int, typer.Option(help="Which lines are broken.")] = 7,
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 150,
    modules: Annotated[str, typer.Option(help="Where, parted by commas.")] = ",".join(MODULES),
    minutes: Annotated[float, typer.Option(help="No mutant is begun after so long.")] = 120,
) -> None:
    """Print how many broken lines the tests noticed, and those that they did not."""
    unknown = sorted(set(modules.split(",")) - set(MODULES))
    if unknown:
        raise typer.BadParameter(f"There are no modules {', '.join(unknown)}; choose from {', '.join(MODULES)}.")
    drawn = sample(REPOSITORY, [MODULES[name] for name in modules.split(",")], count=count, seed=seed)
    console = Console(soft_wrap=True)
    try:
        trials = _tried(drawn, console, until=time.monotonic() + 60 * minutes)
    except IngestError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    console.print(_as_table(trials))
    for trial in trials:
        if trial.fate is Fate.SURVIVED:
            console.print(f"survived  {trial.mutant}", highlight=False, markup=False)
    if len(trials) < len(drawn):
        console.print(f"Out of time: {len(drawn) - len(trials)} of {len(drawn)} were not tried.", highlight=False)


def _tried(drawn: Sequence[Mutant], console: Console, *, until: float) -> list[Trial]:
    """What became of each mutant, in their order; those for which no time was left are missing."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(PROCESSES) as pool:
        sound: set[str] = set()
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(PROCESSES):
            copies.put(copy_repository(REPOSITORY, Path(folder) / str(number)))

        def tried(mutant: Mutant) -> Trial | None:
            if time.monotonic() > until:
                return None
            root = copies.get()
            try:
                trial = try_mutant(root, mutant, sound)
            finally:
                copies.put(root)
            console.print(f"{trial.fate:9} {mutant}", highlight=False, markup=False)
            return trial

        return [trial for trial in pool.map(tried, drawn) if trial is not None]


def _as_table(trials: Sequence[Trial]) -> Table:
    table = Table("modules", "mutants", "killed", "rate", title="Mutants")
    for name, folder in MODULES.items():
        fates = [trial.fate for trial in trials if trial.mutant.path.startswith(f"{folder}/")]
        if fates:
            _row(table, name, fates)
    if trials:
        _row(table, "all", [trial.fate for trial in trials])
    return table


def _row(table: Table, name: str, fates: Sequence[Fate]) -> None:
    killed = fates.count(Fate.KILLED)
    table.add_row(name, str(len(fates)), str(killed), f"{killed / len(fates):.1%}")


if __name__ == "__main__":
    app()
