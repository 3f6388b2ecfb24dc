"""The place where mails are sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.crypto.key_file import KeyFileCipher
from include.pipeline.reconcile import mails
from include.state.state import State
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from tests.include.pipeline.reconcile.mails.place import Place, Post


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    clock = ManualClock(1_760_000_000.0)
    store = SqliteStore(tmp_path / "state.sqlite", clock)
    post = Post()
    monkeypatch.setattr(mails, "open_mailer", lambda settings: post)
    yield Place(State.on(store, KeyFileCipher(tmp_path / "token.key"), clock), clock, store, post)
    store.close()
