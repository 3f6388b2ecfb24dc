from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.lake.rows.cells import epoch_ms, to_cell, to_column
from include.lake.schemas import TABLES

KINDS = sorted(
    {column.type for schema in TABLES.values() for column in schema if not pa.types.is_list(column.type)}, key=str
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=3), values, max_size=3),
    max_leaves=5,
)
INSTANT, WALL_CLOCK = pa.timestamp("ms", tz="UTC"), pa.timestamp("ms")


@pytest.mark.parametrize("kind", [pytest.param(kind, id=str(kind)) for kind in KINDS])
@given(value=json_values)
def test_any_json_value_becomes_a_cell_that_arrow_takes(kind: pa.DataType, value: Any) -> None:
    assert len(pa.array([to_cell(value, kind)], type=kind)) == 1


@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        pytest.param(None, pa.int32(), None, id="null"),
        pytest.param(2**31 - 1, pa.int32(), 2**31 - 1, id="largest-int32"),
        pytest.param(2**31, pa.int32(), None, id="above-int32"),
        pytest.param(-(2**31), pa.int32(), -(2**31), id="smallest-int32"),
        pytest.param(2**63 - 1, pa.int64(), 2**63 - 1, id="largest-int64"),
        pytest.param(123456789012345678901, pa.int64(), None, id="21-digits"),
        pytest.param(120.0, pa.int32(), 120, id="integral-float"),
        pytest.param(120.6, pa.int32(), 121, id="float-is-rounded-not-cut"),
        pytest.param(float("nan"), pa.int32(), None, id="nan-in-int"),
        pytest.param(float("inf"), pa.float64(), None, id="infinity"),
        pytest.param(10**400, pa.float64(), None, id="int-beyond-float"),
        pytest.param(1e39, pa.float32(), None, id="beyond-float32"),
        pytest.param(1e39, pa.float64(), 1e39, id="fits-float64"),
        pytest.param(3.4028234663852886e38, pa.float32(), 3.4028234663852886e38, id="largest-float32"),
        pytest.param(-3.4028234663852886e38, pa.float32(), -3.4028234663852886e38, id="smallest-float32"),
        pytest.param(True, pa.bool_(), True, id="flag"),
        pytest.param(False, pa.bool_(), False, id="flag-that-is-down"),
        pytest.param(True, pa.int32(), None, id="flag-is-no-number"),
        pytest.param(True, pa.float64(), None, id="flag-is-no-float"),
        pytest.param(1, pa.bool_(), None, id="number-is-no-flag"),
        pytest.param("12", pa.int32(), None, id="text-is-no-number"),
        pytest.param(12, pa.string(), None, id="number-is-no-text"),
        pytest.param("", pa.string(), "", id="empty-text"),
        pytest.param("\ud800", pa.string(), None, id="lone-surrogate"),
        pytest.param("🏃 Zürich", pa.string(), "🏃 Zürich", id="unicode"),
        pytest.param("1969-12-31T23:59:59Z", INSTANT, -1000, id="before-1970"),
        pytest.param("2024-05-01T02:00:00+02:00", INSTANT, 1714521600000, id="offset"),
        pytest.param("2024-05-01T00:00:00", INSTANT, None, id="instant-without-zone"),
        pytest.param("2024-05-01T02:00:00Z", WALL_CLOCK, 1714528800000, id="false-zone-of-a-wall-clock"),
        pytest.param("2024-05-01T02:00:00-07:00", WALL_CLOCK, 1714528800000, id="offset-of-a-wall-clock"),
        pytest.param("2024-05-01T02:00:00", WALL_CLOCK, 1714528800000, id="wall-clock-without-zone"),
        pytest.param("9999-12-31T23:59:59Z", WALL_CLOCK, 253402300799000, id="far-future"),
        pytest.param("yesterday", INSTANT, None, id="no-date"),
        pytest.param(1714521600, INSTANT, None, id="number-is-no-date"),
        pytest.param([1], pa.int32(), None, id="list"),
        pytest.param({}, pa.string(), None, id="object"),
    ],
)
def test_cell_is_the_value_or_null_when_it_does_not_fit(value: Any, kind: pa.DataType, cell: Any) -> None:
    got = to_cell(value, kind)
    assert got == cell
    assert type(got) is type(cell)


def test_column_keeps_the_good_cells_when_some_do_not_fit() -> None:
    assert to_column([1, "x", None, 2**40, 4], pa.int32()).to_pylist() == [1, None, None, None, 4]


@pytest.mark.parametrize("values", [[], [None], ["odd", {}], [1]])
def test_column_has_its_type_whatever_is_in_it(values: list[Any]) -> None:
    assert to_column(values, pa.float32()).type == pa.float32()


def test_epoch_ms_is_exact_far_from_1970() -> None:
    assert epoch_ms(datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)) == 253402300799999
    assert epoch_ms(datetime(1, 1, 1, tzinfo=UTC)) == -62135596800000
