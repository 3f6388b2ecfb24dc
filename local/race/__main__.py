"""The proofs' command line: `python -m local.race [--rounds N] [--store …] [--seed S] [tokens|quota|writers|all]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.race.arena import StoreKind
from local.race.quota import WINDOWS, prove_quota
from local.race.tokens import prove_tokens
from local.race.verdict import Verdict, as_table
from local.race.writers import prove_writers

ROUNDS = 300
_NARROWEST = 160
_Prove = Callable[..., list[Verdict]]
"""A proof that lacks only whom to tell about its progress (`advance`)."""


class Proof(StrEnum):
    """What can be proven."""

    TOKENS = "tokens"
    QUOTA = "quota"
    WRITERS = "writers"
    ALL = "all"


class Stores(StrEnum):
    """Which stores a proof runs on."""

    SQLITE = "sqlite"
    DYNAMODB = "dynamodb"
    BOTH = "both"


def main(
    proof: Annotated[Proof, typer.Argument(help="What to prove.")] = Proof.ALL,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of tokens and writers; the quota's day has 96.")] = ROUNDS,
    store: Annotated[Stores, typer.Option(help="Where tokens and quota are kept.")] = Stores.BOTH,
    seed: Annotated[int, typer.Option(help="Whom and when chance strikes.")] = 2026,
) -> None:
    """Prove with real processes that tokens survive, the quota is kept and one activity has one writer.

    Exit status: 0 only if every claim holds.
    """
    console = Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else _NARROWEST)
    verdicts: list[Verdict] = []
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for name, total, prove in _proofs(proof, store, rounds, seed):
            verdicts += _shown(progress, name, total, prove)
    console.print(as_table(verdicts))
    raise typer.Exit(0 if all(verdict.holds for verdict in verdicts) else 1)


def _shown(progress: Progress, name: str, total: int, prove: _Prove) -> list[Verdict]:
    task = progress.add_task(name, total=total)
    began_s = time.monotonic()
    verdicts = prove(advance=lambda done: progress.update(task, completed=done))
    progress.remove_task(task)
    progress.console.print(f"{name}: {total} rounds in {time.monotonic() - began_s:.0f} s", highlight=False)
    return verdicts


def _proofs(proof: Proof, store: Stores, rounds: int, seed: int) -> Iterator[tuple[str, int, _Prove]]:
    """Each proof to be run: its name, how many rounds it has, and the proof itself."""
    for kind in StoreKind if store is Stores.BOTH else [StoreKind(store)]:
        if proof in (Proof.TOKENS, Proof.ALL):
            yield f"tokens · {kind}", rounds, partial(prove_tokens, kind, rounds=rounds, seed=seed)
        if proof in (Proof.QUOTA, Proof.ALL):
            yield f"quota · {kind}", WINDOWS, partial(prove_quota, kind, seed=seed)
    if proof in (Proof.WRITERS, Proof.ALL):
        yield "writers · sqlite", rounds, partial(prove_writers, rounds=rounds, seed=seed)


if __name__ == "__main__":
    typer.run(main)
