"""`copies` ends with what the ledger says, whoever writes when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from include.errors import ObjectConflict
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition, StoredObject
from include.lake.rows.copies import CopyRows
from include.state.copies.ledger import CopyLedger

PARENT_ID, CHILD_ID, OTHER_CHILD_ID = 2**53 + 1, 2**53 + 3, 72
ACTIVITY_ID = 2**53 + 5
START = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)


class Interrupted:
    """Objects that let somebody else act between this writer's look and its write, once."""

    def __init__(self, objects: FileObjects, act: Callable[[], object]) -> None:
        self._objects = objects
        self._act: Callable[[], object] | None = act

    def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
        act, self._act = self._act, None
        if act:
            act()
        return self._objects.put(key, body, expected=expected)

    def get(self, key: str) -> StoredObject | None:
        return self._objects.get(key)

    def delete(self, key: str, *, expected: str | Condition) -> None:
        self._objects.delete(key, expected=expected)

    def list(self, prefix: str) -> Iterator[str]:
        return self._objects.list(prefix)

    def url(self, key: str) -> str:
        return self._objects.url(key)


def test_slow_writer_does_not_undo_a_quicker_one(
    objects: FileObjects,
    ledger: CopyLedger,
    copy_rows: CopyRows,
    held: Callable[..., Any],
    planned: Callable[..., Any],
    finish: Callable[..., Any],
) -> None:
    ledger.plan(planned())

    def overtake() -> None:
        finish(ledger)
        copy_rows.refresh(ACTIVITY_ID)

    CopyRows(Interrupted(objects, overtake), ledger, sleep=lambda _: None).refresh(ACTIVITY_ID)
    assert [row["state"] for row in held()] == ["done"]


def test_slow_writer_whose_object_looks_untouched_still_ends_with_the_newest_row(
    objects: FileObjects,
    ledger: CopyLedger,
    held: Callable[..., Any],
    planned: Callable[..., Any],
    finish: Callable[..., Any],
) -> None:
    """The other one changed the ledger, and died before its own look: no condition can notice."""
    ledger.plan(planned())
    CopyRows(Interrupted(objects, lambda: finish(ledger)), ledger, sleep=lambda _: None).refresh(ACTIVITY_ID)
    assert [row["state"] for row in held()] == ["done"]


def test_slow_writer_brings_nothing_back_that_was_erased_meanwhile(
    objects: FileObjects,
    ledger: CopyLedger,
    copy_rows: CopyRows,
    forget: Callable[[int, int], None],
    held: Callable[..., Any],
    planned: Callable[..., Any],
) -> None:
    ledger.plan(planned())

    def erase() -> None:
        forget(ACTIVITY_ID, CHILD_ID)
        copy_rows.remove_athlete(CHILD_ID, list(objects.list("copies/")))

    CopyRows(Interrupted(objects, erase), ledger, sleep=lambda _: None).refresh(ACTIVITY_ID)
    assert held() == []


def test_slow_writer_does_not_lose_another_activity_s_row(
    objects: FileObjects, ledger: CopyLedger, copy_rows: CopyRows, held: Callable[..., Any], planned: Callable[..., Any]
) -> None:
    ledger.plan(planned(1))
    ledger.plan(planned(2))
    CopyRows(Interrupted(objects, lambda: copy_rows.refresh(2)), ledger, sleep=lambda _: None).refresh(1)
    assert [row["parent_activity_id"] for row in held()] == [1, 2]


def test_many_workers_at_once_leave_what_the_ledger_says(
    objects: FileObjects,
    ledger: CopyLedger,
    held: Callable[..., Any],
    planned: Callable[..., Any],
    finish: Callable[..., Any],
) -> None:
    def work(activity_id: int) -> None:
        mine = CopyRows(objects, ledger)
        for child_id in (1, 2, 3):
            ledger.plan(planned(activity_id, child_id))
            mine.refresh(activity_id)
            finish(ledger, activity_id, child_id, attempts=child_id)
            mine.refresh(activity_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [1, 2, 3, 4, 4_000]))

    pairs = [(activity_id, child_id) for activity_id in (1, 2, 3, 4, 4_000) for child_id in (1, 2, 3)]
    assert [(row["parent_activity_id"], row["child_id"]) for row in held()] == pairs
    assert [(row["state"], row["attempts"]) for row in held()] == [("done", 1), ("done", 2), ("done", 3)] * 5


def test_writer_that_never_gets_through_says_so(
    objects: FileObjects, ledger: CopyLedger, planned: Callable[..., Any]
) -> None:
    class Contended(Interrupted):
        def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
            raise ObjectConflict(key)

    ledger.plan(planned())
    with pytest.raises(ObjectConflict):
        CopyRows(Contended(objects, lambda: None), ledger, sleep=lambda _: None).refresh(ACTIVITY_ID)
