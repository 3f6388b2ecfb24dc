"""The way to AWS and back: what it checks, and what it says when something is missing."""

from __future__ import annotations

import json
import re
import subprocess
import time

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from include.errors import WrongInstallation
from include.setting_values import EXAMPLES
from include.state.installation import Installation
from include.store.backend import open_store
from local.strava_simulator.api.script import Line
from local.strava_simulator.control_client import SimulatorControl
from ops import deploy, subscription, terraform_outputs
from ops.deploy import app, check_strava

SECRET = "airflow/connections/strava_api"


@pytest.fixture
def secrets(monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "simulated",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield boto3.client("secretsmanager")


@pytest.mark.parametrize("direction", ["up", "down"])
def test_dry_run_names_every_step_and_does_nothing(direction, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)

    result = CliRunner().invoke(app, [direction, "dev", "--dry-run"])

    assert result.exit_code == 0
    steps = {
        "up": ["package", "apply", "sync dags", "prove", "smoke check", "subscription"],
        "down": ["init", "destroy"],
    }[direction]
    assert all(step in result.stdout for step in steps)
    assert "✓" not in result.stdout


def test_unknown_environment_is_refused():
    assert CliRunner().invoke(app, ["up", "test"]).exit_code == 2


def test_failing_step_ends_the_deployment(monkeypatch):
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 2 if "package" in command else 0)
    )

    result = CliRunner().invoke(app, ["up", "dev"])

    assert result.exit_code == 1
    assert "make package failed (2)" in result.stdout
    assert "2. init" not in result.stdout


@pytest.mark.parametrize(
    ("environment", "is_asked"), [pytest.param("dev", False, id="dev"), pytest.param("prod", True, id="prod")]
)
def test_changes_of_prod_are_shown_first(environment, is_asked, monkeypatch, tmp_path):
    folder = tmp_path / "terraform" / "environments" / environment
    folder.mkdir(parents=True)
    for name in ("backend.hcl", "terraform.tfvars"):
        (folder / name).write_text("")
    commands = []

    def run(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, int("apply" in command), "{}", "")

    monkeypatch.setattr(deploy, "REPOSITORY", tmp_path)
    monkeypatch.setattr(terraform_outputs, "REPOSITORY", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)

    result = CliRunner().invoke(app, ["up", environment])

    assert result.exit_code == 1
    assert commands[0] == ["make", "package"]
    assert commands[1] == ["terraform", "init", "-input=false", "-backend-config=backend.hcl"]
    assert commands[2][:2] == ["terraform", "apply"]
    assert ("-auto-approve" not in commands[2]) == is_asked


def test_missing_configuration_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(deploy, "REPOSITORY", tmp_path)
    monkeypatch.setattr(terraform_outputs, "REPOSITORY", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0))

    result = CliRunner().invoke(app, ["up", "dev"])

    assert result.exit_code == 1
    assert "backend.hcl is missing" in " ".join(result.stdout.split())


