"""Airflow's commands follow the migration, and a database that no migration fits is emptied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from local.stack.airflow import server as airflow_server

LAST = 7
"""The number of the second cleaning among the commands that are started."""


@dataclass
class Ended:
    """A command that ran."""

    name: str
    exitcode: int
    sentinel: Connection = field(default_factory=lambda: Pipe()[0])

    def join(self) -> None:
        """It has ended already."""


@pytest.mark.parametrize(
    ("exit_codes", "ran", "said"),
    [
        pytest.param(
            {"airflow db migrate": 0},
            ["api-server", "db migrate", "dag-processor", "scheduler --skip-serve-logs", "triggerer --skip-serve-logs"],
            "ended with exit code",
            id="fits",
        ),
        pytest.param(
            {"airflow db migrate": 1, "airflow db reset --yes": 0},
            [
                "api-server",
                "db migrate",
                "db reset --yes",
                "dag-processor",
                "scheduler --skip-serve-logs",
                "triggerer --skip-serve-logs",
            ],
            "ended with exit code",
            id="does not fit",
        ),
        pytest.param(
            {"airflow db migrate": 1, "airflow db reset --yes": 1},
            ["api-server", "db migrate", "db reset --yes"],
            "The migration of Airflow's database failed",
            id="cannot be emptied either",
        ),
    ],
)
def test_airflow_runs_on_a_database_that_was_migrated_or_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exit_codes: dict[str, int], ran: list[str], said: str
) -> None:
    started: list[str] = []

    def start(logs: Path, arguments: Sequence[str], *_: object, **__: object) -> Ended:
        started.append(" ".join(arguments))
        return Ended(f"airflow-{arguments[0]}", exit_codes.get(f"airflow {started[-1]}", 0))

    monkeypatch.setattr(airflow_server, "_start", start)
    monkeypatch.setattr(airflow_server, "wait", lambda sentinels, _: list(sentinels))

    with pytest.raises(SystemExit, match=said):
        airflow_server.run(tmp_path, 30, [])

    assert started == ran


def test_rows_that_airflows_api_does_not_delete_are_deleted_daily_while_everything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started: list[Sequence[str]] = []
    waited: list[float] = []

    def start(logs: Path, arguments: Sequence[str], *_: object, **__: object) -> Ended:
        started.append(arguments)
        return Ended(f"airflow-{arguments[0]}", exitcode=int(len(started) == LAST))

    def wait(sentinels: Sequence[Connection], timeout_s: float) -> Sequence[Connection]:
        waited.append(timeout_s)
        return sentinels if len(waited) == 3 else []

    monkeypatch.setattr(airflow_server, "_start", start)
    monkeypatch.setattr(airflow_server, "wait", wait)

    with pytest.raises(SystemExit, match="ended with exit code"):
        airflow_server.run(tmp_path, 30, [])

    *_, first, second = started
    assert first[:5] == ["db", "clean", "--tables", "log,asset_event", "--clean-before-timestamp"]
    age = datetime.now(UTC) - datetime.fromisoformat(first[5])
    assert timedelta(days=30) < age < timedelta(days=30, minutes=5)
    assert (first[6:], second[:2]) == (["--skip-archive", "--yes"], ["db", "clean"])
    assert waited == [airflow_server.FIRST_CLEANING_S, airflow_server.CLEAN_EVERY_S, airflow_server.CLEAN_EVERY_S]
    assert "old rows could not be deleted" in caplog.text


@dataclass
class Stuck:
    """A command that ends only when it is killed."""

    name: str
    got: list[str] = field(default_factory=list)

    def terminate(self) -> None:
        self.got.append("SIGTERM")

    def kill(self) -> None:
        self.got.append("SIGKILL")

    def join(self, timeout_s: float | None = None) -> None:
        self.got.append(f"waited {timeout_s} s")

    def is_alive(self) -> bool:
        return "SIGKILL" not in self.got


def test_commands_that_do_not_end_are_killed_and_only_the_one_with_tasks_is_given_time() -> None:
    commands = [Stuck(f"airflow-{name}") for name in ("api-server", "dag-processor", "scheduler", "triggerer")]

    airflow_server.end(commands)  # type: ignore[arg-type] # a process that stays without ten seconds of waiting

    waits_s = {command.name: command.got[1] for command in commands}
    assert waits_s == {
        "airflow-api-server": "waited 1.0 s",
        "airflow-dag-processor": "waited 1.0 s",
        "airflow-scheduler": "waited 10.0 s",
        "airflow-triggerer": "waited 1.0 s",
    }
    assert all(command.got[::2] == ["SIGTERM", "SIGKILL"] for command in commands)
