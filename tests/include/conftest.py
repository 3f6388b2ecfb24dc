"""An empty store, a key and a clock that a test can set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.crypto.key_file import KeyFileCipher
from include.store.sqlite import SqliteStore
from include.store.store import Store
from local.testbed.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)


@pytest.fixture
def pass_time(clock: ManualClock) -> Callable[[float], None]:
    """Let that many seconds pass."""
    return clock.advance


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def store(path: Path, clock: Clock) -> Iterator[Store]:
    store = SqliteStore(path, clock)
    yield store
    store.close()


@pytest.fixture
def cipher(tmp_path: Path) -> Cipher:
    return KeyFileCipher(tmp_path / "token.key")
