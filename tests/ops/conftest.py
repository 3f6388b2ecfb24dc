"""An environment on AWS's APIs by moto, as Terraform tells of it, and a simulated Strava."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from moto import mock_aws
from typer.testing import CliRunner
from werkzeug.serving import make_server

from include.errors import IngestError
from include.secret import SECRET_ID
from include.setting_values import EXAMPLES
from include.settings import Settings
from local.aws.resources import ACCOUNT, REGION, SECRET, Resources
from local.stack.airflow.home import IN_CONNECTION
from local.strava_simulator.server import RunningSimulator, running_simulator
from webhook_api.app import create_app

RESOURCES = Resources("strava-dev")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Dev:
    """What an operator has: Terraform's outputs in the file that `terraform` prints, credentials, and `ENV=dev`."""

    told: Path
    settings: Settings
    secrets: Mapping[str, str]

    def outputs(self) -> dict[str, Any]:
        return {name: output["value"] for name, output in json.loads(self.told.read_text()).items()}

    def tell(self, outputs: Mapping[str, Any]) -> None:
        """Let Terraform tell these outputs."""
        self.told.write_text(json.dumps({name: {"value": value} for name, value in outputs.items()}))

    def run(self, app: typer.Typer, *arguments: str) -> Said:
        """Run a command as its module does; no secret may be in what it says."""
        result = CliRunner().invoke(app, arguments)
        if result.exception and not isinstance(result.exception, IngestError | SystemExit):
            raise result.exception
        message = f"{result.exception}\n" if isinstance(result.exception, IngestError) else ""
        said = Said(result.exit_code, result.stdout, result.stderr + message)
        assert not [name for name, value in self.secrets.items() if value in said.out + said.err]
        return said

    @contextmanager
    def serving_pages(self) -> Iterator[None]:
        """The web pages, at their public address."""
        port = int(self.settings.public_url.rpartition(":")[2])
        server = make_server("127.0.0.1", port, create_app(self.settings))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture(autouse=True)
def _own_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command is led by the shell that runs the tests."""
    for name in ("ENV", "STATE_DIR", "LAKE_URL", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator() as running:
        yield running


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials for an empty account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "simulated")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def told_dev(aws: None, simulator: RunningSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dev:
    """dev, of which Terraform tells, and of which nothing is there; the shell names another region."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        public_url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    secrets = {
        **{name: f"{name.lower()}-nobody-may-see" for name in IN_CONNECTION},
        "STRAVA_CLIENT_ID": str(simulator.application.client_id),
        "STRAVA_CLIENT_SECRET": simulator.application.client_secret,
    }
    variables = {
        **RESOURCES.settings(),
        "PUBLIC_URL": public_url,
        **{name: EXAMPLES[name] for name in ("OPERATOR_NAME", "CONTACT", "PRIVACY_URL")},
        SECRET_ID: SECRET,
        "STRAVA_API_URL": f"{simulator.base_url}/api/v3",
        "STRAVA_OAUTH_URL": f"{simulator.base_url}/oauth",
    }
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = output ] && cat "{tmp_path}/outputs.json"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("ENV", "dev")
    told = {
        "account_id": ACCOUNT,
        "region": REGION,
        "settings": variables,
        "secret_name": SECRET,
        "public_url": public_url,
        "airflow_url": "https://airflow.example.org",
    }
    hidden = {name: value for name, value in secrets.items() if name != "STRAVA_CLIENT_ID"}
    environment = Dev(tmp_path / "outputs.json", Settings.from_environ({**variables, **secrets}), hidden)
    environment.tell(told)
    return environment


@pytest.fixture
def dev(told_dev: Dev, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> Dev:
    """dev, with everything there that Terraform makes, and its secret's value."""
    extra = {**told_dev.secrets, "STRAVA_CLIENT_ID": told_dev.settings.strava_client_id}
    with monkeypatch.context() as own:
        own.setenv("AWS_DEFAULT_REGION", REGION)
        RESOURCES.create({"conn_type": "generic", "extra": extra})
    return told_dev
