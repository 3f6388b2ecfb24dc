"""`copies` ends with what the ledger says, whoever writes when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.errors import ObjectConflict, UnexpectedShape
from include.lake.keys import copies_key
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition, StoredObject
from include.lake.query import query
from include.lake.rows.copies import CopyRows, row_of
from include.lake.schemas import COPIES
from include.lake.table_object import decode
from include.state.copies.ledger import MADE_STATES, Copy, CopyLedger, CopyState, external_id
from include.store.sqlite import SqliteStore
from include.store.store import Key, Store

PARENT_ID, CHILD_ID, OTHER_CHILD_ID = 2**53 + 1, 2**53 + 3, 72
ACTIVITY_ID = 2**53 + 5
START = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)
KEY = copies_key(PARENT_ID, START)


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


def finish(ledger: CopyLedger, activity_id: int = ACTIVITY_ID, child_id: int = CHILD_ID, **changes: Any) -> None:
    held = ledger.acquire(activity_id, child_id)
    assert held
    ledger.settle(replace(held, **{"state": CopyState.DONE, "child_activity_id": 9} | changes))


def test_refreshed_copy_is_a_row_with_everything_the_ledger_knows(
    copy_rows: CopyRows, ledger: CopyLedger, lake_url: str
) -> None:
    ledger.plan(planned())
    finish(
        ledger,
        upload_id=2**53 + 7,
        attempts=1,
        file_format="gpx",
        points=3600,
        carried=("heartrate", "power"),
        trim_m=200,
    )

    changed = copy_rows.refresh(ACTIVITY_ID)

    assert changed == 1
    assert query("SELECT * FROM copies", lake_url).to_pylist() == [
        {
            "parent_activity_id": ACTIVITY_ID,
            "child_id": CHILD_ID,
            "parent_id": PARENT_ID,
            "activity_start_ts": datetime(2024, 12, 31, 23, 30),  # noqa: DTZ001 - plain, in UTC
            "state": "done",
            "reason": None,
            "original": "named",
            "child_activity_id": 9,
            "external_id": f"sdi-{ACTIVITY_ID}-{CHILD_ID}",
            "upload_id": 2**53 + 7,
            "attempts": 1,
            "file_format": "gpx",
            "points": 3600,
            "carried": ["heartrate", "power"],
            "trim_m": 200,
            "planned_at": datetime(2025, 1, 1, 2, 53, 20),  # noqa: DTZ001
            "updated_at": datetime(2025, 1, 1, 2, 53, 21),  # noqa: DTZ001
            "next_try_at": None,
            "year": 2024,
        }
    ]


def test_copies_of_one_activity_are_sorted_rows_of_one_object(
    copy_rows: CopyRows, ledger: CopyLedger, objects: FileObjects, held: Callable[..., Any]
) -> None:
    for activity_id, child_id in [(9, 5), (9, 4), (8, 6)]:
        ledger.plan(planned(activity_id, child_id))
    assert copy_rows.refresh(9) == 2
    copy_rows.refresh(8)
    assert [(row["parent_activity_id"], row["child_id"]) for row in held()] == [(8, 6), (9, 4), (9, 5)]
    assert list(objects.list("copies/")) == [KEY]


def test_refresh_writes_nothing_when_nothing_changed(copy_rows: CopyRows, ledger: CopyLedger, root: Path) -> None:
    ledger.plan(planned())
    copy_rows.refresh(ACTIVITY_ID)
    before = (root / KEY).stat().st_mtime_ns
    assert copy_rows.refresh(ACTIVITY_ID) == 0
    assert (root / KEY).stat().st_mtime_ns == before


def test_refresh_of_an_activity_without_copies_leaves_no_object(copy_rows: CopyRows, objects: FileObjects) -> None:
    assert copy_rows.refresh(1) == 0
    assert list(objects.list("")) == []


@pytest.mark.parametrize(
    ("start_epoch_s", "year"),
    [
        pytest.param(-14_182_940, 1969, id="before-1970"),
        pytest.param(253_402_300_799, 9999, id="far-future"),
        pytest.param(None, 2025, id="older-row-by-its-planning"),
    ],
)
def test_row_lies_in_the_year_of_the_activity(
    copy_rows: CopyRows, ledger: CopyLedger, objects: FileObjects, start_epoch_s: int | None, year: int
) -> None:
    ledger.plan(planned(activity_start_epoch_s=start_epoch_s))
    copy_rows.refresh(ACTIVITY_ID)
    assert list(objects.list("")) == [f"copies/year={year}/{PARENT_ID}.parquet"]


@pytest.mark.parametrize("state", CopyState)
def test_reason_is_told_except_strava_s_words_about_what_arrived(state: CopyState) -> None:
    row = row_of(planned(state=state, reason="duplicate of Evening run with Kim"))
    assert (row["reason"] is None) == (state in MADE_STATES)


def test_no_name_reaches_the_lake() -> None:
    assert "Rex" not in str(row_of(planned(matched="Rex")))
    assert set(row_of(planned())) == set(COPIES.names)


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
    objects: FileObjects, ledger: CopyLedger, copy_rows: CopyRows, held: Callable[..., Any]
) -> None:
    ledger.plan(planned())

    def overtake() -> None:
        finish(ledger)
        copy_rows.refresh(ACTIVITY_ID)

    CopyRows(Interrupted(objects, overtake), ledger, sleep=lambda _: None).refresh(ACTIVITY_ID)
    assert [row["state"] for row in held()] == ["done"]


def test_slow_writer_whose_object_looks_untouched_still_ends_with_the_newest_row(
    objects: FileObjects, ledger: CopyLedger, held: Callable[..., Any]
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
) -> None:
    ledger.plan(planned())

    def erase() -> None:
        forget(ACTIVITY_ID, CHILD_ID)
        copy_rows.remove_athlete(CHILD_ID, list(objects.list("copies/")))

    CopyRows(Interrupted(objects, erase), ledger, sleep=lambda _: None).refresh(ACTIVITY_ID)
    assert held() == []


def test_slow_writer_does_not_lose_another_activity_s_row(
    objects: FileObjects, ledger: CopyLedger, copy_rows: CopyRows, held: Callable[..., Any]
) -> None:
    ledger.plan(planned(1))
    ledger.plan(planned(2))
    CopyRows(Interrupted(objects, lambda: copy_rows.refresh(2)), ledger, sleep=lambda _: None).refresh(1)
    assert [row["parent_activity_id"] for row in held()] == [1, 2]


def test_many_workers_at_once_leave_what_the_ledger_says(
    objects: FileObjects, ledger: CopyLedger, held: Callable[..., Any]
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


def test_writer_that_never_gets_through_says_so(objects: FileObjects, ledger: CopyLedger) -> None:
    class Contended(Interrupted):
        def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
            raise ObjectConflict(key)

    ledger.plan(planned())
    with pytest.raises(ObjectConflict):
        CopyRows(Contended(objects, lambda: None), ledger, sleep=lambda _: None).refresh(ACTIVITY_ID)


def test_erased_child_leaves_only_the_others_rows(
    copy_rows: CopyRows,
    ledger: CopyLedger,
    forget: Callable[[int, int], None],
    held: Callable[..., Any],
    objects: FileObjects,
) -> None:
    other_parent = {"parent_id": 5, "activity_start_epoch_s": 0}
    for copy in (planned(1), planned(1, OTHER_CHILD_ID), planned(2, **other_parent), planned(3, 6, **other_parent)):
        ledger.plan(copy)
        copy_rows.refresh(copy.parent_activity_id)
    forget(1, CHILD_ID)
    forget(2, CHILD_ID)

    removed = copy_rows.remove_athlete(CHILD_ID, list(objects.list("copies/")))

    assert removed == 2
    assert [row["child_id"] for row in held()] == [OTHER_CHILD_ID]
    assert [row["child_id"] for row in held("copies/year=1970/5.parquet")] == [6]
    assert copy_rows.remove_athlete(CHILD_ID, list(objects.list("copies/"))) == 0


def test_erased_parent_leaves_no_object(copy_rows: CopyRows, ledger: CopyLedger, objects: FileObjects) -> None:
    for activity_id, start in ((1, 0), (2, 40_000_000), (3, 80_000_000)):
        ledger.plan(planned(activity_id, activity_start_epoch_s=start))
        copy_rows.refresh(activity_id)
    assert copy_rows.remove_athlete(PARENT_ID, list(objects.list("copies/"))) == 3
    assert list(objects.list("")) == []


def test_repair_brings_missing_old_and_superfluous_rows_into_agreement(
    copy_rows: CopyRows, ledger: CopyLedger, forget: Callable[[int, int], None], held: Callable[..., Any]
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
    copy_rows: CopyRows, ledger: CopyLedger, objects: FileObjects, held: Callable[..., Any]
) -> None:
    ledger.plan(planned())
    copy_rows.refresh(ACTIVITY_ID)
    [key] = objects.list("copies/")
    objects.put(key, b"no parquet", expected=Condition.ANYTHING)
    with pytest.raises(UnexpectedShape, match="strava_retention"):
        copy_rows.refresh(ACTIVITY_ID)
    assert copy_rows.repair([]) == 1
    assert [row["state"] for row in held()] == ["planned"]


def test_repair_finds_parents_whom_only_the_lake_knows(
    copy_rows: CopyRows, ledger: CopyLedger, forget: Callable[[int, int], None], objects: FileObjects
) -> None:
    ledger.plan(planned())
    copy_rows.refresh(ACTIVITY_ID)
    forget(ACTIVITY_ID, CHILD_ID)
    assert copy_rows.repair([]) == 1
    assert list(objects.list("")) == []


def test_repair_keeps_a_row_that_the_ledger_s_index_does_not_show_yet(
    objects: FileObjects, ledger: CopyLedger, copy_rows: CopyRows, held: Callable[..., Any], monkeypatch: Any
) -> None:
    ledger.plan(planned())
    copy_rows.refresh(ACTIVITY_ID)
    monkeypatch.setattr(ledger, "of_parent", lambda _parent_id: iter(()))
    copy_rows.repair([PARENT_ID])
    assert [row["state"] for row in held()] == ["planned"]
