from __future__ import annotations

from pathlib import Path

import pytest

from ops.backup.take import take
from ops.machine.state_dir import StateDir
from tests.ops.backup.systems import OBJECT, clock, made


@pytest.fixture
def place(tmp_path: Path) -> StateDir:
    return made(tmp_path / "system", "old")


@pytest.fixture
def backup(tmp_path: Path, place: StateDir) -> Path:
    """A backup of it; the system goes on and is `new` then."""
    folder = tmp_path / "backups" / "monday"
    take(place, folder, "0.1", clock)
    for path in (place.database, place.root / "token.key", place.lake / OBJECT):
        path.unlink()
    made(place.root, "new")
    return folder
