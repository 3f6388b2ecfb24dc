"""What Terraform says of an environment, and in which region AWS is asked from then on."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest

from include.errors import SettingsError
from ops.repository import REPOSITORY
from ops.terraform_outputs import Environment, outputs


def said(monkeypatch, code, text):
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, code, text, "no state")
    )


@pytest.mark.parametrize(("code", "text"), [pytest.param(0, "{}", id="nothing"), pytest.param(1, "", id="failure")])
def test_outputs_say_what_to_do_when_nothing_is_applied(code, text, monkeypatch):
    said(monkeypatch, code, text)

    with pytest.raises(SettingsError, match=r"fails for dev\. .* Terraform says: no state"):
        outputs(Environment.DEV.folder)


def test_aws_is_asked_in_the_environments_region_whatever_region_the_shell_names(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    values = {"account_id": "1234", "region": "eu-central-1", "settings": {}}
    said(monkeypatch, 0, json.dumps({name: {"value": value} for name, value in values.items()}))

    assert outputs(Environment.DEV.folder) == values
    assert os.environ["AWS_DEFAULT_REGION"] == "eu-central-1"


def test_outputs_of_an_older_version_say_what_to_do(monkeypatch):
    said(monkeypatch, 0, json.dumps({"public_url": {"value": "https://x"}}))

    with pytest.raises(SettingsError, match="run make deploy ENV=prod first"):
        outputs(Environment.PROD.folder)


def test_every_environment_has_a_configuration():
    assert all((environment.folder / "main.tf").is_file() for environment in Environment)


@pytest.mark.parametrize("environment", Environment)
def test_every_output_that_a_command_reads_is_one_of_the_environment(environment):
    declared = set(re.findall(r'^output "(\w+)"', (environment.folder / "outputs.tf").read_text(), re.MULTILINE))
    sources = [path.read_text() for path in (REPOSITORY / "ops").glob("*.py")]
    read = {name for text in sources for name in re.findall(r'(?:built|outputs\([^()]*\))\["(\w+)"\]', text)}

    assert {"account_id", "alarm_paths", "dags_bucket", "secret_name", "settings"} <= read
    assert read <= declared
