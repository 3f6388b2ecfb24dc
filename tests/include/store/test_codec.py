"""Rows from dataclasses and back, by the types of their fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest

from include.errors import NewerVersion
from include.store.codec import FLAT, NOT_STORED, decode, encode, stored


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"

    @classmethod
    def _missing_(cls, value: object) -> Colour | None:
        return cls.RED if value == "scarlet" else None


@dataclass(frozen=True, slots=True)
class Size:
    width_m: int
    height_m: float = 1.5


@dataclass(frozen=True, slots=True)
class Owner:
    owner_id: int
    since_epoch_s: int = field(default=0, metadata=stored(older="made_at_epoch_s"))


@dataclass(frozen=True, slots=True)
class Kite:
    owner: Owner = field(metadata=FLAT)
    colour: Colour
    size: Size | None = None
    tails: tuple[str, ...] = ()
    colours: frozenset[Colour] = frozenset()
    knots: tuple[tuple[int, str], ...] = ()
    length_m: int | None = field(
        default=None, metadata=stored("line", read=lambda m: m or None, write=lambda m: m or 0)
    )
    version: int = field(default=0, metadata=NOT_STORED)


ROW: dict[str, Any] = {
    "owner_id": 7,
    "since_epoch_s": 9,
    "colour": "blue",
    "size": {"width_m": 2, "height_m": 0.5},
    "tails": ["a", "b"],
    "colours": ["blue", "red"],
    "knots": [[1, "x"]],
    "line": 30,
}
KITE = Kite(
    Owner(7, 9), Colour.BLUE, Size(2, 0.5), ("a", "b"), frozenset({Colour.RED, Colour.BLUE}), ((1, "x"),), 30, version=4
)


def test_value_is_written_as_json_values_and_read_again() -> None:
    assert encode(KITE) == ROW
    assert decode(Kite, ROW, version=4) == KITE


@pytest.mark.parametrize(
    ("attribute", "row"),
    [
        pytest.param("size", {"size": None}, id="none"),
        pytest.param("tails", {"tails": []}, id="empty tuple"),
        pytest.param("colours", {"colours": []}, id="empty set"),
        pytest.param("length_m", {"line": 0}, id="a form of its own"),
    ],
)
def test_empty_value_is_written_and_read_again(attribute: str, row: dict[str, Any]) -> None:
    kite = decode(Kite, ROW | row)

    assert not getattr(kite, attribute)
    assert encode(kite) == ROW | row


@pytest.mark.parametrize("missing", ["size", "tails", "colours", "knots", "line"])
def test_missing_field_has_its_default(missing: str) -> None:
    kite = decode(Kite, {name: value for name, value in ROW.items() if name != missing})

    assert encode(kite) == ROW | {missing: encode(Kite(Owner(7), Colour.RED))[missing]}


def test_missing_field_is_read_where_older_versions_have_it() -> None:
    older = {"owner_id": 7, "made_at_epoch_s": 5, "colour": "red"}

    assert decode(Kite, older).owner == Owner(7, 5)
    assert decode(Kite, older | {"since_epoch_s": 9}).owner == Owner(7, 9)


def test_field_without_default_must_be_there() -> None:
    with pytest.raises(TypeError, match="colour"):
        decode(Kite, {"owner_id": 7})


def test_name_of_an_older_version_is_read_as_todays() -> None:
    assert decode(Kite, ROW | {"colour": "scarlet"}).colour is Colour.RED


@pytest.mark.parametrize(
    ("row", "told"),
    [
        pytest.param({"colour": "green"}, "Colour is 'green'", id="member"),
        pytest.param({"colours": ["red", "green"]}, "Colour is 'green'", id="member of a set"),
        pytest.param({"size": {"width_m": 1, "depth_m": 3}}, "Size has depth_m", id="field of an object"),
    ],
)
def test_row_is_left_to_a_newer_version_that_alone_knows_what_is_in_it(row: dict[str, Any], told: str) -> None:
    with pytest.raises(NewerVersion, match=told):
        decode(Kite, ROW | row)


def test_field_of_the_row_that_this_version_does_not_know_is_passed_over() -> None:
    assert decode(Kite, ROW | {"bow": True}, version=4) == KITE
