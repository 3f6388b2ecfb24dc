"""The page of secrets names each one, and its commands do what it says."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
import typer

from include.settings import Settings
from ops import keys, subscription
from ops.machine.generated_secrets import GeneratedSecrets
from ops.secrets import __main__ as secrets

PAGE = (Path(__file__).parents[2] / "docs" / "secrets.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]
APPS = {"secrets": secrets.app, "keys": keys.app, "subscription": subscription.app}
COMMANDS = sorted(set(re.findall(r"make [a-z]+(?: ENV=dev)? ARGS=(?:\"[^\"]+\"|\w+)", PAGE)))


def named_in(app: typer.Typer) -> set[str]:
    return {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}


def test_every_secret_has_a_row() -> None:
    of_settings = {setting.name for setting in fields(Settings) if not setting.repr}
    generated = {secret.name for secret in fields(GeneratedSecrets)} - {"strava_client_id"}
    in_words = {"airflow_fernet_key": "Fernet key", "airflow_database_password": "database's password"}

    for name in of_settings | generated:
        wanted = in_words.get(name, f"`{name.upper()}`")
        assert [row for row in ROWS if wanted in row.split("|")[1]], name


def test_every_secret_that_the_command_changes_has_a_row() -> None:
    for name in secrets.CHANGES:
        (row,) = (row for row in ROWS if f"`{name}`" in row.split("|")[1])
        assert secrets.CHANGES[name].overlaps == ("until dropped" in row)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_page_is_there_and_knows_its_secret(command: str) -> None:
    _, target, *variables = shlex.split(command)
    called, *arguments = variables[-1].removeprefix("ARGS=").split()

    assert called in named_in(APPS[target])
    assert set(arguments) <= set(secrets.CHANGES)
    if called == "drop":
        assert all(secrets.CHANGES[name].overlaps for name in arguments)
