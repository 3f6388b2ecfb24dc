from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import bootstrap

BROKEN_SHIM = "echo 'pyenv: python3.12: command not found' >&2; exit 127"


def executable(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def answering(version: str) -> str:
    return f"echo {version}"


def path_of(*folders: Path) -> str:
    return os.pathsep.join(str(folder) for folder in folders)


def test_python_is_3_12_when_both_work(tmp_path: Path) -> None:
    executable(tmp_path / "bin", "python3.11", answering("3 11"))
    wanted = executable(tmp_path / "bin", "python3.12", answering("3 12"))
    assert bootstrap.find_python(path_of(tmp_path / "bin")) == wanted


def test_python_is_3_11_when_the_3_12_launcher_is_broken(tmp_path: Path) -> None:
    executable(tmp_path / "bin", "python3.12", BROKEN_SHIM)
    wanted = executable(tmp_path / "bin", "python3.11", answering("3 11"))
    assert bootstrap.find_python(path_of(tmp_path / "bin")) == wanted


def test_python_is_found_behind_a_broken_launcher_of_the_same_name(tmp_path: Path) -> None:
    executable(tmp_path / "shims", "python3.12", BROKEN_SHIM)
    wanted = executable(tmp_path / "bin", "python3.12", answering("3 12"))
    assert bootstrap.find_python(path_of(tmp_path / "shims", tmp_path / "bin")) == wanted


def test_python_is_found_when_only_python3_leads_to_it(tmp_path: Path) -> None:
    wanted = executable(tmp_path / "bin", "python3", answering("3 11"))
    assert bootstrap.find_python(path_of(tmp_path / "bin")) == wanted


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(answering("3 10"), id="too old"),
        pytest.param(answering("3 13"), id="too new"),
        pytest.param("echo 'No module named ensurepip' >&2; exit 1", id="without venv"),
        pytest.param("echo 3 12; exit 1", id="fails after its answer"),
        pytest.param("echo hello", id="no Python at all"),
    ],
)
def test_python_is_none_when_no_candidate_fits(tmp_path: Path, script: str) -> None:
    executable(tmp_path / "bin", "python3", script)
    assert bootstrap.find_python(path_of(tmp_path / "bin")) is None


def test_python_is_none_on_an_empty_path() -> None:
    assert bootstrap.find_python("") is None


def test_named_python_is_the_only_candidate(tmp_path: Path) -> None:
    executable(tmp_path / "bin", "python3.12", answering("3 12"))
    named = executable(tmp_path / "other", "mine", answering("3 11"))
    assert bootstrap.find_python(path_of(tmp_path / "bin"), str(named)) == named
    assert bootstrap.find_python(path_of(tmp_path / "bin"), str(tmp_path / "missing")) is None


def test_running_interpreter_is_recognised() -> None:
    assert bootstrap.version_of(Path(sys.executable)) == sys.version_info[:2]


def test_bootstrap_says_what_is_missing_when_no_python_fits(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, bootstrap.__file__],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "Python 3.12 or 3.11" in answer.stderr
    assert "apt install python3-venv" in answer.stderr


def test_install_falls_back_to_pip_when_uv_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    executable(tmp_path / "bin", "python", f'echo "python $*" >> {calls}')
    executable(tmp_path / "bin", "uv", f'echo "uv $*" >> {calls}; exit 2')
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "LOCK", tmp_path / "requirements.lock")
    bootstrap.install()
    ensurepip, first, second, third = calls.read_text().splitlines()
    assert ensurepip == "python -m ensurepip"
    assert bootstrap.UV in first
    assert second.startswith("uv pip sync")
    assert third.startswith("python -m pip")
    assert third.endswith("requirements.lock")
