"""What operators' commands say where the environment, its secret or the credentials are missing or odd."""

from __future__ import annotations

import boto3
import pytest
from typer.testing import CliRunner

from local.aws.resources import REGION, SECRET
from ops import query
from tests.ops.on_aws.commands import COMMANDS, THERE, WITHOUT_SECRET

pytestmark = pytest.mark.network


def emptied(dev):
    client = boto3.client("secretsmanager", region_name=REGION)
    client.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    client.create_secret(Name=SECRET)


def replaced(text):
    client = boto3.client("secretsmanager", region_name=REGION)
    client.put_secret_value(SecretId=SECRET, SecretString=text)


SECRET_FAULTS = {
    "no value": (emptied, f"aws secretsmanager put-secret-value --region {REGION} --secret-id {SECRET}"),
    "no JSON": (lambda dev: replaced("hunter2"), "store JSON in it like"),
    "no key": (
        lambda dev: replaced('{"extra": {"STRAVA_CLIENT_ID": "hunter2"}}'),
        f"add it as a key of `extra` in the secret {SECRET}",
    ),
    "scheduled for deletion": (
        lambda dev: boto3.client("secretsmanager", region_name=REGION).delete_secret(SecretId=SECRET),
        f"aws secretsmanager restore-secret --region {REGION} --secret-id {SECRET}",
    ),
    "gone": (
        lambda dev: boto3.client("secretsmanager", region_name=REGION).delete_secret(
            SecretId=SECRET, ForceDeleteWithoutRecovery=True
        ),
        "check that what the address names exists in this region",
    ),
}


@pytest.mark.parametrize("fault", SECRET_FAULTS)
def test_secret_that_does_not_serve_is_told_with_the_next_step(fault, dev):
    break_it, next_step = SECRET_FAULTS[fault]
    break_it(dev)

    said = {name: dev.run(app, *arguments) for name, (app, arguments) in COMMANDS.items() if name not in WITHOUT_SECRET}

    for each in said.values():
        assert each.status == 1
        assert each.err.startswith(THERE)
        assert next_step in each.err
        assert "hunter2" not in each.out + each.err


def without_credentials(dev, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    boto3.DEFAULT_SESSION = None


def in_another_account(dev, monkeypatch):
    dev.tell({**dev.outputs(), "account_id": "999999999999"})


def of_an_older_version(dev, monkeypatch):
    dev.tell({name: value for name, value in dev.outputs().items() if name != "settings"})


def never_initialised(dev, monkeypatch):
    terraform(dev, "Error: Backend initialization required, please run terraform init")


def locked_out(dev, monkeypatch):
    terraform(dev, "Error: No valid credential sources found")


def never_applied(dev, monkeypatch):
    terraform(dev, "Warning: No outputs found", status=0)


def without_terraform(dev, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")


def misnamed(dev, monkeypatch):
    monkeypatch.setenv("ENV", "deb")


def unnamed(dev, monkeypatch):
    monkeypatch.setenv("ENV", "")


def named_twice(dev, monkeypatch):
    monkeypatch.setenv("STATE_DIR", ".state/up")


def terraform(dev, words, status=1):
    program = dev.told.parent / "bin" / "terraform"
    program.write_text(f"#!/bin/sh\necho '{words}' >&2\n[ {status} = 0 ] && echo '{{}}'\nexit {status}\n")


FAULTS = {
    without_credentials: "set AWS_PROFILE",
    in_another_account: "dev is in the account 999999999999, but the AWS credentials belong to 123456789012: set",
    of_an_older_version: "run make deploy ENV=dev first",
    never_initialised: "Run: terraform -chdir=terraform/environments/dev init -backend-config=backend.hcl",
    locked_out: "Set AWS_PROFILE to a profile of the environment's account",
    never_applied: "If nothing is applied yet, run: make deploy ENV=dev",
    without_terraform: "install Terraform",
    misnamed: "ENV is 'deb': set it to dev or prod, or unset it",
    unnamed: "ENV is '': set it to dev or prod, or unset it",
    named_twice: "ENV=dev and STATE_DIR=.state/up name two systems: unset one",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_environment_that_cannot_be_reached_is_told_with_the_next_step(fault, told_dev, monkeypatch):
    fault(told_dev, monkeypatch)

    for app, arguments in COMMANDS.values():
        said = told_dev.run(app, *arguments)

        assert (said.status, said.out) == (1, "")
        assert FAULTS[fault] in said.err
        assert "Traceback" not in said.err


@pytest.mark.parametrize("command", COMMANDS)
def test_environment_of_which_nothing_is_there_is_told_with_where_to_look(command, told_dev):
    app, arguments = COMMANDS[command]

    said = told_dev.run(app, *arguments)

    assert (said.status, said.out) == (1, "")
    assert said.err.startswith(THERE)
    assert "check that what the address names exists in this region" in said.err


def test_query_that_names_two_lakes_is_refused(told_dev, monkeypatch):
    monkeypatch.setenv("LAKE_URL", "file:///elsewhere")

    said = told_dev.run(query.app, "SELECT 1")

    assert said.status == 1
    assert "ENV=dev and LAKE_URL=file:///elsewhere name two lakes" in said.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_how_an_installation_is_named(command):
    result = CliRunner().invoke(COMMANDS[command][0], ["--help"])

    assert result.exit_code == 0
    assert "ENV=dev or ENV=prod" in result.stdout
    assert "STATE_DIR" in result.stdout
