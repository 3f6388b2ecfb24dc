"""Lists and runs the slow proofs: `python -m local.proofs [--name burst] [--small] [--seed 7]`."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from local.proofs import record
from local.proofs.record import Run
from local.proofs.verdict import as_table

if TYPE_CHECKING:
    from local.proofs.proof import Proof

ALL = "all"
_NARROWEST = 160

app = typer.Typer(add_completion=False)


@app.command()
def main(
    name: Annotated[str, typer.Option(help=f"One of the list, or `{ALL}`; without it the list is printed.")] = "",
    small: Annotated[bool, typer.Option("--small", help="The smallest size, whose figures go to no page.")] = False,
    seed: Annotated[int, typer.Option(help="Whom and when chance strikes.")] = 2026,
) -> None:
    """Run the named proof, print its verdicts and write docs/proofs.md; the exit status is 1 when a claim fails."""
    # Imported here: processes that a proof starts import this module again, and stay small.
    from local.proofs.registry import PROOFS

    console = Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else _NARROWEST)
    if not name:
        for proof in PROOFS:
            console.print(f"{proof.name:16} {proof.seconds:4} s  {proof.shows}", highlight=False, markup=False)
        return
    chosen = [proof for proof in PROOFS if name in (ALL, proof.name)]
    if not chosen:
        raise typer.BadParameter(
            f"{name!r} is not a proof; the proofs are {', '.join(proof.name for proof in PROOFS)}."
        )
    with ExitStack() as closing:
        failed = [proof.name for proof in chosen if not _ran(proof, console, closing, is_small=small, seed=seed)]
    if failed:
        console.print(f"Not held: {', '.join(failed)}", highlight=False)
        raise typer.Exit(1)


def _ran(proof: Proof, console: Console, closing: ExitStack, *, is_small: bool, seed: int) -> bool:
    """Whether every claim holds. Effects: in full size, the figures go to docs/proofs.md."""
    from local.proofs.proof import Effort

    machine, began_s = record.machine(), time.monotonic()
    with console.status(proof.name) as status:
        effort = Effort(is_small, seed, lambda done: status.update(f"{proof.name}: {done} done"), closing)
        verdicts = proof.prove(effort)
    seconds = round(time.monotonic() - began_s)
    console.print(f"{proof.name}: {seconds} s", highlight=False)
    console.print(as_table(verdicts))
    if not is_small:
        _publish(proof.name, Run.of_today(seconds, machine, verdicts))
    return bool(verdicts) and all(verdict.holds for verdict in verdicts)


def _publish(name: str, run: Run) -> None:
    from local.docs.pages import write

    record.keep(name, run)
    write("proofs")


if __name__ == "__main__":
    app()
