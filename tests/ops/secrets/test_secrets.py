"""The command that changes secrets, as an operator types it, in both homes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from include.errors import BadRequest, SettingsError
from include.secret import read_settings
from include.settings import Settings
from local.aws.resources import REGION, SECRET
from ops import installation
from ops.installation import on_this_machine
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.ports import FILE
from ops.machine.state_dir import StateDir
from ops.secrets.__main__ import CHANGES, app

Run = Callable[..., Result]
OURS = [name for name, change in CHANGES.items() if not change.shown_by]
OVERLAPPING = [name for name, change in CHANGES.items() if change.overlaps]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    """The state directory of a system that ran once, without a `.env`."""
    (tmp_path / FILE).write_text(json.dumps({"simulator": 1, "web": 2, "airflow": 3}))
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setattr(installation, "read_overrides", lambda _path: {})
    monkeypatch.setattr("ops.secrets.__main__.read_overrides", lambda _path: {})
    place = StateDir(tmp_path)
    GeneratedSecrets.of(place)
    return place


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=typed)


def settings() -> Settings:
    return on_this_machine().settings()


@pytest.mark.parametrize("name", OURS)
def test_renewed_secret_of_one_machine_has_a_new_value_and_no_other_changes(machine: StateDir, name: str) -> None:
    before = machine.kept("secrets.json")

    result = run("renew", name)

    after = machine.kept("secrets.json")
    assert result.exit_code == 0
    assert {key for key in after if after[key] != before[key]} == {name.lower()}
    assert "in force when you end the system (Ctrl-C)" in result.output
    assert not [value for value in after[name.lower()].split() if value in result.output]
    assert (machine.root / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", OVERLAPPING)
def test_value_before_is_accepted_beside_the_new_one_until_it_is_dropped(machine: StateDir, name: str) -> None:
    old = machine.kept("secrets.json")[name.lower()]
    run("renew", name)
    new, *older = machine.kept("secrets.json")[name.lower()].split()
    shown = run("show").output

    dropped = run("drop", name)

    assert older == [old]
    assert f'make secrets ARGS="drop {name}"' in shown
    assert dropped.exit_code == 0
    assert machine.kept("secrets.json")[name.lower()] == new


def test_subscription_is_created_at_the_newest_path(machine: StateDir) -> None:
    old = settings().webhook_path_secrets
    run("renew", "WEBHOOK_PATH_SECRET")

    newest, *others = settings().webhook_path_secrets
    assert others == old
    assert settings().webhook_url == f"http://127.0.0.1:2/webhook/{newest}"


def test_only_two_values_are_accepted_however_often_a_secret_is_renewed(machine: StateDir) -> None:
    for _ in range(3):
        run("renew", "COOKIE_KEY")

    assert len(settings().cookie_keys) == 2


def test_nothing_is_dropped_where_one_value_is_accepted(machine: StateDir) -> None:
    before = machine.kept("secrets.json")

    assert "nothing to drop" in run("drop", "COOKIE_KEY").output
    assert "nothing to drop" in run("drop", "AIRFLOW_PASSWORD").output
    assert machine.kept("secrets.json") == before


@pytest.mark.parametrize("name", ["STRAVA_CLIENT_SECRET", "WEBHOOK_SIGNING_KEY"])
def test_what_strava_shows_is_changed_in_the_env_file_of_one_machine(machine: StateDir, name: str) -> None:
    error = run("renew", name).exception

    assert isinstance(error, SettingsError)
    assert f"{name} is set in .env" in str(error)


def test_secret_that_the_env_file_sets_is_not_changed_elsewhere(
    machine: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = machine.kept("secrets.json")
    monkeypatch.setattr("ops.secrets.__main__.read_overrides", lambda _path: {"COOKIE_KEY": "own"})

    assert isinstance(run("renew", "COOKIE_KEY").exception, SettingsError)
    assert machine.kept("secrets.json") == before


def test_unknown_secret_is_refused_with_those_there_are(machine: StateDir) -> None:
    error = run("renew", "COOKIE").exception

    assert isinstance(error, BadRequest)
    assert "COOKIE_KEY" in str(error)


def stored(dev: Any) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as own:
        own.setenv("AWS_DEFAULT_REGION", REGION)
        text = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]
    return json.loads(text)  # type: ignore[no-any-return]


@pytest.mark.network
def test_secret_on_aws_is_renewed_and_dropped_and_the_rest_of_its_connection_stays(dev: Any) -> None:
    before = stored(dev)

    renewed = dev.run(app, "renew", "COOKIE_KEY")
    between = read_settings({**os.environ, **dev.outputs()["settings"]})
    dropped = dev.run(app, "drop", "COOKIE_KEY")

    after = stored(dev)
    assert (renewed.status, dropped.status) == (0, 0)
    assert "in force in five minutes" in renewed.out
    assert 'make secrets ENV=dev ARGS="drop COOKIE_KEY"' in renewed.out
    assert between.cookie_keys == [before["extra"]["COOKIE_KEY"], after["extra"]["COOKIE_KEY"]]
    assert {name for name, value in after["extra"].items() if value != before["extra"][name]} == {"COOKIE_KEY"}
    assert {**after, "extra": 0} == {**before, "extra": 0}


@pytest.mark.network
@pytest.mark.parametrize("name", ["STRAVA_CLIENT_SECRET", "MAIL_PASSWORD"])
def test_secret_that_others_show_is_asked_for_and_not_repeated(dev: Any, name: str) -> None:
    result = run("renew", name, typed="typed-secret\n")

    assert result.exit_code == 0
    assert "typed-secret" not in result.output
    assert stored(dev)["extra"][name] == "typed-secret"


@pytest.mark.network
@pytest.mark.parametrize("typed", ["two words\n", "  \nx y\n"])
def test_value_of_several_words_is_refused(dev: Any, typed: str) -> None:
    before = stored(dev)

    assert isinstance(run("renew", "STRAVA_CLIENT_SECRET", typed=typed).exception, BadRequest)
    assert stored(dev) == before


@pytest.mark.network
def test_secret_of_one_machine_is_none_on_aws(dev: Any) -> None:
    said = dev.run(app, "renew", "AIRFLOW_PASSWORD")

    assert said.status == 1
    assert "keeps no AIRFLOW_PASSWORD" in said.err
