"""The conditions and updates of the requests to DynamoDB, in its expression language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from include.store.dynamodb_item import OWN, attribute
from include.store.store import ABSENT

_EXPIRED = "#expires_at_epoch_s <= :now"
_ALIVE = "(attribute_not_exists(#expires_at_epoch_s) OR #expires_at_epoch_s > :now)"
IS_ABSENT = f"attribute_not_exists(#partition) OR {_EXPIRED}"
"""There is no row, or one that has expired."""
HAS_VERSION = f"#version = :version AND {_ALIVE}"
"""There is a row of that version."""
_IS_NOT_SENT_AGAIN = "(attribute_not_exists(#write_id) OR #write_id <> :write_id)"
_MARK = re.compile(r"[#:]\w+")


def counting(
    increments: Mapping[str, int],
    ceilings: Mapping[str, int],
    expires_at_epoch_s: int | None,
    write_id: str,
    now_epoch_s: int,
) -> dict[str, Any]:
    """The update that counts all of `increments`, or nothing when one of `ceilings` would be passed."""
    taken = sorted(OWN & increments.keys())
    if taken:
        raise ValueError(f"{', '.join(taken)} cannot be the name of a counter: the store uses it itself")
    marks = {field: f"counter{number}" for number, field in enumerate(increments)}
    steps = {mark: increments[field] for field, mark in marks.items()}
    rooms = {f"{marks[field]}_room": ceiling - increments[field] for field, ceiling in ceilings.items()}
    condition = " AND ".join([_ALIVE, _IS_NOT_SENT_AGAIN, *(_has_room(room, left) for room, left in rooms.items())])
    update = "SET #version = if_not_exists(#version, :version), #write_id = :write_id"
    if expires_at_epoch_s is not None:
        update += ", #expires_at_epoch_s = :expires"
    if steps:
        update += " ADD " + ", ".join(f"#{mark} :{mark}" for mark in steps)
    values = {
        "version": ABSENT + 1,
        "write_id": write_id,
        "expires": expires_at_epoch_s,
        "now": now_epoch_s,
        **steps,
        **rooms,
    }
    request = placeholders(f"{condition} {update}", values)
    fields = {f"#{mark}": field for field, mark in marks.items()}
    return {
        **request,
        "ExpressionAttributeNames": request["ExpressionAttributeNames"] | fields,
        "ConditionExpression": condition,
        "UpdateExpression": update,
    }


def _has_room(room: str, left: int) -> str:
    """The condition that a counter is at most `left`; a missing counter is 0."""
    counter = f"#{room.removesuffix('_room')}"
    return f"({f'attribute_not_exists({counter}) OR ' if left >= 0 else ''}{counter} <= :{room})"


def placeholders(expression: str, values: Mapping[str, str | int | float | None]) -> dict[str, Any]:
    """The meanings of `#name` and `:value` in an expression; DynamoDB refuses those that do not occur in it."""
    used = set(_MARK.findall(expression))
    return {
        "ExpressionAttributeNames": {mark: mark[1:] for mark in used if mark.startswith("#")},
        "ExpressionAttributeValues": {
            f":{name}": attribute(value) for name, value in values.items() if value is not None and f":{name}" in used
        },
    }
