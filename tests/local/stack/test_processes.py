from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.stack import processes
from local.stack.processes import Command, Processes, StackFailed

WAIT = "import time; time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); {WAIT}"
WITH_GRANDCHILD = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def script(name: str, code: str) -> Command:
    return Command(name, [sys.executable, "-c", code], {"PATH": os.environ["PATH"]})


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    monkeypatch.setattr(processes, "GRACE_S", 1.0)
    run = Processes.open(tmp_path, tmp_path / "run")
    yield run
    run.stop()


def pid_in(log: Path) -> int:
    until(lambda: log.exists() and log.read_text().strip().isdigit())
    return int(log.read_text())


def test_process_runs_in_a_session_of_its_own_and_writes_its_log(started: Processes) -> None:
    started.start(
        script("talker", f"import sys; print('out', flush=True); print('err', file=sys.stderr, flush=True); {WAIT}")
    )
    until(lambda: started.log("talker").read_text() == "out\nerr\n")
    (process,) = started.alive()
    assert os.getsid(process.pid) == process.pid
    started.check()


def test_stop_ends_grandchildren_that_ignore_sigterm_in_a_session_of_their_own(started: Processes) -> None:
    started.start(script("parent", WITH_GRANDCHILD))
    pid = pid_in_first_line(started.log("parent"))
    assert len(started.alive()) == 2
    started.stop()
    assert started.alive() == []
    assert is_gone(pid)


def pid_in_first_line(log: Path) -> int:
    until(lambda: "ready" in log.read_text())
    return int(next(line for line in log.read_text().splitlines() if line.isdigit()))


def test_stop_ends_orphans_whose_parent_died(started: Processes) -> None:
    started.start(script("parent", WITH_GRANDCHILD))
    pid = pid_in_first_line(started.log("parent"))
    parent = psutil.Process(pid).parent()
    assert parent is not None
    parent.kill()
    started.stop()
    assert is_gone(pid)


def test_stop_lets_a_process_finish_what_it_does(started: Processes) -> None:
    code = textwrap.dedent("""
        import os, signal, sys, time
        def finish(*_):
            os.write(1, b"finished\\n")
            sys.exit(0)
        signal.signal(signal.SIGTERM, finish)
        print("ready", flush=True)
        time.sleep(600)
    """)
    started.start(script("careful", code))
    until(lambda: "ready" in started.log("careful").read_text())
    started.stop()
    assert started.log("careful").read_text() == "ready\nfinished\n"


def test_stop_is_safe_to_repeat(started: Processes) -> None:
    started.start(script("one", WAIT))
    started.stop()
    started.stop()
    assert started.alive() == []


def test_check_reports_a_dead_process_with_the_end_of_its_log(started: Processes) -> None:
    started.start(script("failing", "import sys\nfor n in range(40): print('line', n)\nsys.exit(3)"))
    until(lambda: not started.alive() and started.log("failing").read_text().endswith("line 39\n"))
    with pytest.raises(StackFailed) as caught:
        until(started.check)
    message = str(caught.value)
    assert message.startswith(f"failing ended with exit code 3; {started.log('failing')} ends with:")
    assert message.endswith("line 39")
    assert "line 20" not in message


def test_next_run_ends_what_a_killed_run_left_behind_and_nothing_else(tmp_path: Path, started: Processes) -> None:
    started.start(script("parent", WITH_GRANDCHILD))
    pid = pid_in_first_line(started.log("parent"))
    bystander = subprocess.Popen([sys.executable, "-c", WAIT], env={**os.environ, processes.MARK: "of another run"})
    second = Processes.open(tmp_path, tmp_path / "run")
    assert is_gone(pid)
    assert started.alive() == []
    assert second.alive() == []
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_next_run_keeps_the_logs_of_the_one_before(tmp_path: Path, started: Processes) -> None:
    started.log("web").write_text("earlier\n")
    second = Processes.open(tmp_path, tmp_path / "run")
    second.start(script("web", "print('later')"))
    until(lambda: second.log("web").read_text() == "later\n")
    assert (tmp_path / "web.log.1").read_text() == "earlier\n"
    second.stop()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process that its parent ended")
def test_processes_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import pathlib, sys, time
        from local.stack.processes import Command, Processes
        folder = pathlib.Path({str(tmp_path)!r})
        run = Processes.open(folder, folder / "run")
        child = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
        run.start(Command("child", [sys.executable, "-c", child], {{}}))
        time.sleep(600)
    """)
    root = Path(__file__).resolve().parents[3]
    supervisor = subprocess.Popen([sys.executable, "-c", code], cwd=root)
    pid = pid_in(tmp_path / "child.log")
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    until(lambda: is_gone(pid))


def test_command_does_not_show_its_environment() -> None:
    command = Command.module("local.stack.dispatcher", ["--flag"], {"COOKIE_KEY": "hidden"})
    assert "hidden" not in repr(command)
    assert command.name == "dispatcher"
    assert command.argv == [sys.executable, "-m", "local.stack.dispatcher", "--flag"]
