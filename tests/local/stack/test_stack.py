from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from io import StringIO
from pathlib import Path

import psutil
import pytest
import requests
from rich.console import Console

from include.errors import SettingsError
from local.stack import processes, up
from local.stack import system as stack
from local.stack.airflow.database import Sqlite
from local.stack.processes import Command, StackFailed
from local.stack.progress import Progress
from local.stack.system import Stack
from ops.machine.state_dir import StateDir

pytestmark = pytest.mark.network

STAND_IN = Path(__file__).with_name("stand_in.py")
REAL = {"STRAVA_CLIENT_ID": "42", "STRAVA_CLIENT_SECRET": "real"}


@contextmanager
def handling(signum: signal.Signals, handler: signal.Handlers) -> Iterator[None]:
    """The signal handled so, whatever the tests were started with: `nohup` lets them ignore a hangup."""
    before = signal.signal(signum, handler)
    try:
        yield
    finally:
        signal.signal(signum, before)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A state directory whose ports no other test uses."""
    place = tmp_path / "state"
    place.mkdir()
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    (place / "ports.json").write_text(json.dumps(dict(zip(("simulator", "web", "airflow"), ports, strict=True))))
    return place


@pytest.fixture
def dying() -> dict[str, str]:
    """Which processes end at once, with which exit code."""
    return {}


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch, dying: dict[str, str], request: pytest.FixtureRequest) -> None:
    """Tiny servers instead of the real ones, except in tests marked `slow`."""
    if request.node.get_closest_marker("slow"):
        return
    monkeypatch.setattr(processes, "GRACE_S", 3.0)

    def module(name: str, arguments: Iterable[str], environment: Mapping[str, str]) -> Command:
        given = list(arguments)
        port = environment.get("AIRFLOW__API__PORT") or (given[given.index("--port") + 1] if "--port" in given else "0")
        name = processes.process_name(name)
        extra = {"STAND_IN_DIES": dying[name]} if name in dying else {}
        return Command(name, [sys.executable, str(STAND_IN), port], {**environment, **extra})

    monkeypatch.setattr(Command, "module", module)
    monkeypatch.setattr(stack, "choose", lambda place, sockets, generated: Sqlite(place, "this is a test"))


def start(
    place: Path, *, overrides: Mapping[str, str] | None = None, fresh: bool = False
) -> AbstractContextManager[Stack]:
    progress = Progress(Console(file=StringIO()))
    return Stack.start(state_dir=place, dags=["hello"], progress=progress, overrides=overrides, fresh=fresh)


def names(stack: Stack) -> set[str]:
    return {path.stem for path in stack.state_dir.logs.glob("*.log")}


@pytest.fixture
def none_left() -> Iterator[None]:
    """After the test nothing of a stack is left as a child of this process."""
    yield
    marked = []
    for process in psutil.Process().children(recursive=True):
        if process.status() != psutil.STATUS_ZOMBIE and processes.MARK in process.environ():
            marked.append(process.pid)
    assert marked == []


@pytest.mark.usefixtures("none_left")
def test_stack_starts_everything_and_ends_it(place: Path) -> None:
    with start(place) as stack:
        assert names(stack) == {"strava_simulator", "airflow_server", "webhook_server", "dispatcher"}
        assert len(stack.processes.alive()) == 4
        for address in (stack.simulator_url, stack.web_url, stack.airflow_url):
            assert requests.get(address, timeout=5).status_code == 200
        assert stack.settings.public_url == stack.web_url
        assert stack.environment["AIRFLOW_URL"] == stack.airflow_url
        assert stack.airflow_login.username == "admin"
        assert stack.airflow_login.password not in repr(stack)
        assert stack.settings.cookie_key not in repr(stack)
    assert stack.processes.alive() == []


def test_stack_keeps_addresses_and_secrets_over_a_restart(place: Path) -> None:
    with start(place) as first:
        pass
    with start(place) as second:
        assert (second.settings, second.airflow_login) == (first.settings, first.airflow_login)


@pytest.mark.usefixtures("none_left")
def test_stack_refuses_a_directory_in_use_and_starts_nothing(place: Path) -> None:
    with StateDir(place).hold(), pytest.raises(SettingsError, match="in use"), start(place):
        pytest.fail("the second stack got in")
    assert not (place / "run").exists()


@pytest.mark.usefixtures("none_left")
def test_stack_ends_everything_when_a_process_dies_at_its_start(place: Path, dying: dict[str, str]) -> None:
    dying["airflow_server"] = "3"
    with (
        pytest.raises(StackFailed, match=r"airflow_server ended with exit code 3; (.|\n)*no strength left"),
        start(place),
    ):
        pytest.fail("the stack seems to run")


@pytest.mark.usefixtures("none_left")
def test_stack_comes_up_without_its_simulated_strava_when_that_dies(place: Path, dying: dict[str, str]) -> None:
    dying["strava_simulator"] = "3"
    with start(place) as stack:
        stack.processes.check_inside()
        assert stack.processes.is_away("strava_simulator")
        assert not up.ask(stack).answers
        with pytest.raises(StackFailed, match="strava_simulator ended with exit code 3"):
            stack.processes.check()


@pytest.mark.usefixtures("none_left")
def test_stack_reports_a_process_that_dies_later(place: Path) -> None:
    with start(place) as stack:
        (dispatcher,) = [each for each in stack.processes.alive() if each.cmdline()[-1] == "0"]
        dispatcher.kill()
        while dispatcher.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.02)
        with pytest.raises(StackFailed, match=r"dispatcher ended with exit code -9; .*dispatcher\.log"):
            stack.processes.check()


@pytest.mark.usefixtures("none_left")
@pytest.mark.parametrize("signum", [pytest.param(signal.SIGTERM, id="TERM"), pytest.param(signal.SIGHUP, id="HUP")])
def test_stack_ends_everything_at_a_signal_and_restores_its_handler(place: Path, signum: signal.Signals) -> None:
    with handling(signum, signal.SIG_DFL):
        with pytest.raises(SystemExit) as caught, start(place) as stack:
            os.kill(os.getpid(), signum)
        assert caught.value.code == 128 + signum
        assert stack.processes.alive() == []
        assert signal.getsignal(signum) is signal.SIG_DFL


@pytest.mark.usefixtures("none_left")
def test_stack_goes_on_when_a_signal_comes_that_it_was_started_to_ignore(place: Path) -> None:
    with handling(signal.SIGHUP, signal.SIG_IGN), start(place) as stack:
        os.kill(os.getpid(), signal.SIGHUP)
        assert stack.processes.alive()


def test_stack_forgets_everything_but_its_addresses_when_started_fresh(place: Path) -> None:
    with start(place) as first:
        (first.state_dir.lake / "streams").mkdir(parents=True)
        first.state_dir.token_key.touch()
    with start(place, fresh=True) as second:
        assert not second.state_dir.lake.exists()
        assert not second.state_dir.token_key.exists()
        assert second.web_url == first.web_url
        assert second.settings.cookie_key != first.settings.cookie_key


def test_stack_uses_the_real_strava_and_no_simulator_with_credentials(place: Path) -> None:
    with start(place, overrides=REAL) as stack:
        assert stack.simulator_url == ""
        assert "strava_simulator" not in names(stack)
        assert stack.settings.strava_client_id == "42"


@pytest.mark.parametrize(
    ("first", "second"),
    [pytest.param({}, REAL, id="simulated first"), pytest.param(REAL, {}, id="real first")],
)
def test_stack_never_mixes_real_and_simulated_athletes(
    place: Path, first: dict[str, str], second: dict[str, str]
) -> None:
    with start(place, overrides=first):
        pass
    with pytest.raises(SettingsError, match="set STATE_DIR to another directory"), start(place, overrides=second):
        pytest.fail("athletes got mixed")


def test_welcome_says_where_everything_is(place: Path) -> None:
    with start(place) as stack:
        text = up.welcome(stack, up.Strava("Strava sends events", answers=True))
    login = stack.airflow_login
    for expected in (
        stack.web_url,
        stack.airflow_url,
        stack.simulator_url,
        login.username,
        login.password,
        "make query",
    ):
        assert expected in text
    assert stack.settings.webhook_path_secret not in text


@pytest.mark.slow
@pytest.mark.usefixtures("none_left")
@pytest.mark.timeout(240)
def test_real_airflow_starts_answers_and_ends(place: Path) -> None:
    progress = Progress(Console(file=StringIO()))
    with Stack.start(state_dir=place, dags=["strava_ingest"], progress=progress) as stack:
        assert requests.get(f"{stack.airflow_url}/api/v2/dags", timeout=15).status_code == 401
        commands = {path.stem for path in stack.state_dir.logs.glob("airflow-*.log")}
        assert commands == {
            "airflow-api-server",
            "airflow-dag-processor",
            "airflow-db",
            "airflow-scheduler",
            "airflow-triggerer",
        }
        secrets = [getattr(stack.settings, name) for name in ("strava_client_secret", "cookie_key", "airflow_password")]
    logs = "".join(path.read_text() for path in stack.state_dir.logs.glob("*.log"))
    assert [secret for secret in [*secrets, stack.airflow_login.password] if secret in logs] == []
