from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.errors import UnexpectedShape
from include.lake.encodings import Encodings
from include.lake.objects.files import FileObjects
from include.lake.rows.streams import streams_table
from include.lake.rows.synced import ActivityRows
from include.lake.schemas import STREAMS, TABLES
from include.lake.table_object import activity_ids, decode, encode, is_current, merge
from include.strava.models import StreamSet

MakeRows = Callable[..., ActivityRows]
MakeStreams = Callable[..., StreamSet]
KEY = "streams/athlete_id=7/year=2024/2024-05.parquet"


@pytest.mark.parametrize("table", ["streams", "activities", "laps"])
def test_rows_come_back_from_their_bytes(make_rows: MakeRows, table: str) -> None:
    rows = next(table_rows for key, table_rows in make_rows().tables() if key.startswith(table))
    key = next(key for key in make_rows().object_keys if key.startswith(table))
    again = decode(key, encode(rows))
    assert again.equals(rows)
    assert is_current(again, rows)


def test_same_rows_give_the_same_bytes_however_they_are_chunked(make_rows: MakeRows) -> None:
    first, second = make_rows(id=1).streams, make_rows(id=2).streams
    whole, _ = merge("streams", STREAMS.empty_table(), [1, 2], [second, first])
    grown, _ = merge("streams", first, [2], [second])
    assert encode(whole) == encode(grown)
    assert encode(whole) == encode(whole.combine_chunks())


def test_row_groups_are_full_and_the_same_however_the_rows_are_chunked(make_streams: MakeStreams) -> None:
    many = make_streams().channels | {"time": list(range(140_000))}
    rows = streams_table(1, StreamSet(many, b""), datetime(2024, 5, 1, tzinfo=UTC))
    body = encode(rows)

    metadata = pq.ParquetFile(pa.BufferReader(body)).metadata
    assert [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)] == [131_072, 8_928]
    assert encode(pa.concat_tables([rows.slice(0, 100_001), rows.slice(100_001)])) == body


ids = st.integers(min_value=1, max_value=9)


@settings(deadline=None)
@given(old=st.sets(ids), new=st.sets(ids), gone=st.sets(ids))
def test_merge_holds_each_activity_once_and_in_order(old: set[int], new: set[int], gone: set[int]) -> None:
    def rows_of(activity_id: int, watts: int) -> pa.Table:
        return streams_table(activity_id, StreamSet({"watts": [watts] * (activity_id % 3 + 1)}, b""), None)

    present = pa.concat_tables([STREAMS.empty_table(), *(rows_of(activity_id, 1) for activity_id in sorted(old))])
    arriving = [rows_of(activity_id, 2) for activity_id in sorted(new, reverse=True)]

    merged, replaced = merge("streams", present, new | gone, arriving)

    assert merged.schema.equals(STREAMS, check_metadata=True)
    assert merged.select(["activity_id", "point_index", "watts"]).to_pylist() == [
        {"activity_id": activity_id, "point_index": index, "watts": 2 if activity_id in new else 1}
        for activity_id in sorted(new | (old - gone))
        for index in range(activity_id % 3 + 1)
    ]
    assert replaced == sum(activity_id % 3 + 1 for activity_id in old & (new | gone))


def test_merge_replaces_only_the_named_activities_and_sorts(make_rows: MakeRows) -> None:
    old, _ = merge("streams", STREAMS.empty_table(), [1, 5], [make_rows(id=5).streams, make_rows(id=1).streams])
    new = make_rows(id=3).streams
    merged, replaced = merge("streams", old, [1, 3], [new])
    assert merged.select(["activity_id", "point_index"]).to_pylist() == [
        {"activity_id": activity_id, "point_index": index} for activity_id in (3, 5) for index in (0, 1, 2)
    ]
    assert replaced == 3


