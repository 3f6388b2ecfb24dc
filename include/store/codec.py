"""Converts frozen dataclasses to the fields of a row, and back.

Shape: plain values are stored as they are, an enumeration by its value, a tuple or a set as a list, another dataclass
as an object. A field is stored under its own name, unless `stored` gives it another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from include.errors import NewerVersion

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")
Convert = Callable[[Any], Any]

_JSON = frozenset({str, int, float, bool, NoneType})

NOT_STORED: Mapping[str, Any] = {"is_stored": False}
"""Metadata of a field that is not stored in the row's fields, such as the version."""

FLAT: Mapping[str, Any] = {"is_flat": True}
"""Metadata of a field that holds another dataclass, whose fields are stored among the row's own."""


def stored(
    name: str = "", *, older: str = "", read: Convert | None = None, write: Convert | None = None
) -> Mapping[str, Any]:
    """Metadata of a field that is stored under another `name`, or in a form of its own.

    `older` names the field that holds it in rows of an older version. `read` and `write` replace the conversion that
    the field's type implies.
    """
    return {"name": name, "older": older, "read": read, "write": write}


def encode(value: DataclassInstance) -> dict[str, Any]:
    """The value as the fields of a row: JSON values."""
    row: dict[str, Any] = {}
    for column in _columns(type(value)):
        part = getattr(value, column.attribute)
        if column.is_flat:
            row |= encode(part)
        else:
            row[column.name] = column.write(part)
    return row


def decode(row_type: type[Row], row: Mapping[str, Any], **not_stored: Any) -> Row:
    """The value of a row; `not_stored` gives the fields that the row does not hold.

    A missing field, in a row of an older version, has its default. An unknown field is ignored.
    Errors: `NewerVersion` for an unknown member of an enumeration, or an unknown field of an object within the row;
    `TypeError` for a missing field without a default.
    """
    values = dict(not_stored)
    for column in _columns(row_type):
        if column.is_flat:
            values[column.attribute] = column.read(row)
        elif column.name in row:
            values[column.attribute] = column.read(row[column.name])
        elif column.older in row:
            values[column.attribute] = column.read(row[column.older])
    return row_type(**values)


@dataclass(frozen=True, slots=True)
class _Column:
    attribute: str
    name: str
    older: str
    read: Convert
    write: Convert
    is_flat: bool


@cache
def _columns(row_type: type) -> tuple[_Column, ...]:
    return tuple(_columns_of(row_type))


def _columns_of(row_type: Any) -> Iterator[_Column]:
    hints = get_type_hints(row_type)
    for field in fields(row_type):
        kept, hint = field.metadata, hints[field.name]
        name = kept.get("name") or field.name
        is_flat = kept.get("is_flat", False)
        read = kept.get("read") or (partial(decode, hint) if is_flat else _reader(hint))
        if kept.get("is_stored", True):
            yield _Column(field.name, name, kept.get("older", ""), read, kept.get("write") or _plain, is_flat)


def _plain(value: Any) -> Any:
    """The value as a JSON value."""
    if type(value) in _JSON:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(_plain(each) for each in value)
    return encode(value)


def _reader(hint: Any) -> Convert:
    """The conversion of a JSON value to that type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        read = _reader(next(each for each in arguments if each is not NoneType))
        return lambda value: None if value is None else read(value)
    if origin is frozenset or (origin is tuple and arguments[-1] is Ellipsis):
        read = _reader(arguments[0])
        return lambda values: origin(map(read, values))
    if origin is tuple:
        return tuple
    if isinstance(hint, type) and issubclass(hint, Enum):
        return partial(_member, hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return partial(_object, hint)
    return lambda value: value


def _member(members: type[Enum], value: Any) -> Enum:
    try:
        return members(value)
    except ValueError:
        raise _newer(f"{members.__name__} is {value!r}") from None


def _object(object_type: type[Row], row: Mapping[str, Any]) -> Row:
    """The object; an unknown field is an error, because writing the row back would drop a person's choice."""
    unknown = row.keys() - {column.name for column in _columns(object_type)}
    if unknown:
        raise _newer(f"{object_type.__name__} has {', '.join(sorted(unknown))}")
    return decode(object_type, row)


def _newer(what: str) -> NewerVersion:
    return NewerVersion(
        f"A row's {what}, which only a newer version knows; nothing was changed. "
        "Deploy that version everywhere; then the work continues automatically."
    )