def test_destroy_says_what_stays_and_needs_no_artefacts(monkeypatch):
    commands = []

    def run(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(deploy, "_init", lambda _folder: "")

    result = CliRunner().invoke(app, ["down", "dev"], input="y\n")

    assert result.exit_code == 0
    assert commands == [["terraform", "destroy", "-auto-approve"]]
    assert "for 35 days" in result.stdout
    assert "both keys" in result.stdout


def test_destroy_asks_first(monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)

    assert CliRunner().invoke(app, ["down", "dev"], input="n\n").exit_code == 1


@pytest.fixture
def deployed(secrets, simulator, tmp_path):
    """What Terraform says of a system whose secret is set, and whose state is a file."""
    extra = {
        "STRAVA_CLIENT_ID": str(simulator.application.client_id),
        "STRAVA_CLIENT_SECRET": simulator.application.client_secret,
    }
    secrets.create_secret(Name=SECRET, SecretString=json.dumps({"conn_type": "generic", "extra": extra}))
    return {
        **{name: value for name, value in EXAMPLES.items() if name not in extra},
        "STATE_URL": f"sqlite://{tmp_path}/state.sqlite",
        "STRAVA_API_URL": f"{simulator.base_url}/api/v3",
        "SECRET_ID": SECRET,
    }


def is_proved(deployed):
    store = open_store(deployed["STATE_URL"], time.time)
    try:
        return Installation(store).is_proved(deployed["STRAVA_API_URL"])
    finally:
        store.close()


@pytest.mark.network
def test_deployment_remembers_that_strava_answered(deployed):
    assert "Strava's API answers" in check_strava(deployed)
    assert is_proved(deployed)


@pytest.mark.network
def test_deployment_stops_and_names_both_base_urls_when_something_else_answers(deployed, simulator):
    with SimulatorControl(simulator.base_url) as control:
        control.write_script(Line(route="GET /push_subscriptions", status=404, content_type="text/html", body="<p>"))

    with pytest.raises(WrongInstallation) as caught:
        check_strava(deployed)

    for base_url in ("https://www.strava.com/api/v3", "https://api-v3.strava.com"):
        assert base_url in str(caught.value)
    assert not is_proved(deployed)


@pytest.mark.network
def test_deployment_goes_on_and_says_so_when_strava_is_silent(deployed, simulator):
    with SimulatorControl(simulator.base_url) as control:
        control.write_script(Line(route="GET /push_subscriptions", status=503))

    assert "asked again every window" in check_strava(deployed)
    assert not is_proved(deployed)


@pytest.mark.parametrize(("wrong", "exit_code"), [(True, 1), (False, 0)])
def test_deployment_ends_before_its_smoke_check_when_something_else_than_strava_answers(wrong, exit_code, monkeypatch):
    def answer(_environ):
        if wrong:
            raise WrongInstallation("STRAVA_API_URL is wrong.")
        return "Strava is silent."

    built = {"secret_name": SECRET, "settings": {}}
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0))
    monkeypatch.setattr(deploy, "_init", lambda _folder: "")
    monkeypatch.setattr(deploy, "_sync", lambda _folder: "")
    monkeypatch.setattr(deploy, "_smoke", lambda _folder: "all is well")
    monkeypatch.setattr(deploy, "outputs", lambda _folder: built)
    monkeypatch.setattr(deploy, "check_secret", lambda _name: None)
    monkeypatch.setattr(deploy, "_subscribe", lambda _environment: "subscribed")
    monkeypatch.setattr(deploy, "check_strava", answer)

    result = CliRunner().invoke(app, ["up", "dev"])

    assert result.exit_code == exit_code
    assert ("STRAVA_API_URL is wrong." in result.stdout) == wrong
    assert ("all is well" in result.stdout) != wrong


@pytest.fixture
def subscribing(dev, monkeypatch):
    """A deployment of dev in which all is done but the last step."""
    for name in ("_shell", "_init", "_sync", "_prove", "_smoke"):
        monkeypatch.setattr(deploy, name, lambda *_: "done")
    return lambda: dev.run(app, "up", "dev")


@pytest.mark.network
def test_deployment_ends_by_creating_the_subscription_and_a_second_one_shows_it(dev, subscribing):
    with dev.serving_pages():
        first, second = subscribing(), subscribing()

    there = f"Strava sends events to {dev.settings.public_url}."
    assert (first.status, second.status) == (0, 0)
    assert re.search(rf"Subscription \d+ is new: {there}", " ".join(first.out.split()))
    assert re.search(rf"Subscription \d+ is there already: {there}", " ".join(second.out.split()))
    assert dev.run(subscription.app, "show").out.count("none") == 0


@pytest.mark.network
def test_subscription_of_another_address_is_named_without_its_path_and_fails_the_deployment(dev, subscribing):
    with dev.serving_pages():
        subscribing()
    outputs = dev.outputs()
    dev.tell({**outputs, "settings": {**outputs["settings"], "PUBLIC_URL": "https://moved.example.org"}})

    said = subscribing()

    assert said.status == 1
    words = " ".join(said.out.split())
    assert f"sends events to another address, at {dev.settings.public_url}." in words
    assert "make subscription ENV=dev ARGS=delete" in words


@pytest.mark.network
@pytest.mark.parametrize("silent", ["GET /push_subscriptions", "POST /push_subscriptions"])
def test_silent_strava_fails_the_deployment_with_the_command_to_repeat(silent, dev, subscribing, simulator):
    with SimulatorControl(simulator.base_url) as control, dev.serving_pages():
        control.write_script(*[Line(route=silent, status=503)] * 9)

        said = subscribing()

    assert said.status == 1
    assert "To try again: make subscription ENV=dev ARGS=create" in " ".join(said.out.split())


@pytest.mark.network
def test_webhook_that_does_not_answer_strava_fails_the_deployment_with_the_command_to_repeat(subscribing):
    said = subscribing()

    assert said.status == 1
    assert "make subscription ENV=dev ARGS=create" in " ".join(said.out.split())
