"""The one directory that holds everything a local system keeps."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from include.errors import SettingsError

_KEPT = ("lock", "run", "ports.json")


@dataclass(frozen=True, slots=True)
class StateDir:
    """The paths below `root`, which is absolute."""

    root: Path

    @property
    def database(self) -> Path:
        """SQLite file of the state and the queue."""
        return self.root / "state.sqlite"

    @property
    def lake(self) -> Path:
        """The lake's objects."""
        return self.root / "lake"

    @property
    def token_key(self) -> Path:
        """The key that encrypts athletes' tokens."""
        return self.root / "token.key"

    @property
    def catalog(self) -> Path:
        """DuckDB file with the lake's views."""
        return self.root / "catalog.duckdb"

    @property
    def simulator(self) -> Path:
        """SQLite file of the simulated Strava."""
        return self.root / "simulator.sqlite"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / "airflow"

    @property
    def logs(self) -> Path:
        """One log file for each process."""
        return self.root / "logs"

    @property
    def restoring(self) -> Path:
        """The folder that is there while a restore moves its files to their places."""
        return self.root / "restoring"

    @contextmanager
    def hold(self, *, restores: bool = False) -> Iterator[None]:
        """Create the directory, readable by its owner alone, and keep every other system out of it.

        Errors: `SettingsError` when another system holds it; the kernel releases it when the holder ends in any way.
        Also while a restore has not ended, unless the caller `restores`.
        """
        for folder in (self.root, self.logs, self.airflow):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.root / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as err:
                raise SettingsError(
                    f"{self.root} is in use by another running system: stop that one (Ctrl-C in its terminal), "
                    "or set STATE_DIR to another directory, for example STATE_DIR=.state/second."
                ) from err
            if self.restoring.exists() and not restores:
                raise SettingsError(
                    f"A restore into {self.root} was interrupted: run the same `make restore` again, which ends it."
                )
            yield

    def clear(self) -> None:
        """Delete everything but logs and the run's mark; only while the directory is held."""
        for entry in self.root.iterdir():
            if entry.is_dir() and entry != self.logs:
                shutil.rmtree(entry)
            elif entry.is_file() and entry.name not in _KEPT:
                entry.unlink()
        self.airflow.mkdir(mode=0o700)

    def keep_private(self, name: str, content: dict[str, str]) -> None:
        """Replace the JSON file `name` atomically, readable by its owner alone (mode 0600)."""
        draft = self.root / f"{name}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.root / name)

    def kept(self, name: str) -> dict[str, str]:
        """The content that `keep_private` stored under `name`; empty if there is none.

        Errors: `SettingsError` when the file is damaged.
        """
        path = self.root / name
        try:
            content = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as err:
            raise SettingsError(
                f"{path} is not JSON: restore it, or move it away to have a new one generated."
            ) from err
        return {str(key): str(value) for key, value in content.items()}
