"""Messages for a full or read-only disk of a state directory."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.errors import SettingsError
from local.stack.processes import StackFailed

LEAST_FREE_MB = 200
"""Free space for a start: a new system writes about 100 MB before its first activity."""

LEAST_LEFT_MB = 20
"""With less free space a running system is ended before its processes fail during a write."""

_REFUSALS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
_SQLITE_REFUSALS = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_PRIMARY_CODE = 0xFF


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """A context in which an error of the disk gets a message with the next step; written data stays unchanged.

    Errors: `SettingsError` if this process could not write, `StackFailed` if another process could not.
    """
    try:
        yield
    except OSError as err:
        if err.errno not in _REFUSALS:
            raise
        raise SettingsError(_advice(folder, f"{err.filename or folder}: {err.strerror}")) from err
    except sqlite3.OperationalError as err:
        if err.sqlite_errorcode & _PRIMARY_CODE not in _SQLITE_REFUSALS:
            raise
        raise SettingsError(_advice(folder, str(err))) from err
    except StackFailed as err:
        if _free_mb(folder) >= LEAST_LEFT_MB:
            raise
        raise StackFailed(f"{err}\n{_advice(folder, f'{_free_mb(folder)} MB are free')}") from err


def ensure_room(folder: Path) -> None:
    """Check that there is enough space for a start. Errors: `SettingsError`."""
    if (free_mb := _free_mb(folder)) < LEAST_FREE_MB:
        raise SettingsError(_advice(folder, f"{free_mb} MB are free, and a start takes {LEAST_FREE_MB}"))


def ensure_room_is_left(folder: Path) -> None:
    """Check that a running system can continue. Errors: `SettingsError` where it has to end."""
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise SettingsError(_advice(folder, "it is read-only now"))
    if (free_mb := _free_mb(folder)) < LEAST_LEFT_MB:
        raise SettingsError(_advice(folder, f"{free_mb} MB are left, and a running system needs {LEAST_LEFT_MB}"))


def _advice(folder: Path, what: str) -> str:
    return (
        f"The disk of {folder} cannot take what the system has to write ({what}): free some space or make it writable, "
        "or set STATE_DIR to a directory on another disk, and start again. The stored data is unchanged, and the work "
        "continues where it stopped."
    )


def _free_mb(folder: Path) -> int:
    return shutil.disk_usage(folder).free // 1_000_000
