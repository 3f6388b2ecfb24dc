"""Airflow's database on one machine. The ledgers hold all work, so an unusable database gives way to an empty one."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from include.errors import SettingsError
from local.stack.airflow.postgres import Cluster, NoPostgres, Programs, set_aside
from local.stack.processes import Processes
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.state_dir import StateDir

SQLITE = "airflow.db"
POSTGRES = "postgres"
LOCK_TIMEOUT_S = 5
"""How long a statement waits while another process writes to SQLite, which blocks Airflow's API server."""

_PREFIX = "strava-"
_OWNER = "owner"
"""The file in a folder of sockets that names its state directory."""

_LONGEST_FOLDER = 80
"""With the socket's name it stays below the 103 bytes that macOS allows."""

Say = Callable[[str], None]


class AirflowDatabase(Protocol):
    """The database in which Airflow keeps its runs."""

    @property
    def options(self) -> Mapping[str, str]:
        """Airflow's options to use it; they contain a password."""
        ...

    def start(self, processes: Processes, say: Say) -> None:
        """Make the database ready for Airflow; `say` gets a line about an unusable one that is set aside."""
        ...

    def dump(self) -> Mapping[str, bytes]:
        """The contents that cannot be read in its files, by name."""
        ...


class Postgres:
    """A PostgreSQL server of its own."""

    def __init__(self, place: StateDir, cluster: Cluster) -> None:
        self._place = place
        self._cluster = cluster

    @property
    def options(self) -> Mapping[str, str]:
        """Its address."""
        return {"DATABASE__SQL_ALCHEMY_CONN": self._cluster.url}

    def start(self, processes: Processes, say: Say) -> None:
        """Start the server; a SQLite database of an older version is set aside."""
        old = self._place.airflow / SQLITE
        if old.exists():
            for leftover in (old.with_name(f"{SQLITE}-wal"), old.with_name(f"{SQLITE}-shm")):
                leftover.unlink(missing_ok=True)
            say(f"Airflow uses PostgreSQL now: its SQLite database is moved to {set_aside(old)}, Airflow starts empty")
        self._cluster.start(processes, say)

    def dump(self) -> Mapping[str, bytes]:
        """All rows, as SQL, because long values are compressed in its files."""
        return {"Airflow's database": self._cluster.dump()}


class Sqlite:
    """An SQLite file, for platforms without a wheel of PostgreSQL."""

    def __init__(self, place: StateDir, because: str) -> None:
        self._file = place.airflow / SQLITE
        self._because = because

    @property
    def options(self) -> Mapping[str, str]:
        """Its file, and a longer timeout: the scheduler does not count as dead while it waits for a lock."""
        return {
            "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self._file}?timeout={LOCK_TIMEOUT_S}",
            "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "300",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "900",
        }

    def start(self, processes: Processes, say: Say) -> None:  # noqa: ARG002 - a file has no process
        """Set WAL mode, in which the web pages read while the scheduler writes."""
        say(f"Airflow uses SQLite, because {self._because}: this works, but is slow when many events come at once")
        with closing(sqlite3.connect(self._file)) as database:
            database.execute("PRAGMA journal_mode = WAL")

    def dump(self) -> Mapping[str, bytes]:
        """Nothing: it is a file."""
        return {}


def choose(place: StateDir, sockets: Path, generated: GeneratedSecrets) -> AirflowDatabase:
    """PostgreSQL, with its socket in `sockets`; SQLite where no PostgreSQL can run."""
    try:
        programs = Programs.find()
    except NoPostgres as err:
        return Sqlite(place, str(err))
    return Postgres(place, Cluster(programs, place.airflow / POSTGRES, sockets, generated.airflow_database_password))


@contextmanager
def socket_folder(place: StateDir) -> Iterator[Path]:
    """A private folder with a short path for sockets, deleted at the end, or at the next start after a kill.

    Errors: `SettingsError` where no short path can be found.
    """
    owner = f"{place.root}\n"
    for note in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNER}"):
        with suppress(OSError):  # somebody else's
            if note.read_text() == owner:
                shutil.rmtree(note.parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        if len(bytes(folder)) > _LONGEST_FOLDER:
            raise SettingsError(f"{folder} is too long for a socket: set TMPDIR to a shorter path, for example /tmp.")
        (folder / _OWNER).write_text(owner)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
