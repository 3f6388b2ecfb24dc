"""The Terraform configuration is well formed, and its own tests pass."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from include.errors import SettingsError
from local.aws.terraform import checks
from local.aws.terraform.checks import Report, check_checkov, check_format, check_validity
from local.aws.terraform.tool import SOURCES, Terraform, find_mirror

TARGET = "registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64"


def test_provider_is_pinned_exactly_and_to_one_version() -> None:
    """A lock that is made on one platform knows no other, so the pin is in the configuration."""
    pins = {
        version
        for path in SOURCES.rglob("versions.tf")
        for version in re.findall(r'source  = "hashicorp/aws"\n\s+version = "(.*)"', path.read_text())
    }

    assert pins == {"5.100.0"}


def test_no_module_depends_on_another_as_a_whole() -> None:
    """It would put off the other's data sources, and so replace what has a name made of them."""
    assert [
        path for path in SOURCES.rglob("*.tf") if re.search(r"depends_on\s*=\s*\[[^]]*\bmodule\.", path.read_text())
    ] == []


def test_configuration_is_formatted(terraform: Terraform) -> None:
    assert check_format(terraform.program)


def test_modules_pass_their_tests(modules: Report) -> None:
    assert modules.faults == []
    assert set(modules.outcomes.values()) == {"pass"}
    assert {name.split(":")[0] for name in modules.outcomes} >= {
        f"tests/{module}.tftest.hcl" for module in ("network", "state", "lake", "webhook_api", "mwaa", "observability")
    }


def test_environments_pass_their_tests(environments: Report) -> None:
    assert environments.faults == []
    assert set(environments.outcomes.values()) == {"pass"}
    assert set(environments.resources) >= {"dev", "prod"}


@pytest.mark.slow  # the tests above read the same modules; make test-terraform asks this too
def test_everything_that_is_applied_is_valid(terraform: Terraform) -> None:
    assert "prod" in check_validity(terraform)


def test_checkov_finds_nothing_unexplained(unavailable: Callable[[str], None]) -> None:
    try:
        summary = check_checkov()
    except SettingsError as err:
        if "did not run" not in str(err):
            raise
        unavailable(f"checkov cannot be had: {err}")
    assert "0 unexplained" in summary


def test_every_exception_from_checkov_says_why() -> None:
    skips = [
        line.strip()
        for path in SOURCES.rglob("*.tf")
        for line in path.read_text().splitlines()
        if "checkov:skip" in line
    ]
    assert skips
    assert [skip for skip in skips if len(skip.partition(":skip=")[2].partition(":")[2]) < 15] == []


def test_every_test_file_is_run() -> None:
    assert {path.name for path in (SOURCES / "tests").glob("*.hcl")} == {
        f"{name}.tftest.hcl" for name in checks.names_of_tests()
    }


def test_every_module_and_variable_and_output_is_described() -> None:
    for path in SOURCES.rglob("variables.tf"):
        blocks = path.read_text().split("\nvariable ")
        assert all("description" in block and "  type " in block for block in blocks if '"' in block), path
    for path in SOURCES.rglob("outputs.tf"):
        blocks = path.read_text().split("\noutput ")
        assert all("description" in block for block in blocks), path
    for path in (SOURCES / "modules").glob("*/main.tf"):
        assert path.read_text().startswith("# "), path


def test_mirror_is_found_where_it_usually_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    (tmp_path / "other").mkdir()
    (tmp_path / "plugins" / TARGET).mkdir(parents=True)

    assert find_mirror({}, [f"{tmp_path}/*"]) == tmp_path / "plugins"
    assert find_mirror({"TF_PLUGIN_MIRROR": str(tmp_path / "plugins")}, []) == tmp_path / "plugins"
    assert find_mirror({"TF_PLUGIN_MIRROR": str(tmp_path / "other")}, [f"{tmp_path}/*"]) is None
    assert find_mirror({}, [str(tmp_path / "nothing" / "*")]) is None


def test_another_provider_is_tried_in_the_copy_and_from_a_mirror_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kwargs: "/bin/true")
    (tmp_path / "plugins" / TARGET).mkdir(parents=True)

    tried = Terraform.copy_into(tmp_path / "scratch", {"PROVIDER": "6.62.0"})

    pins = {line for path in tried.folder.rglob("versions.tf") for line in path.read_text().splitlines()}
    assert '      version = "6.62.0"' in pins
    assert '      version = "5.100.0"' not in pins
    assert find_mirror({"PROVIDER": "6.62.0"}, [f"{tmp_path}/*"]) is None
    assert find_mirror({"PROVIDER": "5.100.0"}, [f"{tmp_path}/*"]) == tmp_path / "plugins"


def test_mirror_of_another_machine_is_of_no_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    (tmp_path / "plugins" / TARGET).mkdir(parents=True)

    assert find_mirror({}, [f"{tmp_path}/*"]) is None


def test_missing_terraform_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kwargs: None)

    with pytest.raises(SettingsError, match="install Terraform"):
        Terraform.copy_into(tmp_path, {})


def test_failure_of_terraform_says_what_it_said(tmp_path: Path) -> None:
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\necho no such module >&2\nexit 1\n")
    program.chmod(0o755)

    with pytest.raises(SettingsError, match=r"terraform validate in \. failed:\nno such module"):
        Terraform(str(program), tmp_path, {}).run("validate")
