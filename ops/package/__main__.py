"""Builds the artefacts for AWS: `python -m ops.package [--check]`."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from include.errors import IngestError, SettingsError
from ops.package import bytecode
from ops.package.archive import Artefact
from ops.package.artefacts import build
from ops.package.hosts import try_dispatcher, try_http, try_mwaa
from ops.package.installing import LAMBDA
from ops.repository import REPOSITORY

MANIFEST = "manifest.json"
WITHOUT_BYTECODE = (
    f"The functions contain only sources, so their cold start is slower: only Python {LAMBDA.python} compiles for "
    f"Lambda. Before you deploy: make env PYTHON=python{LAMBDA.python}, then make package again."
)

app = typer.Typer(add_completion=False)
console = Console(highlight=False, soft_wrap=True)


@app.command()
def main(
    dist: Annotated[Path, typer.Option(help="The folder to build into; its contents are replaced.")] = REPOSITORY
    / "dist",
    is_checked: Annotated[
        bool, typer.Option("--check", help="Build twice, compare, and try each artefact with only its host's packages.")
    ] = False,
) -> None:
    """Build the artefacts that `make deploy` brings to AWS, and list them with sizes and SHA-256."""
    begun = time.monotonic()
    try:
        artefacts = replace(dist)
        show(artefacts)
        console.print(f"Built in {time.monotonic() - begun:.1f} s: {dist}")
        if not bytecode.is_possible():
            console.print(WITHOUT_BYTECODE, style="yellow")
        if is_checked:
            check(dist, artefacts)
    except IngestError as err:
        console.print(str(err), markup=False, style="red")
        raise typer.Exit(1) from None


def replace(dist: Path) -> list[Artefact]:
    """Build beside `dist`, then put it in its place. Errors: `SettingsError`; then the former build stays."""
    if dist.exists() and any(dist.iterdir()) and not (dist / MANIFEST).is_file():
        raise SettingsError(f"{dist} is not the folder of a build; choose another folder")
    dist.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dist.parent, prefix=f".{dist.name}-") as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        artefacts = build(fresh)
        manifest = {"artefacts": [asdict(artefact) for artefact in artefacts]}
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(dist, ignore_errors=True)
        fresh.rename(dist)
    return artefacts


def show(artefacts: Sequence[Artefact]) -> None:
    """Print a line for each artefact."""
    for one in artefacts:
        console.print(f"{one.name:<22} {len(one.files):>4} files {one.size_bytes:>10,} bytes  {one.sha256}")


def check(dist: Path, artefacts: Sequence[Artefact]) -> None:
    """Test the artefacts. Errors: `SettingsError` for the first test that fails."""
    _tried("second build", lambda scratch: build_again(artefacts, scratch))
    _tried("MWAA", lambda scratch: try_mwaa(dist, scratch))
    _tried("webhook_http.zip", try_http)
    _tried("webhook_dispatcher.zip", try_dispatcher)


def build_again(artefacts: Sequence[Artefact], scratch: Path) -> str:
    """Build again and compare. Errors: `SettingsError` that names the differing artefacts."""
    if differing := [one.name for one, again in zip(artefacts, build(scratch), strict=True) if one != again]:
        raise SettingsError(f"A second build differs: {', '.join(differing)}")
    return "the same bytes"


def _tried(name: str, attempt: Callable[[Path], str]) -> None:
    begun = time.monotonic()
    with _scratch() as scratch:
        said = attempt(scratch)
    console.print(f"[green]✓[/] {name} ({time.monotonic() - begun:.1f} s):", said)


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    app()
