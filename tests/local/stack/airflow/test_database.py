from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from include.errors import SettingsError
from local.stack.airflow import database as airflow_database
from local.stack.airflow import postgres
from local.stack.airflow.database import Postgres, Sqlite, choose, socket_folder
from local.stack.airflow.postgres import Cluster
from local.stack.processes import Processes
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.state_dir import StateDir


@pytest.fixture
def place(tmp_path: Path) -> StateDir:
    """A state directory that is in use."""
    place = StateDir(tmp_path / "state")
    with place.hold():
        pass
    return place


@pytest.fixture
def said() -> list[str]:
    """The lines that a person would read."""
    return []


def test_database_is_postgresql_with_a_password_of_its_own(place: StateDir, tmp_path: Path) -> None:
    generated = GeneratedSecrets.of(place)

    address = choose(place, tmp_path / "a folder", generated).options["DATABASE__SQL_ALCHEMY_CONN"]

    assert address == (
        f"postgresql+psycopg2://airflow:{generated.airflow_database_password}@/postgres?host={tmp_path}/a%20folder"
    )


def test_database_is_sqlite_with_little_patience_where_there_is_no_wheel(
    place: StateDir, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_WHEEL", "no_such_wheel")
    database = choose(place, tmp_path, GeneratedSecrets.of(place))

    database.start(create_autospec(Processes, instance=True), said.append)

    assert database.options["DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{place.airflow / 'airflow.db'}?timeout=5"
    assert len(said) == 1
    assert "because there is no PostgreSQL wheel for this platform" in said[0]
    with closing(sqlite3.connect(place.airflow / "airflow.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.dump() == {}


def test_sqlite_home_is_set_aside_with_one_line_when_postgresql_takes_over(place: StateDir, said: list[str]) -> None:
    Sqlite(place, "nothing else was there").start(create_autospec(Processes, instance=True), lambda line: None)
    for leftover in ("airflow.db-wal", "airflow.db-shm"):
        (place.airflow / leftover).touch()
    cluster = create_autospec(Cluster, instance=True)

    for _ in range(2):
        Postgres(place, cluster).start(create_autospec(Processes, instance=True), said.append)

    assert [path.name for path in place.airflow.iterdir()] == ["airflow.db.aside"]
    assert len(said) == 1
    assert str(place.airflow / "airflow.db.aside") in said[0]
    assert cluster.start.call_count == 2


def test_socket_folder_is_short_private_and_gone_afterwards(tmp_path: Path) -> None:
    with socket_folder(StateDir(tmp_path / ("d" * 200))) as folder:
        assert len(str(folder / ".s.PGSQL.5432")) < 104
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert not folder.exists()


def test_socket_folder_of_a_killed_system_is_removed_and_that_of_another_kept(tmp_path: Path) -> None:
    mine, other = StateDir(tmp_path / "mine"), StateDir(tmp_path / "other")
    killed = socket_folder(mine)
    left = killed.__enter__()

    with socket_folder(other) as others, socket_folder(mine) as folder:
        assert not left.exists()
        assert others.exists()
        assert folder != left


def test_socket_folder_is_refused_with_what_to_do_when_no_path_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_database, "_LONGEST_FOLDER", 5)

    with pytest.raises(SettingsError, match="set TMPDIR to a shorter path"), socket_folder(StateDir(tmp_path)):
        pass

    assert not list(tmp_path.glob("strava-*"))
