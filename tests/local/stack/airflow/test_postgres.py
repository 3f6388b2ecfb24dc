"""A cluster comes up whatever an earlier life left in its folder, and lets in only those who know the password."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg2
import pytest

from local.stack.airflow import postgres
from local.stack.airflow.database import socket_folder
from local.stack.airflow.postgres import PROCESS, USER, Cluster, NoPostgres, Programs, set_aside
from local.stack.processes import Processes, StackFailed
from ops.machine.state_dir import StateDir

pytestmark = pytest.mark.network

PASSWORD = "p" * 32


@pytest.fixture
def said() -> list[str]:
    """The lines that a person would read."""
    return []


@pytest.fixture
def cluster(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster deep below a state directory whose path has more than 150 characters."""
    deep = tmp_path / ("d" * 75) / ("e" * 75)
    deep.mkdir(parents=True)
    with socket_folder(StateDir(deep)) as sockets:
        yield Cluster(Programs.find(), deep / "postgres", sockets, PASSWORD)


@pytest.fixture
def lives() -> Iterator[list[Processes]]:
    """The processes of each start, ended at the end of the test."""
    lives: list[Processes] = []
    yield lives
    for life in lives:
        life.stop()


@pytest.fixture
def start(cluster: Cluster, lives: list[Processes], said: list[str], tmp_path: Path) -> Callable[[], None]:
    """Starts the cluster as a system does that knows of no earlier one."""

    def start() -> None:
        (tmp_path / "logs").mkdir(exist_ok=True)
        lives.append(Processes(tmp_path / "logs", f"{tmp_path}-{len(lives)}"))
        cluster.start(lives[-1], said.append)

    return start


def ask(cluster: Cluster, sql: str, password: str = PASSWORD) -> object:
    """The answer's only value, None where there is no answer."""
    connection = psycopg2.connect(host=str(cluster.sockets), user=USER, dbname="postgres", password=password)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]
    finally:
        connection.close()


def server(cluster: Cluster) -> psutil.Process:
    return psutil.Process(int((cluster.data / "postmaster.pid").read_text().splitlines()[0]))


def test_cluster_answers_at_once_and_keeps_its_rows_over_a_restart(
    cluster: Cluster, start: Callable[[], None], lives: list[Processes], said: list[str]
) -> None:
    start()
    ask(cluster, "CREATE TABLE kept AS SELECT 7 AS number")
    assert b"COPY public.kept" in cluster.dump()
    lives[-1].stop()

    start()

    assert ask(cluster, "SELECT number FROM kept") == 7
    assert said == []


