"""Measures what the system promises: `python -m local.proofs.bench [--rows "gpx_write lake_bytes"] [--quick]`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ops.repository import REPOSITORY

_NARROWEST = 160
"""The width of the table in a file or a pipe, where no column may be cut off."""

RESULTS = REPOSITORY / "build" / "bench.json"

app = typer.Typer(add_completion=False)


@app.command()
def main(
    rows: Annotated[str, typer.Option(help="Names of rows, separated by spaces; without any, all.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Small inputs and few repetitions: a first look.")] = False,
) -> None:
    """Measure, print a table and write build/bench.json; the exit status is 1 when a row does not hold.

    Effects: when all rows are measured in full size, docs/bench.md tells of them.
    """
    # Imported here, so that the fresh processes, which import this module again, stay small.
    from local.proofs import record
    from local.proofs.bench import page
    from local.proofs.bench.claim import Claim, as_table, write_json
    from local.proofs.bench.rows import ROWS
    from local.proofs.bench.scale import FULL, QUICK

    names = rows.split() or list(ROWS)
    if unknown := [name for name in names if name not in ROWS]:
        raise typer.BadParameter(f"{unknown[0]!r} is not a row; the rows are {', '.join(ROWS)}.")
    scale, machine, began_s = QUICK if quick else FULL, record.machine(), time.monotonic()
    progress = Console(stderr=True)
    claims: list[Claim] = []
    for name in names:
        with progress.status(f"Measuring {name}"), tempfile.TemporaryDirectory(prefix="bench-") as directory:
            claims += ROWS[name](scale, Path(directory))
    Console(width=None if sys.stdout.isatty() else _NARROWEST).print(as_table(claims))
    write_json(claims, RESULTS)
    if not rows and not quick:
        page.publish(claims, round(time.monotonic() - began_s), machine)
    if failed := [claim.row for claim in claims if not claim.holds]:
        print(f"Not held: {', '.join(failed)}")
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
