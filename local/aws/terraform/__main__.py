"""Checks the Terraform configuration: `python -m local.aws.terraform`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import typer
from rich.console import Console

from include.errors import SettingsError
from local.aws.terraform.checks import all_checks
from local.aws.terraform.tool import Terraform


def main() -> None:
    """Run every check, and print its result and time."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            terraform = Terraform.copy_into(Path(scratch))
        except SettingsError as err:
            console.print(f"[red]✗[/] {err}", markup=True)
            raise typer.Exit(1) from None
        failed = 0
        for name, check in all_checks(terraform):
            begun = time.monotonic()
            try:
                said, mark = check(), "[green]✓[/]"
            except SettingsError as err:
                said, mark, failed = str(err), "[red]✗[/]", failed + 1
            console.print(mark, f"{name} ({time.monotonic() - begun:.1f} s):", end=" ")
            console.print(said, markup=False)
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
