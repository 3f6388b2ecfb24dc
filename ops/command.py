"""Runs an operator's command; an expected error ends it with one line that says what went wrong and what to do."""

from __future__ import annotations

import sys

import typer

from include.errors import IngestError


def run(app: typer.Typer) -> None:
    """Run the command. Exit status: 1 after an error, whose text is on standard error."""
    try:
        app()
    except IngestError as error:
        sys.exit(str(error))
