"""Runs the tests of `include` and `webhook_api` with Lambda's packages alone: `python -m ops.package.lambda_tests`.

A test file of `include` that cannot be imported there, because it tests what Lambda never does, is left out and named;
one of `webhook_api` is an error.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from include.errors import IngestError
from ops.package.artefacts import ROOTS, WEB_REQUIREMENTS
from ops.package.hosts import LAMBDA_RUNTIME
from ops.package.imports import reach
from ops.package.installing import make_environment, requirements
from ops.repository import REPOSITORY

TESTS = REPOSITORY / "tests"
TESTED = ("include", "webhook_api")
TOOLS = ("hypothesis", "pytest", "pytest-socket", "pytest-timeout", "pytest-xdist", "time-machine")
"""The packages that run tests; none of them is one that the code could use by mistake."""

_LIST_IMPORTABLE = "import importlib.metadata as m, json; print(json.dumps(list(m.packages_distributions())))"

console = Console(highlight=False, soft_wrap=True)


def main(arguments: Annotated[list[str] | None, typer.Argument(help="Given to pytest.")] = None) -> None:
    """Run the tests that can run there, and list the others with the reason."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            python = make_environment(
                Path(scratch) / "python", [*requirements(WEB_REQUIREMENTS), *LAMBDA_RUNTIME, *TOOLS]
            )
        except IngestError as err:
            console.print(str(err), markup=False, style="red")
            raise typer.Exit(1) from None
        files = [file for folder in TESTED for file in sorted((TESTS / folder).rglob("test_*.py"))]
        there = importable(python)
        lacking = {file: lacks for file in files if (lacks := missing(file, there))}
        chosen = [file for file in files if file not in lacking]
        console.print(f"{len(chosen)} of {len(files)} test files run with Lambda's packages ({python}).")
        for line in left_out(lacking):
            console.print(line)
        inexcusable = [file for file in lacking if file.is_relative_to(TESTS / "webhook_api")]
        status = run(python, chosen, arguments or [])
    console.print(f"Took {time.monotonic() - begun:.0f} s.")
    if inexcusable:
        console.print("The web edge needs packages that Lambda lacks; see the tests left out above.", style="red")
    raise typer.Exit(status or bool(inexcusable))


def importable(python: Path) -> frozenset[str]:
    """The top-level names that an environment's packages offer."""
    done = subprocess.run([python, "-I", "-c", _LIST_IMPORTABLE], check=True, capture_output=True, text=True)
    return frozenset(json.loads(done.stdout))


def missing(file: Path, names: Collection[str]) -> frozenset[str]:
    """The packages that are missing for the import of a test file and of the conftest files above it."""
    above = [folder / "conftest.py" for folder in file.parents if folder.is_relative_to(TESTS)]
    entries = [file, *(conftest for conftest in above if conftest.is_file())]
    return frozenset(reach(entries, ROOTS, within_functions=False).packages) - frozenset(names)


def left_out(lacking: Mapping[Path, Collection[str]]) -> Iterator[str]:
    """A line for each set of absent packages, with the files that need it."""
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for file, names in lacking.items():
        grouped[", ".join(sorted(names))].append(file.relative_to(TESTS).as_posix())
    for names, files in sorted(grouped.items()):
        yield f"  left out, need {names}: {', '.join(files)}"


def run(python: Path, files: Sequence[Path], arguments: Sequence[str]) -> int:
    """Pytest's exit status."""
    plugin = ["-p", "ops.package.lambda_skips", "-p", "no:cacheprovider"]
    command: list[str | Path] = [python, "-B", "-m", "pytest", "-q", "-n", "auto", *plugin, *arguments, *files]
    return subprocess.run(command, cwd=REPOSITORY, check=False, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    typer.run(main)