def test_decode_fills_a_column_that_an_older_object_lacks(make_rows: MakeRows) -> None:
    rows = make_rows().streams
    older = rows.drop_columns(["watts"]).replace_schema_metadata({"schema_version": "0"})
    sink = io.BytesIO()
    pq.write_table(older, sink)

    again = decode(KEY, sink.getvalue())

    assert again.schema.names == STREAMS.names
    assert again["watts"].to_pylist() == [None, None, None]
    assert again["lat"].equals(rows["lat"])
    assert not is_current(again, again), "an object of an older version is written anew"


@pytest.mark.parametrize(
    "body",
    [pytest.param(b"", id="empty"), pytest.param(b"PAR1 and then nothing", id="cut"), pytest.param(b"{}", id="json")],
)
def test_decode_names_the_object_when_it_is_broken(body: bytes) -> None:
    with pytest.raises(UnexpectedShape, match=KEY):
        decode(KEY, body)


def test_decode_names_the_object_when_a_column_has_another_type() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"activity_id": ["one"]}), sink)
    with pytest.raises(UnexpectedShape, match=KEY):
        decode(KEY, sink.getvalue())


def test_decode_takes_an_object_without_a_version_as_an_older_one(make_rows: MakeRows) -> None:
    rows, sink = make_rows().streams, io.BytesIO()
    pq.write_table(rows.replace_schema_metadata(None), sink)

    again = decode(KEY, sink.getvalue())

    assert again.equals(rows)
    assert again.schema.metadata == {b"schema_version": b""}
    assert not is_current(again, rows)


def test_decode_converts_a_column_that_an_older_object_has_in_a_narrower_type(make_rows: MakeRows) -> None:
    rows, sink = make_rows().streams, io.BytesIO()
    index = rows.schema.get_field_index("distance_m")
    older = rows.set_column(index, "distance_m", rows["distance_m"].cast(pa.float32())).drop_columns(["activity_id"])
    pq.write_table(older.append_column("activity_id", rows["activity_id"]), sink)

    again = decode(KEY, sink.getvalue())

    assert again.schema.equals(STREAMS)
    assert again["distance_m"].to_pylist() == pytest.approx(rows["distance_m"].to_pylist(), rel=1e-6)
    assert again.drop_columns(["distance_m"]).equals(rows.drop_columns(["distance_m"]))


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        pytest.param(KEY, "delete it and rebuild its rows from the raw zone: `make replay`", id="streams"),
        pytest.param("copies/year=2024/7.parquet", "`strava_retention` rebuilds its rows", id="copies"),
        pytest.param(
            "freshness/athlete_id=7/year=2024/freshness.parquet", "`strava_reconcile` rebuilds its rows", id="freshness"
        ),
    ],
)
def test_decode_says_what_makes_a_broken_object_whole(key: str, advice: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^{key} is not readable: .*; {advice}"):
        decode(key, b"no parquet")


@pytest.mark.parametrize("ids", [[], [5], [1, 5, 2**53 + 1]])
def test_activities_of_an_object_are_those_that_have_rows_in_it(make_rows: MakeRows, ids: list[int]) -> None:
    rows, _ = merge("streams", STREAMS.empty_table(), ids, [make_rows(id=each).streams for each in ids])
    assert activity_ids(KEY, encode(rows)) == set(ids)


def test_activities_of_an_object_are_told_whatever_its_other_columns_are(make_rows: MakeRows) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"watts": ["many", "few"], "activity_id": pa.array([9, 8], pa.int64())}), sink)
    assert activity_ids(KEY, sink.getvalue()) == {8, 9}


def test_activities_of_an_object_cannot_be_told_when_it_is_no_table_of_activities() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"month": [5]}), sink)
    for body in (b"no parquet", b"", sink.getvalue()):
        with pytest.raises(
            UnexpectedShape, match=f"(?s)^{KEY} is not readable: .*; delete it and rebuild .*make replay"
        ):
            activity_ids(KEY, body)


