"""How the rows of each table are stored: today's form, literally, and with anything missing that has a default."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import NewerVersion
from include.state.erasures.entry import Erasure, ErasureStage
from include.state.links import CopyOptions, Link
from include.state.listings import MonthShown
from include.store.codec import decode, encode
from tests.include.state.stored_rows import ROWS, STORED_OPTIONS

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DRAWN: dict[Any, st.SearchStrategy[Any]] = {
    float: FLOATS,
    float | None: st.none() | FLOATS,
    MonthShown | None: st.none() | st.builds(MonthShown, st.integers(), FLOATS),
    CopyOptions: st.builds(CopyOptions, trim_m=st.none() | st.integers(0, 2000), sports=st.lists(st.text()).map(tuple)),
}
"""What the type alone says too little of."""


def drawn(row_type: type) -> st.SearchStrategy[Any]:
    """Any value of the type, every field of it drawn."""
    hints = get_type_hints(row_type)
    return st.builds(row_type, **{name: DRAWN.get(hint, st.from_type(hint)) for name, hint in hints.items()})


def read(row_type: type, row: dict[str, Any]) -> Any:
    """The value in the row; what is not among its fields is 1."""
    missing = {each.name: 1 for each in fields(row_type) if "is_stored" in each.metadata}
    return decode(row_type, row, **missing)


def test_every_type_that_a_row_is_read_as_is_among_them() -> None:
    sources = [path.read_text() for path in (Path(__file__).parents[3] / "include" / "state").rglob("*.py")]
    read_as = {name for source in sources for name in re.findall(r"\bdecode\((\w+), ", source)}

    assert read_as - {"cls"} <= {row_type.__name__ for row_type in ROWS}


@pytest.mark.parametrize(("row_type", "row"), ROWS.items())
def test_row_of_today_is_stored_again_as_it_was_read(row_type: type, row: dict[str, Any]) -> None:
    assert encode(read(row_type, row)) == row


@pytest.mark.parametrize("row_type", ROWS)
@given(data=st.data())
def test_any_value_is_read_as_it_was_stored(row_type: type, data: st.DataObject) -> None:
    value = data.draw(drawn(row_type))
    not_stored = {each.name: getattr(value, each.name) for each in fields(row_type) if "is_stored" in each.metadata}

    assert decode(row_type, json.loads(json.dumps(encode(value))), **not_stored) == value


@pytest.mark.parametrize(
    ("row_type", "row", "attribute"),
    [
        pytest.param(row_type, row, each, id=f"{row_type.__name__}.{each.name}")
        for row_type, row in ROWS.items()
        for each in fields(row_type)
        if (each.metadata.get("name") or each.name) in row
    ],
)
def test_field_that_an_older_version_did_not_write_has_its_default(
    row_type: type, row: dict[str, Any], attribute: Field[Any]
) -> None:
    name, older = attribute.metadata.get("name") or attribute.name, attribute.metadata.get("older")
    lacking = {each: row[each] for each in row.keys() - {name}}
    default = attribute.default if attribute.default_factory is MISSING else attribute.default_factory()

    if older in row:
        assert read(row_type, lacking) == replace(read(row_type, row), **{attribute.name: row[older]})
    elif default is MISSING:
        with pytest.raises(TypeError, match=attribute.name):
            read(row_type, lacking)
    else:
        assert read(row_type, lacking) == replace(read(row_type, row), **{attribute.name: default})


def test_wish_of_an_older_version_was_uttered_when_the_erasure_began() -> None:
    lacking = {name: ROWS[Erasure][name] for name in ROWS[Erasure].keys() - {"asked_at_epoch_s"}}

    assert decode(Erasure, lacking).grounds.asked_at_epoch_s == ROWS[Erasure]["began_at_epoch_s"]


def test_stage_of_an_older_version_is_read_as_withdrawn() -> None:
    assert decode(Erasure, ROWS[Erasure] | {"stage": "lifted"}).stage is ErasureStage.WITHDRAWN


def test_link_with_a_choice_that_only_a_newer_version_knows_is_left_to_it() -> None:
    with pytest.raises(NewerVersion, match="CopyOptions has cadence"):
        decode(Link, ROWS[Link] | {"carried": STORED_OPTIONS | {"cadence": False}})
