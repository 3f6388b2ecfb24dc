"""What repair brings into agreement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from include.errors import UnexpectedShape
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.lake.rows.copies import CopyRows
from include.state.copies.ledger import CopyLedger

PARENT_ID, CHILD_ID, OTHER_CHILD_ID = 2**53 + 1, 2**53 + 3, 72
ACTIVITY_ID = 2**53 + 5
START = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)


def test_repair_brings_missing_old_and_superfluous_rows_into_agreement(
    copy_rows: CopyRows,
    ledger: CopyLedger,
    forget: Callable[[int, int], None],
    held: Callable[..., Any],
    planned: Callable[..., Any],
    finish: Callable[..., Any],
) -> None:
    for activity_id in (1, 2, 3):
        ledger.plan(planned(activity_id))
        copy_rows.refresh(activity_id)
    finish(ledger, 2)
    forget(3, CHILD_ID)
    ledger.plan(planned(4))
    ledger.plan(planned(5, activity_start_epoch_s=0))

    repaired = copy_rows.repair([PARENT_ID])

    assert repaired == 4
    assert [(row["parent_activity_id"], row["state"]) for row in held()] == [
        (1, "planned"),
        (2, "done"),
        (4, "planned"),
    ]
    assert [row["parent_activity_id"] for row in held(f"copies/year=1970/{PARENT_ID}.parquet")] == [5]
    assert copy_rows.repair([PARENT_ID]) == 0


def test_repair_makes_an_unreadable_object_again(
    copy_rows: CopyRows, ledger: CopyLedger, objects: FileObjects, held: Callable[..., Any], planned: Callable[..., Any]
) -> None:
    ledger.plan(planned())
    copy_rows.refresh(ACTIVITY_ID)
    [key] = objects.list("copies/")
    objects.put(key, b"no parquet", expected=Condition.ANYTHING)
    with pytest.raises(UnexpectedShape, match="strava_retention"):
        copy_rows.refresh(ACTIVITY_ID)
    assert copy_rows.repair([]) == 1
    assert [row["state"] for row in held()] == ["planned"]


def test_repair_keeps_an_object_that_another_worker_makes_again_meanwhile(
    copy_rows: CopyRows,
    ledger: CopyLedger,
    objects: FileObjects,
    held: Callable[..., Any],
    planned: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger.plan(planned())
    copy_rows.refresh(ACTIVITY_ID)
    [key] = objects.list("copies/")
    whole, delete, deleted = objects.get(key), objects.delete, list[str]()
    assert whole
    objects.put(key, b"no parquet", expected=whole.etag)

    def delete_after_another(key: str, *, expected: str | Condition) -> None:
        if not deleted:
            objects.put(key, whole.body, expected=Condition.ANYTHING)
        deleted.append(key)
        delete(key, expected=expected)

    monkeypatch.setattr(objects, "delete", delete_after_another)
    assert copy_rows.repair([]) == 0
    assert deleted == [key]
    assert objects.get(key) == whole


def test_repair_finds_parents_whom_only_the_lake_knows(
    copy_rows: CopyRows,
    ledger: CopyLedger,
    forget: Callable[[int, int], None],
    objects: FileObjects,
    planned: Callable[..., Any],
) -> None:
    ledger.plan(planned())
    copy_rows.refresh(ACTIVITY_ID)
    forget(ACTIVITY_ID, CHILD_ID)
    assert copy_rows.repair([]) == 1
    assert list(objects.list("")) == []


def test_repair_keeps_a_row_that_the_ledger_s_index_does_not_show_yet(
    objects: FileObjects,
    ledger: CopyLedger,
    copy_rows: CopyRows,
    held: Callable[..., Any],
    monkeypatch: Any,
    planned: Callable[..., Any],
) -> None:
    ledger.plan(planned())
    copy_rows.refresh(ACTIVITY_ID)
    monkeypatch.setattr(ledger, "of_parent", lambda _parent_id: iter(()))
    copy_rows.repair([PARENT_ID])
    assert [row["state"] for row in held()] == ["planned"]
