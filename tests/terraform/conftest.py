"""Terraform's answers, asked for once in a test session however many processes run it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from include.errors import SettingsError
from local.aws.terraform.checks import WHOLE, Report, names_of_tests, run_tests
from local.aws.terraform.tool import Terraform


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole minutes where many share the machine; a few seconds each where not."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="session")
def unavailable() -> Callable[[str], None]:
    """Skips, visibly, for a reason; fails where `REQUIRE_TERRAFORM` says that there is no excuse."""

    def skip(reason: str) -> None:
        if os.environ.get("REQUIRE_TERRAFORM"):
            pytest.fail(f"REQUIRE_TERRAFORM is set, and {reason}")
        pytest.skip(reason)

    return skip


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder that all processes of this session have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "terraform-answers"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory, unavailable: Callable[[str], None]) -> Terraform:
    """Terraform in an initialised copy of the configuration."""
    try:
        terraform = Terraform.copy_into(tmp_path_factory.mktemp("configuration"))
        terraform.init()
    except SettingsError as err:
        unavailable(str(err))
    return terraform


@pytest.fixture(scope="session")
def reports(shared: Path, request: pytest.FixtureRequest) -> dict[str, Report]:
    """How all tests ended, by what they test; the first process that asks has both kinds run side by side."""
    kinds = {"modules": [name for name in names_of_tests() if name != WHOLE], WHOLE: [WHOLE]}
    answers = shared / "answers.json"
    with _locked(shared / "answers.lock"):
        if not answers.exists():
            terraform = request.getfixturevalue("terraform")
            with ThreadPoolExecutor() as pool:
                running = {
                    kind: pool.submit(run_tests, terraform, names, keep_resources=kind == WHOLE)
                    for kind, names in kinds.items()
                }
            answers.write_text(json.dumps({kind: asdict(test.result()) for kind, test in running.items()}))
    return {kind: Report(**report) for kind, report in json.loads(answers.read_text()).items()}


class _locked:  # noqa: N801 - used as a statement
    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.fixture(scope="session")
def modules(reports: dict[str, Report]) -> Report:
    """How the tests of the single modules ended."""
    return reports["modules"]


@pytest.fixture(scope="session")
def environments(reports: dict[str, Report]) -> Report:
    """How the tests of the environments ended, with every resource of theirs."""
    return reports[WHOLE]


@pytest.fixture(scope="session", params=["dev", "prod"])
def environment(request: pytest.FixtureRequest, environments: Report) -> Environment:
    """One environment as it would be applied."""
    return Environment(request.param, environments.resources[request.param])


class Environment:
    """The resources of one environment; what AWS would decide has a mocked value."""

    def __init__(self, name: str, resources: list[dict[str, Any]]) -> None:
        self.name = name
        self.resources = resources

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """The values of every resource of a type, by its address without the modules."""
        return {
            resource["address"].rpartition(f"{kind}.")[2]: resource["values"]
            for resource in self.resources
            if resource["type"] == kind and resource["mode"] == "managed"
        }

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """The values of one resource."""
        return self.all(kind)[name]
