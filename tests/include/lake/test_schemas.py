from __future__ import annotations

import re

import pyarrow as pa
import pytest

from include.lake.schemas import (
    GRAINS,
    NULLS,
    PARTITION_KEYS,
    SCHEMA_VERSION,
    SORT_KEYS,
    TABLES,
    TYPE_REASONS,
    schema_digest,
)

COLUMNS = [pytest.param(column, id=f"{table}.{column.name}") for table, schema in TABLES.items() for column in schema]

UNITS = {"_m": "m", "_s": "s", "_mps": "m/s", "_bpm": "1/min", "_rpm": "1/min", "_c": "degC", "_pct": "%", "watts": "W"}


@pytest.mark.parametrize("column", COLUMNS)
def test_column_says_what_it_means(column: pa.Field) -> None:
    assert len(column.metadata[b"description"]) > 3
    assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)


@pytest.mark.parametrize("column", COLUMNS)
def test_unit_of_a_number_is_in_its_name_and_its_metadata(column: pa.Field) -> None:
    expected = next((unit for suffix, unit in UNITS.items() if column.name.endswith(suffix)), None)
    if expected and not pa.types.is_boolean(column.type):
        assert column.metadata[b"unit"].decode() == expected


@pytest.mark.parametrize("column", COLUMNS)
def test_type_is_one_that_athena_reads(column: pa.Field) -> None:
    assert column.type in {
        pa.int32(),
        pa.int64(),
        pa.float32(),
        pa.float64(),
        pa.bool_(),
        pa.string(),
        pa.list_(pa.string()),
        pa.timestamp("ms"),
        pa.timestamp("ms", tz="UTC"),
    }


@pytest.mark.parametrize("column", COLUMNS)
def test_type_of_a_column_has_a_reason(column: pa.Field) -> None:
    assert column.type in TYPE_REASONS


def test_every_table_says_what_a_row_is_and_what_null_means() -> None:
    assert set(GRAINS) == set(NULLS) == set(PARTITION_KEYS) == set(SORT_KEYS) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_table_has_its_version_its_keys_and_no_partition_column(table: str) -> None:
    schema = TABLES[table]
    assert schema.metadata == {b"schema_version": SCHEMA_VERSION.encode()}
    assert set(SORT_KEYS[table]) <= set(schema.names)
    assert not set(PARTITION_KEYS[table]) & set(schema.names)
    assert len(set(schema.names)) == len(schema.names)


@pytest.mark.parametrize("table", TABLES)
def test_time_column_says_whose_time_it_is(table):
    """`ts` is the activity's own clock, `_at` when this system did something; `_s` counts seconds."""
    for column in TABLES[table]:
        words = column.name.split("_")
        assert pa.types.is_timestamp(column.type) == ("ts" in words or words[-1] == "at"), column.name
        unit = column.metadata.get(b"unit")
        assert (words[-1] == "s") == (unit == b"s"), column.name


def test_digest_is_another_one_exactly_when_a_column_or_a_key_is(monkeypatch: pytest.MonkeyPatch) -> None:
    first = schema_digest()
    assert first == schema_digest()
    streams = TABLES["streams"]
    for changed in (
        streams.append(pa.field("added", pa.int32())),
        streams.set(0, streams.field(0).with_type(pa.int32())),
        streams.set(0, streams.field(0).with_name("renamed")),
    ):
        monkeypatch.setitem(TABLES, "streams", changed)
        assert schema_digest() != first
    monkeypatch.setitem(TABLES, "streams", streams)
    assert schema_digest() == first
