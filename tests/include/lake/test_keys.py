from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import BadKey
from include.lake import keys
from include.state.partitions import Partition

KeyMaker = Callable[[int, datetime], str]

instants = st.datetimes(
    min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=st.timezones()  # noqa: DTZ001 - the strategy adds the zone
)  # fmt: skip


def test_keys_are_hive_paths() -> None:
    start_at = datetime(2024, 5, 31, tzinfo=UTC)
    assert keys.streams_key(7, start_at) == "streams/athlete_id=7/year=2024/2024-05.parquet"
    assert keys.activities_key(7, start_at) == "activities/athlete_id=7/year=2024/activities.parquet"
    assert keys.laps_key(7, start_at) == "laps/athlete_id=7/year=2024/laps.parquet"
    assert keys.copies_key(7, start_at) == "copies/year=2024/7.parquet"
    assert keys.raw_detail_key(7, 8) == "raw/athlete_id=7/8.detail.json.gz"
    assert keys.freshness_key(7, 2024) == "freshness/athlete_id=7/year=2024/freshness.parquet"
    assert keys.raw_streams_key(7, 8) == "raw/athlete_id=7/8.streams.json.gz"
    assert keys.raw_odd_key(7, 8) == "raw/athlete_id=7/8.odd.json.gz"
    assert keys.gpx_key(7, 8, 9) == "gpx/athlete_id=7/8-9.gpx.gz"
    assert keys.tcx_key(7, 8, 9) == "gpx/athlete_id=7/8-9.tcx.gz"


@pytest.mark.parametrize(
    ("start_at", "expected"),
    [
        pytest.param(datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC), "year=2024/2024-12", id="last-second-of-a-year"),
        pytest.param(datetime(2025, 1, 1, tzinfo=UTC), "year=2025/2025-01", id="first-second-of-a-year"),
        pytest.param(
            datetime(2025, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "year=2024/2024-12", id="other-offset"
        ),
        pytest.param(datetime(1969, 7, 20, tzinfo=UTC), "year=1969/1969-07", id="before-1970"),
        pytest.param(datetime(987, 7, 3, tzinfo=UTC), "year=987/0987-07", id="three-digit-year"),
        pytest.param(datetime(9999, 12, 31, tzinfo=UTC), "year=9999/9999-12", id="far-future"),
    ],
)
def test_streams_key_takes_month_and_year_of_the_utc_start(start_at: datetime, expected: str) -> None:
    assert keys.streams_key(1, start_at) == f"streams/athlete_id=1/{expected}.parquet"


@pytest.mark.parametrize(
    ("make", "table"),
    [
        pytest.param(keys.streams_key, "streams", id="streams"),
        pytest.param(keys.activities_key, "activities", id="activities"),
        pytest.param(keys.laps_key, "laps", id="laps"),
    ],
)
@given(athlete_id=st.integers(1, 2**63 - 1), start_at=instants)
def test_partition_of_a_key_is_what_the_key_was_made_of(
    make: KeyMaker, table: str, athlete_id: int, start_at: datetime
) -> None:
    key = make(athlete_id, start_at)
    assert keys.partition_of(key) == Partition(table, athlete_id, start_at.astimezone(UTC).year)
    assert keys.check_key(key) == key


@given(parent_id=st.integers(1, 2**63 - 1), start_at=instants)
def test_copies_key_tells_its_partition_and_its_parent(parent_id: int, start_at: datetime) -> None:
    key = keys.copies_key(parent_id, start_at)
    assert keys.partition_of(key) == Partition("copies", None, start_at.astimezone(UTC).year)
    assert keys.parent_of_copies(key) == parent_id
    assert keys.check_key(key) == key


@pytest.mark.parametrize(
    ("key", "partition", "prefix"),
    [
        pytest.param(
            "streams/athlete_id=7/year=2024/2024-12.parquet",
            Partition("streams", 7, 2024),
            "streams/athlete_id=7/year=2024/",
            id="streams",
        ),
        pytest.param(
            "streams/athlete_id=7/year=987/0987-01.parquet",
            Partition("streams", 7, 987),
            "streams/athlete_id=7/year=987/",
            id="three-digit-year",
        ),
        pytest.param(
            "freshness/athlete_id=7/year=2024/freshness.parquet",
            Partition("freshness", 7, 2024),
            "freshness/athlete_id=7/year=2024/",
            id="freshness",
        ),
        pytest.param("copies/year=2024/5.parquet", Partition("copies", None, 2024), "copies/year=2024/", id="copies"),
    ],
)
def test_object_lies_below_the_prefix_of_its_partition(key: str, partition: Partition, prefix: str) -> None:
    assert keys.partition_of(key) == partition
    assert keys.partition_prefix(partition) == prefix
    assert keys.check_key(key) == key


@pytest.mark.parametrize("key", ["", "copies/year=2024/7.json", "laps/athlete_id=7/year=2024/laps.parquet"])
def test_parent_of_copies_refuses_what_is_no_object_of_copies(key: str) -> None:
    with pytest.raises(BadKey):
        keys.parent_of_copies(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "copies/athlete_id=7/year=2024/copies.parquet",
        "copies/year=2024/copies.parquet",
        "streams",
        "raw/athlete_id=7/8.detail.json.gz",
        "streams/athlete_id=7/year=2024/2023-05.parquet",
        "streams/athlete_id=7/year=2024/2024-13.parquet",
        "streams/athlete_id=7/year=2024/2024-00.parquet",
        "streams/athlete_id=7/year=2024/activities.parquet",
        "streams/athlete_id=7/year=202/2024-05.parquet",
        "activities/athlete_id=7/year=2024/2024-05.parquet",
        "laps/athlete_id=7/year=2024/activities.parquet",
        "streams/athlete_id=-7/year=2024/2024-05.parquet",
        "streams/athlete_id=7/year=2024/2024-05.parquet\n",
        "../streams/athlete_id=7/year=2024/2024-05.parquet",
    ],
)
def test_partition_of_refuses_what_is_no_table_object(key: str) -> None:
    with pytest.raises(BadKey):
        keys.partition_of(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "a/../b",
        "..",
        "a//b",
        "a/",
        ".writing/00.lock",
        "a/.b",
        "a\\b",
        "a\x00b",
        "a b",
        "a\n",
        "é",
    ],
)
def test_check_key_refuses_what_leaves_the_tree_or_bends(key: str) -> None:
    with pytest.raises(BadKey):
        keys.check_key(key)


def test_athlete_prefixes_cover_every_kind_of_key() -> None:
    start_at = datetime(2024, 5, 31, tzinfo=UTC)
    made = {
        keys.streams_key(7, start_at),
        keys.activities_key(7, start_at),
        keys.laps_key(7, start_at),
        keys.freshness_key(7, 2024),
        keys.raw_detail_key(7, 8),
        keys.raw_streams_key(7, 8),
        keys.raw_odd_key(7, 8),
        keys.gpx_key(7, 8, 9),
        keys.tcx_key(7, 8, 9),
    }
    prefixes = keys.athlete_prefixes(7)
    assert all(key.startswith(prefixes) for key in made)
    assert not keys.raw_detail_key(71, 8).startswith(prefixes)
