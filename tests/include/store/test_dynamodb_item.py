"""How rows lie in DynamoDB."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from include.store.dynamodb_item import OWN, to_attributes, to_item
from include.store.store import Item, Key

KEY = Key("copies", "11", "22")
LONG = st.sampled_from([10**38 - 1, 10**38, -(10**38), 10**60])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | LONG | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(max_size=8) | st.sampled_from(sorted(OWN))
INDEXED = st.fixed_dictionaries(
    {},
    optional={
        "child_id": st.none() | st.integers(-(10**37), 10**37),
        "due": st.none() | st.text(min_size=1),
        "next_try_epoch_s": st.none() | st.integers(-(10**37), 10**37),
    },
)


def types(value: Any) -> Any:
    """The value with every leaf's type beside it, so that True is not 1 and 1 is not 1.0."""
    if isinstance(value, dict):
        return {name: types(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [types(inner) for inner in value]
    return type(value), value


@example(fields={"": 1, **dict.fromkeys(OWN, 2)}, indexed={}, expires=3)
@given(fields=st.dictionaries(NAMES, VALUES, max_size=6), indexed=INDEXED, expires=st.none() | st.integers(0, 2**40))
def test_row_comes_back_exactly(fields: dict[str, Any], indexed: dict[str, Any], expires: int | None) -> None:
    item = Item(KEY, {**fields, **indexed}, version=7, expires_at_epoch_s=expires)
    sent = json.loads(json.dumps(to_attributes(item, "w")))

    found = to_item("copies", sent)

    assert (found.key, found.version, found.expires_at_epoch_s) == (KEY, 7, expires)
    assert types(dict(found.fields)) == types({**fields, **indexed})


@example(fields={"points": 10**38, "rounds": -(10**38)})
@given(fields=st.dictionaries(NAMES, VALUES, max_size=6))
def test_every_attribute_is_one_that_dynamodb_takes(fields: dict[str, Any]) -> None:
    attributes = to_attributes(Item(KEY, fields, version=1), "w")

    assert all(name for name in attributes)
    for value in attributes.values():
        ((kind, text),) = value.items()
        assert isinstance(text, str)
        if kind == "N":
            assert abs(int(text)) < 10**38


def test_layout_is_the_documented_one() -> None:
    fields = {"child_id": 22, "due": "due", "next_try_epoch_s": None, "reason": "Zoë 🐕", "points": [1.5], "done": True}

    assert to_attributes(Item(KEY, fields, 3, expires_at_epoch_s=1_700_000_000), "w1") == {
        "partition": {"S": "11"},
        "sort": {"S": "22"},
        "version": {"N": "3"},
        "expires_at_epoch_s": {"N": "1700000000"},
        "write_id": {"S": "w1"},
        "child_id": {"N": "22"},
        "due": {"S": "due"},
        "fields": {"S": '{"next_try_epoch_s":null,"reason":"Zoë 🐕","points":[1.5],"done":true}'},
    }


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        pytest.param({"child_id": "22"}, "child_id of copies is a str, not int", id="text for a number"),
        pytest.param({"child_id": True}, "child_id of copies is a bool, not int", id="truth for a number"),
        pytest.param({"due": 1}, "due of copies is a int, not str", id="number for a text"),
        pytest.param({"next_try_epoch_s": 1.5}, "next_try_epoch_s of copies is a float, not int", id="fraction"),
    ],
)
def test_indexed_value_of_another_type_is_refused(fields: dict[str, Any], error: str) -> None:
    with pytest.raises(TypeError, match=error):
        to_attributes(Item(KEY, fields, 1), "w")


@pytest.mark.parametrize("value", [pytest.param(float(text), id=text) for text in ("nan", "inf", "-inf")])
def test_what_is_no_json_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        to_attributes(Item(KEY, {"n": value}, 1), "w")
