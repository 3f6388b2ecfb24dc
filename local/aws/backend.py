"""A local system on AWS's APIs and Lambda's handlers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from include.secret import SECRET_ID
from local.aws import mwaa
from local.aws.inspection import AwsInspection
from local.aws.resources import REGION, SECRET, Resources
from local.stack.airflow.home import FOR_OTHERS, IN_CONNECTION
from local.stack.processes import Command, Processes
from local.stack.progress import Progress
from local.stack.readiness import PageReadiness, wait_until_ready
from local.testbed.inspection import Inspection
from ops.machine.ports import EMBEDDED, Ports, url
from ops.machine.state_dir import StateDir
from ops.repository import REPOSITORY

_CONNECTION = "AIRFLOW_CONN_STRAVA_API"
_SECRETS = {
    "backend": "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
    "backend_kwargs": json.dumps(
        {
            "connections_prefix": SECRET.rpartition("/")[0],
            "connections_lookup_pattern": "^strava_api$",
            "variables_prefix": None,
            "config_prefix": None,
            "sep": "/",
        }
    ),
}
"""Airflow's secrets backend for its Connection, as Terraform configures it for MWAA."""


@dataclass(frozen=True, slots=True)
class Aws:
    """DynamoDB, S3, SQS, KMS, Secrets Manager and Glue by moto's server, Lambdas in their runtime, MWAA's call."""

    resources: Resources
    servers: Sequence[str] = (*EMBEDDED, "aws", "mwaa")
    web: str = "http_api"

    def settings(self) -> Mapping[str, str]:
        """The addresses of the leaves."""
        return self.resources.settings()

    def shell(self, inherited: Mapping[str, str], ports: Ports) -> Mapping[str, str]:
        """The shell's environment, with AWS's clients directed to this machine instead of its AWS account."""
        kept = {name: value for name, value in inherited.items() if not name.startswith("AWS_")}
        return {
            **kept,
            "AWS_ENDPOINT_URL": url(ports.aws),
            "AWS_ENDPOINT_URL_MWAA": url(ports.mwaa),
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "simulated",
            "AWS_SECRET_ACCESS_KEY": "simulated",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            # After `Expect: 100-continue` the server waits for a body even if its length is 0; S3 does not.
            "BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE": "true",
        }

    @contextmanager
    def opened(
        self, environment: Mapping[str, str], ports: Ports, processes: Processes, progress: Progress
    ) -> Iterator[None]:
        """A context with AWS's services and all resources that Terraform creates, for this process too."""
        arguments = ["--port", str(ports.aws)]
        processes.start(Command.module("local.aws.aws_services", arguments, environment))
        wait_until_ready(processes, {"aws_services": PageReadiness(f"{url(ports.aws)}/moto-api/")}, progress)
        with _as_own(environment):
            secrets = {name: environment[name] for name in IN_CONNECTION if environment.get(name)}
            self.resources.create({"conn_type": "generic", "extra": secrets})
            progress.say("✓ tables, bucket, queues, key, secret and catalogue are created as Terraform creates them")
            yield

    def commands(self, environment: Mapping[str, str], ports: Ports) -> Sequence[Command]:
        """MWAA's call, the event source with the dispatcher's Lambda, and the HTTP API with the web edge's Lambda."""
        name = self.resources.name
        plain = {name: value for name, value in environment.items() if name not in {*IN_CONNECTION, *FOR_OTHERS}}
        airflow = {**environment, mwaa.AIRFLOW: url(ports.airflow)}
        return (
            Command.module("local.aws.mwaa", ["--port", str(ports.mwaa), "--name", name], airflow),
            Command.module("local.aws.event_source", [], plain),
            Command.module("local.aws.http_api", ["--port", str(ports.web)], {**plain, SECRET_ID: SECRET}),
        )

    def airflow(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Airflow's environment with the Connection from Secrets Manager; operators wait in their own task."""
        kept = {name: value for name, value in environment.items() if name != _CONNECTION}
        policy = REPOSITORY / "local" / "aws" / "airflow_config"
        return {
            **kept,
            **{f"AIRFLOW__SECRETS__{name.upper()}": value for name, value in _SECRETS.items()},
            "PYTHONPATH": os.pathsep.join([environment["PYTHONPATH"], str(policy)]),
        }

    def inspection(self, place: StateDir) -> Inspection:
        """Reads the contents of AWS's services."""
        return AwsInspection(self.resources, place.root)


@contextmanager
def _as_own(environment: Mapping[str, str]) -> Iterator[None]:
    """Give this process the environment of the others, in which AWS's clients find their servers."""
    before = dict(os.environ)
    _become(environment)
    try:
        yield
    finally:
        _become(before)


def _become(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
