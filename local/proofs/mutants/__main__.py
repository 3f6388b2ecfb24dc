"""Breaks lines at random and counts what the tests notice: `python -m local.proofs.mutants [--modules state]`.

Why not one of the libraries: mutmut (3.8) changes functions through trampolines that it finds by the module's name,
which a DAG that Airflow imports under a name of its own does not have; cosmic-ray (8.7) asks the same test command
about every mutant, which takes minutes here; neither draws a sample from a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from include.errors import IngestError
from local.proofs.mutants.search import Search, killed_share, search
from local.proofs.mutants.selection import MODULES
from local.proofs.mutants.trial import Trial, TrialResult

app = typer.Typer(add_completion=False)


@app.command()
def main(
    seed: Annotated[int, typer.Option(help="Seed of the choice of lines.")] = 7,
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 150,
    modules: Annotated[str, typer.Option(help="Modules, separated by commas.")] = ",".join(MODULES),
    minutes: Annotated[float, typer.Option(help="No mutant is started after this time.")] = 120,
) -> None:
    """Print how many broken lines the tests noticed, and those that they did not."""
    named = modules.split(",")
    unknown = sorted(set(named) - set(MODULES))
    if unknown:
        raise typer.BadParameter(f"Unknown modules: {', '.join(unknown)}; choose from {', '.join(MODULES)}.")
    console = Console(soft_wrap=True)

    def tell(trial: Trial) -> None:
        console.print(f"{trial.result:9} {trial.mutant}", highlight=False, markup=False)

    try:
        trials = search(Search(named, count, seed, longest_s=60 * minutes), tell)
    except IngestError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    console.print(_as_table(trials))
    for trial in trials:
        if trial.result is TrialResult.SURVIVED:
            tell(trial)
    if len(trials) < count:
        console.print(f"{count - len(trials)} of {count} were not tried: the time was over, or there are no more.")


def _as_table(trials: Sequence[Trial]) -> Table:
    table = Table("modules", "mutants", "killed", "rate", title="Mutants")
    for name, folder in {**MODULES, "all": ""}.items():
        found = [trial for trial in trials if trial.mutant.path.startswith(f"{folder}/" if folder else "")]
        if found:
            killed = sum(trial.result is TrialResult.KILLED for trial in found)
            table.add_row(name, str(len(found)), str(killed), f"{killed_share(found):.1%}")
    return table


if __name__ == "__main__":
    app()
