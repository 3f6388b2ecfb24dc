"""Airflow's commands follow the migration, and a database that no migration fits is emptied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from local import airflow_server


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
            ["api-server", "db migrate", "dag-processor", "scheduler --skip-serve-logs"],
            "ended with exit code",
            id="fits",
        ),
        pytest.param(
            {"airflow db migrate": 1, "airflow db reset --yes": 0},
            ["api-server", "db migrate", "db reset --yes", "dag-processor", "scheduler --skip-serve-logs"],
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
    monkeypatch.setattr(airflow_server, "wait", list)

    with pytest.raises(SystemExit, match=said):
        airflow_server.run(tmp_path, [])

    assert started == ran
