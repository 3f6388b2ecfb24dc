"""Checks the Terraform configuration: `python -m local.aws.terraform`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import typer
from rich.console import Console

from include.errors import SettingsError
from local.aws.terraform.checks import all_checks
from local.aws.terraform.tool import Terraform


def main() -> None:
    """Run every check, and print its result and time, in order."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            terraform = Terraform.copy_into(Path(scratch))
        except SettingsError as err:
            console.print(f"[red]✗[/] {err}", markup=True)
            raise typer.Exit(1) from None
        # Two at once: each runs programs, of which none uses more than a core for long.
        with ThreadPoolExecutor(2) as pool:
            checks = [(name, pool.submit(_ran, check)) for name, check in all_checks(terraform)]
            for name, check in checks:
                is_well, said, took_s = check.result()
                console.print("[green]✓[/]" if is_well else "[red]✗[/]", f"{name} ({took_s:.1f} s):", end=" ")
                console.print(said, markup=False)
    if not all(check.result()[0] for _, check in checks):
        raise typer.Exit(1)


def _ran(check: Callable[[], str]) -> tuple[bool, str, float]:
    """Whether it found nothing, its words, and its seconds."""
    begun_s = time.monotonic()
    try:
        is_well, said = True, check()
    except SettingsError as err:
        is_well, said = False, str(err)
    return is_well, said, time.monotonic() - begun_s


if __name__ == "__main__":
    typer.run(main)
