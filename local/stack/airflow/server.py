"""Airflow's migration and its four servers: `python -m local.stack.airflow.server <logs> <days>`.

Each is a command of `airflow`, run in a fork of a process that has imported Airflow once: separate `airflow` commands
would each spend half of their start on the same imports, and keep their own copy of them in memory.
"""

from __future__ import annotations

import gc
import importlib
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from types import FrameType

from local.stack.die_with_parent import tie_to
from local.stack.processes import with_tail

log = logging.getLogger("local.stack.airflow.server")

SHARED = (
    "airflow.__main__",
    "airflow.utils.db",
    "airflow.cli.commands.db_command",
    "airflow.cli.commands.scheduler_command",
    "airflow.cli.commands.dag_processor_command",
    "airflow.executors.local_executor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.operators.empty",
    "requests",
    "tenacity",
)
"""Modules that the migration, the scheduler, the DAG processor and every task import anyway.

Not pyarrow, which starts a thread and should not be forked, nor our own code, so that the next task sees an edit.
"""

API_SERVER = ("airflow.api_fastapi.app", "airflow.api_fastapi.core_api.routes.public")
"""The API server's slowest import; it needs no database, so it runs during the migration."""

SCHEDULER = "scheduler"
"""The command that runs the tasks."""

GRACE_S = 10.0
"""How long the scheduler may take to end: its running tasks end first."""

IDLE_GRACE_S = 1.0
"""How long each other command may take: killing it loses nothing, and the triggerer and the DAG processor often wait in
vain for their own children (Airflow 3.3)."""

GC_THRESHOLDS = (100_000, 50, 1000)
"""Rare garbage collections save a sixth of the start, in which Airflow allocates much and frees little."""

FIRST_CLEANING_S = 1800.0
CLEAN_EVERY_S = 86_400.0
NOT_IN_THE_API = "log,asset_event"
"""The tables that name athletes and that Airflow's API, unlike runs, cannot delete from."""

_fork = multiprocessing.get_context("fork")


def main() -> None:
    """Migrate, then run until SIGTERM or SIGINT, or until one of the commands ends, which is an error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _stop)
    gc.set_threshold(*GC_THRESHOLDS)
    _import(SHARED)
    commands: list[ForkProcess] = []
    try:
        run(Path(sys.argv[1]), int(sys.argv[2]), commands)
    finally:
        end(commands)


def run(logs: Path, keep_days: int, commands: list[ForkProcess]) -> None:
    """Start Airflow's commands, appended to `commands` in the order of their start, and wait until one ends.

    `keep_days` is how long rows stay that Airflow's API cannot delete: as long as finished runs.

    Errors: `SystemExit` when the migration fails, or any other command ends.
    """
    migrated = _fork.Event()
    commands.append(_start(logs, ["api-server"], after=migrated, importing=API_SERVER))
    if not _ended_well(logs, ["db", "migrate"], commands):
        log.warning("Airflow's database does not fit this version of Airflow: it is emptied, and Airflow starts empty")
        if not _ended_well(logs, ["db", "reset", "--yes"], commands):
            sys.exit(with_tail("The migration of Airflow's database failed", _log(logs, "airflow-db")))
    migrated.set()
    log.info("Airflow's database is up to date")
    commands.append(_start(logs, ["dag-processor"]))
    # Logs are read from files, without a log server, whose port would be the same for every scheduler.
    commands.append(_start(logs, [SCHEDULER, "--skip-serve-logs"]))
    # No task defers itself on one machine, but Airflow's home page shows a missing triggerer as failed.
    commands.append(_start(logs, ["triggerer", "--skip-serve-logs"]))
    ended = _wait_and_clean(logs, keep_days, commands)
    for command in commands:
        if command.sentinel in ended:
            command.join()
            sys.exit(with_tail(f"{command.name} ended with exit code {command.exitcode}", _log(logs, command.name)))


def _wait_and_clean(logs: Path, keep_days: int, commands: list[ForkProcess]) -> Sequence[object]:
    """Wait until a process ends, and return those that have; meanwhile delete old rows once a day."""
    sentinels = [command.sentinel for command in commands]
    ended = wait(sentinels, FIRST_CLEANING_S)
    while not ended:
        before = datetime.now(UTC) - timedelta(days=keep_days)
        options = [
            "--tables",
            NOT_IN_THE_API,
            "--clean-before-timestamp",
            before.isoformat(),
            "--skip-archive",
            "--yes",
        ]
        if not _ended_well(logs, ["db", "clean", *options], commands):
            log.warning("Airflow's old rows could not be deleted; %s says why", _log(logs, "airflow-db"))
        ended = wait(sentinels, CLEAN_EVERY_S)
    return ended


def _ended_well(logs: Path, arguments: Sequence[str], commands: list[ForkProcess]) -> bool:
    """Run a command to its end; meanwhile it is in `commands`."""
    command = _start(logs, arguments)
    commands.append(command)
    command.join()
    commands.remove(command)
    return command.exitcode == 0


def end(commands: Sequence[ForkProcess]) -> None:
    """End the commands in reverse order: the API server last, because tasks report to it until they end."""
    for command in reversed(commands):
        command.terminate()
        command.join(GRACE_S if command.name == _name(SCHEDULER) else IDLE_GRACE_S)
        if command.is_alive():
            log.warning("%s does not end; killing it", command.name)
            command.kill()
            command.join()


def _start(
    logs: Path, arguments: Sequence[str], after: Event | None = None, importing: Iterable[str] = ()
) -> ForkProcess:
    name = _name(arguments[0])
    command = _fork.Process(
        name=name, target=_enter, args=(os.getpid(), _log(logs, name), arguments, after, tuple(importing))
    )
    command.start()
    log.info("%s is process %s", name, command.pid)
    return command


def _enter(
    starter_pid: int, log_file: Path, arguments: Sequence[str], after: Event | None, importing: Sequence[str]
) -> None:
    """Become `airflow <argument>…` in this forked process, with its output in `log_file`, once `after` is set."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, signal.SIG_DFL)
    tie_to(starter_pid)
    with log_file.open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    _import(importing)
    if after is not None:
        after.wait()
    # The scheduler obeys SIGTERM only in a process of this name: it treats any other as one of its workers.
    multiprocessing.current_process().name = "MainProcess"
    sys.argv = ["airflow", *arguments]
    importlib.import_module("airflow.__main__").main()


def _import(modules: Iterable[str]) -> None:
    """Import modules a fifth faster, without garbage collection: nothing that an import allocates is garbage."""
    gc.disable()
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()


def _name(command: str) -> str:
    return f"airflow-{command}"


def _log(logs: Path, name: str) -> Path:
    return logs / f"{name}.log"


def _stop(signum: int, _frame: FrameType | None) -> None:
    log.info("Received %s, ending Airflow", signal.Signals(signum).name)
    sys.exit(0)


if __name__ == "__main__":
    main()