def test_cluster_refuses_who_does_not_know_the_password(cluster: Cluster, start: Callable[[], None]) -> None:
    start()

    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        ask(cluster, "SELECT 1", password="wrong")
    assert PASSWORD not in repr(cluster)
    assert stat.S_IMODE(cluster.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700


def test_cluster_does_not_open_its_folders_to_others(cluster: Cluster, start: Callable[[], None]) -> None:
    cluster.data.parent.chmod(0o700)

    start()

    assert stat.S_IMODE(cluster.data.parent.stat().st_mode) == 0o700


def test_cluster_comes_up_with_its_rows_when_every_process_was_killed(
    cluster: Cluster, start: Callable[[], None], said: list[str]
) -> None:
    start()
    ask(cluster, "CREATE TABLE kept AS SELECT 7 AS number")
    postmaster = server(cluster)
    for process in [*postmaster.children(), postmaster]:
        with suppress(psutil.NoSuchProcess):  # the others end when one is killed
            process.send_signal(signal.SIGKILL)

    start()

    assert ask(cluster, "SELECT number FROM kept") == 7
    assert said == []


def test_cluster_ends_the_server_of_a_former_life_that_still_runs(
    cluster: Cluster, start: Callable[[], None], said: list[str]
) -> None:
    start()
    orphan = server(cluster)

    start()

    assert server(cluster).pid != orphan.pid
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert said == []


def test_cluster_comes_up_when_the_noted_process_id_is_somebody_else_now(
    cluster: Cluster, start: Callable[[], None], lives: list[Processes]
) -> None:
    start()
    lives[-1].stop()
    (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n1\n5432\n{cluster.sockets}\n\n\n")

    start()

    assert ask(cluster, "SELECT 1") == 1


def _of_another_version(data: Path) -> None:
    (data / "PG_VERSION").write_text("15\n")


def _without_control_file(data: Path) -> None:
    (data / "global" / "pg_control").unlink()


def _with_a_torn_page(data: Path) -> None:
    largest = max((data / "base").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    with largest.open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff" * 100)


def _emptied(data: Path) -> None:
    for path in sorted(data.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize("harm", [_of_another_version, _without_control_file, _with_a_torn_page, _emptied])
def test_cluster_that_cannot_be_used_is_set_aside_with_one_line(
    cluster: Cluster, start: Callable[[], None], lives: list[Processes], said: list[str], harm: Callable[[Path], None]
) -> None:
    start()
    ask(cluster, "CREATE TABLE lost AS SELECT 7 AS number")
    lives[-1].stop()
    harm(cluster.data)

    start()

    assert ask(cluster, "SELECT to_regclass('lost')") is None
    assert len(said) == 1
    assert str(cluster.data.with_name("postgres.aside")) in said[0]
    assert cluster.data.with_name("postgres.aside").is_dir()


def test_cluster_whose_making_was_killed_is_made_again(cluster: Cluster, start: Callable[[], None]) -> None:
    draft = cluster.data.with_name("postgres.draft")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")

    start()

    assert ask(cluster, "SELECT 1") == 1
    assert not draft.exists()


@pytest.mark.parametrize("fault", ["No space left on device", "Read-only file system"])
def test_cluster_is_kept_and_the_disk_named_when_the_disk_refuses(
    cluster: Cluster, tmp_path: Path, said: list[str], fault: str
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "postgres"
    program.write_text(f"#!/bin/sh\necho 'FATAL:  could not write to file: {fault}'\nexit 1\n")
    program.chmod(0o755)
    cluster.data.mkdir()
    poor = Cluster(Programs(programs, ()), cluster.data, cluster.sockets, PASSWORD)

    with pytest.raises(OSError, match=fault):
        poor.start(Processes(tmp_path, "a run"), said.append)

    assert cluster.data.is_dir()
    assert said == []


def test_cluster_says_where_its_log_is_when_the_server_ends_at_once(
    start: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres._OPTIONS, "no_such_option", "1")

    with pytest.raises(StackFailed, match=f"{PROCESS} ended with exit code"):
        start()


def test_programs_are_missing_where_there_is_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_WHEEL", "no_such_wheel")

    with pytest.raises(NoPostgres, match="no PostgreSQL wheel"):
        Programs.find()


def test_programs_that_do_not_run_are_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_PROGRAMS", "nowhere")

    with pytest.raises(NoPostgres, match="do not run here"):
        Programs.find()


def test_programs_below_a_closed_folder_serve_only_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    copied = closed / "wheel_below_it" / postgres._PROGRAMS
    shutil.copytree(Programs.find().folder, copied)
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(closed)
    monkeypatch.setattr(postgres, "_WHEEL", "wheel_below_it")

    if os.geteuid():
        assert Programs.find().folder == copied
    else:  # the server runs as nobody there
        with pytest.raises(NoPostgres, match="may not look into a folder above"):
            Programs.find()


def test_set_aside_replaces_what_was_set_aside_before(tmp_path: Path) -> None:
    for content in ("first", "second"):
        (tmp_path / "it").mkdir()
        (tmp_path / "it" / content).touch()
        aside = set_aside(tmp_path / "it")

    assert [path.name for path in aside.iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["it.aside"]
