"""The checks of the Terraform configuration: format, validity, tests with a mocked provider, checkov."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.errors import SettingsError
from local.aws.terraform.tool import SOURCES, Terraform

ROOTS = ("bootstrap", "environments/dev", "environments/prod")
"""The folders that are applied; validating them reads every module."""

WHOLE = "environments"
"""The test whose runs create whole environments; the others create one module each."""

CHECKOV = "checkov==3.3.30"


@dataclass(frozen=True, slots=True)
class Report:
    """The report of `terraform test`: the result of each run, and the resources of every run that applied."""

    outcomes: Mapping[str, str]
    resources: Mapping[str, list[Mapping[str, Any]]] = field(repr=False)
    faults: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The number of runs for each result."""
        return ", ".join(f"{count} {status}" for status, count in sorted(Counter(self.outcomes.values()).items()))


def check_format(program: str) -> str:
    """Check that `terraform fmt` would change nothing. Errors: `SettingsError` that names the files."""
    command = [program, "fmt", "-check", "-recursive", "-list=true", str(SOURCES)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SettingsError(f"terraform fmt would change:\n{done.stdout}{done.stderr}Run `terraform fmt -recursive`.")
    return f"{sum(1 for _ in SOURCES.rglob('*.tf'))} files"


def check_validity(terraform: Terraform) -> str:
    """Check that every applied folder is valid. Errors: `SettingsError`."""
    for root in ROOTS:
        terraform.init(root)
        terraform.run("validate", "-no-color", folder=root)
    return ", ".join(ROOTS)


def run_tests(terraform: Terraform, names: Sequence[str] = (), *, keep_resources: bool = False) -> Report:
    """Run the named test files, or all, of an initialised copy; `keep_resources` adds the resources to the report.

    Errors: `SettingsError` where Terraform itself fails.
    """
    options = ["-verbose"] if keep_resources else []
    options += [f"-filter=tests/{name}.tftest.hcl" for name in names]
    command = [terraform.program, f"-chdir={terraform.folder}", "test", "-json", *options]
    done = subprocess.run(command, env=terraform.environ, check=False, capture_output=True, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not messages:
        raise SettingsError(f"terraform test failed:\n{done.stdout}{done.stderr}")
    return Report(
        outcomes={
            f"{message['@testfile']}: {message['@testrun']}": message["test_run"]["status"]
            for message in messages
            if message["type"] == "test_run" and message["test_run"].get("progress") == "complete"
        },
        resources={
            message["@testrun"]: list(_resources(message["test_state"]["root_module"]))
            for message in messages
            if message["type"] == "test_state"
        },
        faults=tuple(_fault(message) for message in messages if message["type"] == "diagnostic" and _is_error(message)),
    )


def names_of_tests() -> list[str]:
    """The test files, without their endings."""
    return sorted(path.name.removesuffix(".tftest.hcl") for path in (SOURCES / "tests").glob("*.tftest.hcl"))


def check_tests(terraform: Terraform) -> str:
    """Check that every test passes. Errors: `SettingsError` with the failures."""
    terraform.init()
    report = run_tests(terraform)
    if report.faults or set(report.outcomes.values()) != {"pass"}:
        raise SettingsError("\n".join([*report.faults, report.summary]))
    return report.summary


def check_checkov() -> str:
    """Check that checkov finds nothing unexplained. Errors: `SettingsError` with its findings."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise SettingsError("uv is missing: make env")
    command = [uv, "tool", "run", "--from", CHECKOV, "checkov", "--directory", str(SOURCES), "--framework", "terraform"]
    command += ["--output", "json", "--quiet", "--compact", "--skip-download"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise SettingsError(f"{CHECKOV} did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}") from None
    found = [f"{one['check_id']} {one['resource']}: {one['check_name']}" for one in report["results"]["failed_checks"]]
    if found:
        raise SettingsError("checkov finds:\n" + "\n".join(found))
    counts = report["summary"]
    return f"{counts['passed']} passed, {counts['skipped']} explained in place, 0 unexplained"


def all_checks(terraform: Terraform) -> Iterator[tuple[str, Callable[[], str]]]:
    """Every check with its name, in order."""
    yield "terraform fmt", lambda: check_format(terraform.program)
    yield "terraform validate", lambda: check_validity(terraform)
    yield "terraform test", lambda: check_tests(terraform)
    yield "checkov", check_checkov


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _is_error(message: Mapping[str, Any]) -> bool:
    return bool(message["diagnostic"]["severity"] == "error")


def _fault(message: Mapping[str, Any]) -> str:
    diagnostic = message["diagnostic"]
    return f"{message.get('@testrun', '')}: {diagnostic['summary']}: {diagnostic.get('detail', '')}"
