"""The DynamoDB item of a row.

Every table has the partition key `partition` and the sort key `sort`, both text. Beside them an item has

- `version`, a number;
- `expires_at_epoch_s`, a number, where the row expires: the attribute by which DynamoDB deletes, in its own time;
- `write_id`, a text that is new with every write: by it a writer recognises its own write when the answer was lost
  and the request was sent twice;
- one attribute for each field that DynamoDB has to see, under the field's own name: every integer is a number, so that
  it can be counted in place, and every indexed text is a text, so that the index finds it;
- `fields`, a text: all other fields as one JSON object, which brings floats, None, booleans, lists, objects,
  empty texts and any Unicode back exactly as they were.

An integer that DynamoDB cannot hold exactly (more than 38 digits) is in `fields` too, and so is a field whose name is
empty or one of the six above.
Source: DynamoDB Developer Guide, "Naming rules and data types" and "Constraints".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from include.store.store import TABLES, Item, Key

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Attributes = Mapping[str, AttributeValueTypeDef]
    """An item as DynamoDB's API writes it: `{"version": {"N": "7"}}`."""

OWN = frozenset({"partition", "sort", "version", "expires_at_epoch_s", "write_id", "fields"})
"""The attributes that are not fields of the row; a counter may not have one of these names."""

_BEYOND_NUMBERS = 10**38


def attribute(value: str | int | float) -> AttributeValueTypeDef:
    """One text or number as DynamoDB's API writes it."""
    return {"S": value} if isinstance(value, str) else {"N": repr(value)}


def key_attributes(key: Key) -> dict[str, AttributeValueTypeDef]:
    """The key of a row's item."""
    return {"partition": attribute(key.partition), "sort": attribute(key.sort)}


def to_attributes(item: Item, write_id: str) -> Attributes:
    """The whole item of a row.

    Errors: `TypeError` when an indexed field has a value of another type than the index declares; `ValueError` for
    NaN and infinity, which are not JSON.
    """
    indexed = _indexed(item.key.table)
    apart: dict[str, AttributeValueTypeDef] = {}
    rest = {}
    for name, value in item.fields.items():
        if name in indexed and value is not None and type(value) is not indexed[name]:
            raise TypeError(f"{name} of {item.key.table} is a {type(value).__name__}, not {indexed[name].__name__}")
        if _stands_apart(name, value, indexed):
            apart[name] = attribute(value)
        else:
            rest[name] = value
    own = key_attributes(item.key) | {
        "version": attribute(item.version),
        "write_id": attribute(write_id),
        "fields": attribute(_json(rest)),
    }
    if item.expires_at_epoch_s is not None:
        own["expires_at_epoch_s"] = attribute(item.expires_at_epoch_s)
    return apart | own


def to_item(table: str, attributes: Attributes) -> Item:
    """The row of an item."""
    own = {name: value.get("S", value.get("N")) for name, value in attributes.items() if name in OWN}
    apart = {
        name: int(value["N"]) if "N" in value else value["S"] for name, value in attributes.items() if name not in OWN
    }
    expires = own.get("expires_at_epoch_s")
    return Item(
        key=Key(table, str(own["partition"]), str(own["sort"])),
        # A row that began with a counter has no `fields` yet.
        fields={**json.loads(own.get("fields") or "{}"), **apart},
        version=int(str(own["version"])),
        expires_at_epoch_s=None if expires is None else int(expires),
    )


def _indexed(table: str) -> Mapping[str, type]:
    types: dict[str, type] = {}
    for index in TABLES[table].indexes.values():
        types[index.field] = index.field_type
        if index.sort_field is not None:
            types[index.sort_field] = int
    return types


def _stands_apart(name: str, value: Any, indexed: Mapping[str, type]) -> bool:
    if not name or name in OWN:
        return False
    if type(value) is int:  # a bool is not one
        return abs(value) < _BEYOND_NUMBERS
    return name in indexed and isinstance(value, str)


def _json(fields: Mapping[str, Any]) -> str:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Half a surrogate pair is not UTF-8, but its JSON escape is stored unchanged.
    return text.encode("utf-8", "backslashreplace").decode()
