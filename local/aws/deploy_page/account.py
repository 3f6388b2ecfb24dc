"""The account that the page's commands reach: moto's server, and beside it what moto lacks."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from include.secret import read_settings
from local.aws.deploy_page.machine import AIRFLOW_HOST, Addresses, Machine
from local.aws.mwaa_stub import Answer, serving
from local.aws.small_airflow import SmallAirflow
from local.aws.terraform.apply_moto import moto
from local.aws.terraform.mwaa_control import mwaa_control
from local.strava_simulator.server import running_simulator
from local.strava_simulator.world.applications import Application
from ops.machine.ports import LOOPBACK, url
from ops.repository import REPOSITORY

_NO_AIRFLOW: Answer = (404, {"message": "no environment"}, "ResourceNotFoundException")


@dataclass(slots=True)
class Account:
    """Where everything is, and Airflow once it is there."""

    application: Application
    """At Strava."""
    airflow: SmallAirflow | None = None
    _token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """MWAA's answer: to `CreateCliToken`, to a command of the CLI with that token, to `InvokeRestApi`."""
        if path == "/clitoken/strava-dev":
            return 200, {"CliToken": self._token, "WebServerHostname": AIRFLOW_HOST}, ""
        if path == "/aws_mwaa/cli":
            if headers.get("Authorization") != f"Bearer {self._token}":
                return 403, {"message": "Forbidden"}, "AccessDeniedException"
            return 200, {"stdout": base64.b64encode(b"Called: " + body).decode(), "stderr": ""}, ""
        return self.airflow.answer(path, headers, body) if self.airflow else _NO_AIRFLOW


@contextmanager
def open_account() -> Iterator[tuple[Account, Addresses]]:
    """An account with nothing in it, and where it answers."""
    with ExitStack() as stack:
        strava = stack.enter_context(running_simulator())
        account = Account(strava.application)
        with socket.create_server((LOOPBACK, 0)) as probe:
            public_url = url(probe.getsockname()[1])
        yield (
            account,
            Addresses(
                moto=stack.enter_context(moto()),
                mwaa_control=stack.enter_context(mwaa_control()),
                mwaa=stack.enter_context(serving(account.answer)),
                strava=strava.base_url,
                public_url=public_url,
            ),
        )


@contextmanager
def functions_and_airflow(machine: Machine, account: Account) -> Iterator[Mapping[str, str]]:
    """While this is open both functions answer as Terraform configured them, and Airflow does; yields the secrets.

    Effects: this process's clients of AWS reach the machine's account.
    """
    told: dict[str, Any] = json.loads(
        subprocess.run(
            ["terraform", "-chdir=terraform/environments/dev", "output", "-json"],
            cwd=machine.clone,
            env={**machine.environ, **machine.aws},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )
    variables = told["settings"]["value"]
    before = dict(os.environ)
    os.environ.update(machine.aws)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **machine.aws, **variables}
    port = variables["PUBLIC_URL"].rpartition(":")[2]
    started = []
    try:
        settings = read_settings(variables)
        account.airflow = SmallAirflow(settings)
        for module in (["local.aws.http_api", "--port", port], ["local.aws.event_source"]):
            started.append(_start(module, environ))
        yield {
            name: getattr(settings, name)
            for name in ("strava_client_secret", "webhook_path_secret", "webhook_verify_token", "cookie_key")
        }
    finally:
        for process in started:
            process.terminate()
            process.wait(timeout=30)
        os.environ.clear()
        os.environ.update(before)


def _start(module: list[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", *module]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
