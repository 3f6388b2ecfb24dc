from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from local.aws.dynamodb_local import server
from local.aws.dynamodb_local.__main__ import main

ROOT = Path(__file__).parents[3]
needs_server = pytest.mark.skipif(server.missing() is not None, reason=f"DynamoDB Local: {server.missing()}")
USER = """
import sys
from pathlib import Path
from local.aws.dynamodb_local.server import shared_server
with shared_server(Path(sys.argv[1])) as address:
    print(address, flush=True)
    sys.stdin.read()
"""


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH, empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'openjdk version \"17.0.15\" 2025-04-15' >&2", None),
        ("echo 'openjdk version \"21\" 2023-09-19' >&2", None),
        ("echo 'java version \"1.8.0_381\"' >&2", "Java is 1; the JDK of Java 17 is needed"),
        ("echo 'openjdk version \"11.0.2\" 2019-01-15' >&2", "Java is 11; the JDK of Java 17 is needed"),
        ("echo 'Unable to locate a Java Runtime.' >&2; exit 1", "does not run; the JDK of Java 17 is needed"),
    ],
)
def test_java_is_judged_by_what_it_says_of_itself(path: Path, script: str, said: str | None) -> None:
    program(path, "java", script)
    program(path, "javac", "")

    lack = server.java_missing()

    assert lack is None if said is None else said in str(lack)


def test_java_without_its_compiler_is_not_enough(path: Path) -> None:
    program(path, "java", "echo 'openjdk version \"17.0.15\"' >&2")

    assert "Java has no compiler; the JDK of Java 17 is needed" in str(server.java_missing())


def test_install_says_what_to_install_when_java_is_missing(path: Path) -> None:
    with pytest.raises(SystemExit, match=r"Java is missing; .* On Debian: apt install openjdk-17-jdk"):
        main()


def test_install_says_what_to_install_when_npm_is_missing(path: Path) -> None:
    program(path, "java", "echo 'openjdk version \"17.0.15\"' >&2")
    program(path, "javac", "")

    with pytest.raises(SystemExit, match=r"npm is missing\. On Debian: apt install npm"):
        main()


def test_install_fails_in_words_when_npm_does(path: Path) -> None:
    program(path, "java", "echo 'openjdk version \"17.0.15\"' >&2")
    program(path, "javac", "")
    program(path, "npm", "exit 1")

    with pytest.raises(SystemExit, match="npm says why above"):
        main()


@pytest.mark.parametrize("workers", ["0", "1"])
def test_run_of_the_store_contract_says_once_that_java_is_missing(path: Path, tmp_path: Path, workers: str) -> None:
    suite = "tests/contract/store/test_counters.py"
    options = ["-q", "-p", "no:cacheprovider", "-k", "sqlite or local", "-n", workers, f"--basetemp={tmp_path}/run"]

    run = subprocess.run(
        [sys.executable, "-m", "pytest", suite, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("The store's contract was tested without DynamoDB Local: ") == 1
    assert "dynamodb_local" not in run.stdout
    assert "skipped" not in run.stdout


@contextmanager
def user(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that uses the server of `folder`, and the address it was given."""
    command = [sys.executable, "-c", USER, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def listening(port: int) -> set[str]:
    """The addresses on which anybody of this machine listens at the port."""
    found = psutil.net_connections("tcp")
    return {one.laddr.ip.removeprefix("::ffff:") for one in found if one.status == "LISTEN" and one.laddr.port == port}


def ends(folder: Path) -> bool:
    """Whether the server of `folder` is gone within its time."""
    until = time.monotonic() + 20
    while (folder / "address").exists() and time.monotonic() < until:
        time.sleep(0.05)
    return not (folder / "address").exists()


@needs_server
def test_processes_share_one_server_that_ends_with_the_last_of_them(tmp_path: Path) -> None:
    with user(tmp_path) as (first, address), user(tmp_path) as (second, other_address):
        first.send_signal(signal.SIGKILL)
        first.wait()

        with user(tmp_path) as (_, third_address):
            assert {address, other_address, third_address} == {address}
        assert address.startswith("http://127.0.0.1:")
        assert listening(int(address.rpartition(":")[2])) == {"127.0.0.1"}
        second.send_signal(signal.SIGKILL)
        second.wait()

        assert ends(tmp_path)


@needs_server
def test_server_that_does_not_start_says_why(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "java", "echo 'no room for the heap' >&2; exit 3")
    monkeypatch.setenv("PATH", f"{path}:/usr/bin:/bin")

    with pytest.raises(RuntimeError, match=r"(?s)no room for the heap.*ended with 3"), server.shared_server(tmp_path):
        pass
