"""What `copies` holds of each copy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.lake.keys import copies_key
from include.lake.objects.files import FileObjects
from include.lake.query import query
from include.lake.rows.copies import CopyRows, row_of
from include.lake.schemas import COPIES
from include.lake.table_object import decode, encode
from include.state.copies.ledger import MADE_STATES, CopyLedger, CopyState

PARENT_ID, CHILD_ID, OTHER_CHILD_ID = 2**53 + 1, 2**53 + 3, 72
ACTIVITY_ID = 2**53 + 5
START = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)
KEY = copies_key(PARENT_ID, START)


def test_refreshed_copy_is_a_row_with_everything_the_ledger_knows(
    copy_rows: CopyRows, ledger: CopyLedger, lake_url: str, planned: Callable[..., Any], finish: Callable[..., Any]
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
    copy_rows: CopyRows, ledger: CopyLedger, objects: FileObjects, held: Callable[..., Any], planned: Callable[..., Any]
) -> None:
    for activity_id, child_id in [(9, 5), (9, 4), (8, 6)]:
        ledger.plan(planned(activity_id, child_id))
    assert copy_rows.refresh(9) == 2
    copy_rows.refresh(8)
    assert [(row["parent_activity_id"], row["child_id"]) for row in held()] == [(8, 6), (9, 4), (9, 5)]
    assert list(objects.list("copies/")) == [KEY]


def test_refresh_writes_nothing_when_nothing_changed(
    copy_rows: CopyRows, ledger: CopyLedger, root: Path, planned: Callable[..., Any]
) -> None:
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
    copy_rows: CopyRows,
    ledger: CopyLedger,
    objects: FileObjects,
    start_epoch_s: int | None,
    year: int,
    planned: Callable[..., Any],
) -> None:
    ledger.plan(planned(activity_start_epoch_s=start_epoch_s))
    copy_rows.refresh(ACTIVITY_ID)
    assert list(objects.list("")) == [f"copies/year={year}/{PARENT_ID}.parquet"]


@pytest.mark.parametrize("state", CopyState)
def test_reason_is_told_except_strava_s_words_about_what_arrived(state: CopyState, planned: Callable[..., Any]) -> None:
    row = row_of(planned(state=state, reason="duplicate of Evening run with Kim"))
    assert (row["reason"] is None) == (state in MADE_STATES)


def test_columns_of_the_file_are_those_that_are_null_until_it_is_made(planned: Callable[..., Any]) -> None:
    made = planned(file_format="tcx", points=0, carried=(), trim_m=0)
    before, since = row_of(planned()), row_of(made)

    filled = {name for name in before if before[name] is None and since[name] is not None}

    assert (since["points"], since["carried"], since["trim_m"]) == (0, [], 0)
    assert filled == {column.name for column in COPIES if column.metadata.get(b"null") == b"before a file was made"}


def test_no_name_reaches_the_lake(planned: Callable[..., Any]) -> None:
    assert "Rex" not in str(row_of(planned(matched="Rex")))
    assert set(row_of(planned())) == set(COPIES.names)


def test_erased_child_leaves_only_the_others_rows(
    copy_rows: CopyRows,
    ledger: CopyLedger,
    forget: Callable[[int, int], None],
    held: Callable[..., Any],
    objects: FileObjects,
    planned: Callable[..., Any],
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


def test_erasure_leaves_every_byte_of_an_object_without_the_athletes_rows(
    copy_rows: CopyRows, ledger: CopyLedger, objects: FileObjects, planned: Callable[..., Any]
) -> None:
    ledger.plan(planned())
    copy_rows.refresh(ACTIVITY_ID)
    stored = objects.get(KEY)
    assert stored
    of_an_older_version = decode(KEY, stored.body).replace_schema_metadata({"schema_version": "0"})
    objects.put(KEY, encode(of_an_older_version), expected=stored.etag)
    before = objects.get(KEY)

    assert copy_rows.remove_athlete(OTHER_CHILD_ID, [KEY, "copies/year=1970/5.parquet"]) == 0
    assert objects.get(KEY) == before
    assert list(objects.list("")) == [KEY]


def test_erased_parent_leaves_no_object(
    copy_rows: CopyRows, ledger: CopyLedger, objects: FileObjects, planned: Callable[..., Any]
) -> None:
    for activity_id, start in ((1, 0), (2, 40_000_000), (3, 80_000_000)):
        ledger.plan(planned(activity_id, activity_start_epoch_s=start))
        copy_rows.refresh(activity_id)
    assert copy_rows.remove_athlete(PARENT_ID, list(objects.list("copies/"))) == 3
    assert list(objects.list("")) == []