def test_encodings_are_those_that_every_reader_knows(make_rows: MakeRows) -> None:
    metadata = pq.ParquetFile(pa.BufferReader(encode(make_rows().streams))).metadata
    group = metadata.row_group(0)
    for index in range(group.num_columns):
        column = group.column(index)
        assert column.compression == "ZSTD"
        assert set(column.encodings) <= {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY"}


@pytest.mark.parametrize(
    ("column", "has_dictionary"),
    [
        *(pytest.param(name, False, id=name) for name in ("point_index", "time_s", "ts", "lat", "lon", "distance_m")),
        *(pytest.param(name, True, id=name) for name in ("activity_id", "heartrate_bpm", "watts", "altitude_m")),
    ],
)
def test_column_has_a_dictionary_unless_its_values_hardly_repeat(
    make_rows: MakeRows, column: str, has_dictionary: bool
) -> None:
    rows = make_rows().streams
    group = pq.ParquetFile(pa.BufferReader(encode(rows))).metadata.row_group(0)
    assert group.column(rows.schema.get_field_index(column)).has_dictionary_page is has_dictionary


def test_encodings_beyond_the_safe_ones_are_used_where_they_are_allowed(make_rows: MakeRows) -> None:
    rows = make_rows()

    group = pq.ParquetFile(pa.BufferReader(encode(rows.streams, Encodings.ALL))).metadata.row_group(0)
    used = {group.column(index).path_in_schema: group.column(index).encodings for index in range(group.num_columns)}
    assert "DELTA_BINARY_PACKED" in used["ts"]
    assert "BYTE_STREAM_SPLIT" in used["lat"]
    assert encode(rows.activity, Encodings.ALL) == encode(rows.activity)


def test_other_readers_read_the_same_values_whatever_the_encodings(make_rows: MakeRows) -> None:
    rows = make_rows().streams
    body = io.BytesIO(encode(rows, Encodings.ALL))

    assert decode(KEY, body.getvalue()).equals(rows)
    assert polars.read_parquet(body).rows() == polars.from_arrow(rows).rows()
    with duckdb.connect() as connection, tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(body.getvalue())
        file.flush()
        assert connection.read_parquet(file.name).to_arrow_table().cast(rows.schema).equals(rows)


POLARS_TYPES = {
    pa.int32(): polars.Int32(),
    pa.int64(): polars.Int64(),
    pa.float32(): polars.Float32(),
    pa.float64(): polars.Float64(),
    pa.bool_(): polars.Boolean(),
    pa.string(): polars.String(),
    pa.list_(pa.string()): polars.List(polars.String()),
    pa.timestamp("ms"): polars.Datetime("ms"),
    pa.timestamp("ms", tz="UTC"): polars.Datetime("ms", "UTC"),
}
DUCKDB_TYPES = {
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.string(): "VARCHAR",
    pa.list_(pa.string()): "VARCHAR[]",
    pa.timestamp("ms"): "TIMESTAMP",
    pa.timestamp("ms", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
}


def plain(value: object) -> object:
    """A value as every reader shows it: instants without their zone, which some readers drop."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


@pytest.mark.parametrize("table", TABLES)
def test_pyarrow_duckdb_and_polars_read_the_same_values_and_types(
    fill_lake: Callable[[], None], objects: FileObjects, table: str
) -> None:
    fill_lake()
    seen = 0
    for key in objects.list(f"{table}/"):
        path = objects.url(key)
        by_pyarrow = pq.read_table(path, partitioning=None)
        names = by_pyarrow.column_names
        assert by_pyarrow.schema.equals(TABLES[table])
        expected = [[plain(value) for value in row.values()] for row in by_pyarrow.to_pylist()]
        by_polars = polars.read_parquet(path, hive_partitioning=False)
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            relation = connection.read_parquet(path, hive_partitioning=False)
            assert relation.columns == by_polars.columns == names
            assert list(map(str, relation.types)) == [DUCKDB_TYPES[column.type] for column in TABLES[table]]
            assert [[plain(value) for value in row] for row in relation.fetchall()] == expected
        assert by_polars.dtypes == [POLARS_TYPES[column.type] for column in TABLES[table]]
        assert [[plain(value) for value in row] for row in by_polars.rows()] == expected
        seen += len(expected)
    assert seen > 0
