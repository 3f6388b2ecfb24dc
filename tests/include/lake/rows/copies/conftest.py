"""A ledger of copies, and the rows of `copies` made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.lake.keys import copies_key
from include.lake.objects.files import FileObjects
from include.lake.rows.copies import CopyRows
from include.lake.table_object import decode
from include.state.copies.ledger import Copy, CopyLedger, CopyState, external_id
from include.store.sqlite import SqliteStore
from include.store.store import Key, Store

ACTIVITY_ID = 2**53 + 5

PARENT_ID, CHILD_ID, OTHER_CHILD_ID = 2**53 + 1, 2**53 + 3, 72
START = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)
KEY = copies_key(PARENT_ID, START)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "state.sqlite", lambda: 1_735_700_001.0)
    yield store
    store.close()


@pytest.fixture
def ledger(store: Store) -> CopyLedger:
    return CopyLedger(store, lambda: 1_735_700_001.0)


@pytest.fixture
def copy_rows(objects: FileObjects, ledger: CopyLedger) -> CopyRows:
    return CopyRows(objects, ledger, sleep=lambda _: None)


@pytest.fixture
def held(objects: FileObjects) -> Callable[..., list[dict[str, Any]]]:
    """The rows in one object, none where there is no such object."""

    def read(key: str = KEY) -> list[dict[str, Any]]:
        stored = objects.get(key)
        rows: list[dict[str, Any]] = decode(key, stored.body).to_pylist() if stored else []
        return rows

    return read


@pytest.fixture
def forget(store: Store) -> Callable[[int, int], None]:
    """Take a copy out of the ledger, as an erasure does."""

    def delete(activity_id: int, child_id: int) -> None:
        key = Key("copies", str(activity_id), str(child_id))
        item = store.get(key)
        assert item
        store.delete(key, expected_version=item.version)

    return delete


@pytest.fixture
def planned() -> Callable[..., Copy]:
    """A planned copy, changed as told."""

    def planned(activity_id: int = ACTIVITY_ID, child_id: int = CHILD_ID, **changes: Any) -> Copy:
        copy = Copy(
            parent_activity_id=activity_id,
            child_id=child_id,
            parent_id=PARENT_ID,
            state=CopyState.PLANNED,
            external_id=external_id(activity_id, child_id),
            matched="Rex",
            activity_start_epoch_s=int(START.timestamp()),
            planned_at_epoch_s=1_735_700_000,
            next_try_epoch_s=1_735_700_060,
        )
        return replace(copy, **changes)

    return planned


@pytest.fixture
def finish() -> Callable[..., None]:
    """Let a worker take the copy and settle it."""

    def finish(ledger: CopyLedger, activity_id: int = ACTIVITY_ID, child_id: int = CHILD_ID, **changes: Any) -> None:
        held = ledger.acquire(activity_id, child_id)
        assert held
        ledger.settle(replace(held, **{"state": CopyState.DONE, "child_activity_id": 9} | changes))

    return finish
