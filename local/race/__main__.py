"""The proofs' command line: `python -m local.race [--rounds N] [--store …] [--seed S] [one proof, or all]`."""

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
from local.race.lake import prove_lake
from local.race.month import LakeKind, prove_month
from local.race.quota import WINDOWS, prove_quota
from local.race.tokens import prove_tokens
from local.race.verdict import Verdict, as_table
from local.race.writers import prove_writers

ROUNDS = 300
_LAKE_ROUNDS = 200
_MONTH_WRITES = 1000
_NARROWEST = 160
_Prove = Callable[..., list[Verdict]]
"""A proof that lacks only whom to tell about its progress (`advance`)."""


class Proof(StrEnum):
    """What can be proven."""

    TOKENS = "tokens"
    QUOTA = "quota"
    WRITERS = "writers"
    MONTH = "month"
    LAKE = "lake"
    ALL = "all"


class Stores(StrEnum):
    """Which stores a proof runs on."""

    SQLITE = "sqlite"
    DYNAMODB = "dynamodb"
    BOTH = "both"


def main(
    proof: Annotated[Proof, typer.Argument(help="What to prove.")] = Proof.ALL,
    rounds: Annotated[
        int,
        typer.Option(
            min=1,
            help=f"Rounds of tokens and writers; the lake has {_LAKE_ROUNDS / ROUNDS:.0%} of them,"
            f" the month {_MONTH_WRITES / ROUNDS:.1f} writes for each, the quota's day always 96.",
        ),
    ] = ROUNDS,
    store: Annotated[Stores, typer.Option(help="Where tokens and quota are kept.")] = Stores.BOTH,
    seed: Annotated[int, typer.Option(help="Whom and when chance strikes.")] = 2026,
) -> None:
    """Prove with real processes that tokens survive, the quota is kept, and the lake is as it should be.

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
    if proof in (Proof.MONTH, Proof.ALL):
        writes = max(1, rounds * _MONTH_WRITES // ROUNDS)
        for lake in LakeKind:
            yield f"month · {lake}", writes, partial(prove_month, lake, writes=writes)
    if proof in (Proof.LAKE, Proof.ALL):
        lake_rounds = max(1, rounds * _LAKE_ROUNDS // ROUNDS)
        yield "lake · files", lake_rounds, partial(prove_lake, rounds=lake_rounds, seed=seed)


if __name__ == "__main__":
    typer.run(main)
