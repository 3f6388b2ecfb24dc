"""State in DynamoDB: the implementation of `Store` for AWS. `dynamodb_item` describes the item of a row."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from include.aws import WORK, Patience, aws_faults, open_client
from include.clock import Clock
from include.errors import CeilingReached, RetryLater, VersionConflict
from include.store.conflict import retry_on_conflict
from include.store.dynamodb_expressions import HAS_VERSION, IS_ABSENT, counting, placeholders
from include.store.dynamodb_item import attribute, key_attributes, to_attributes, to_item
from include.store.store import ABSENT, TABLES, Item, Key

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import (
        DeleteItemOutputTypeDef,
        KeysAndAttributesTypeDef,
        PutItemOutputTypeDef,
        UpdateItemOutputTypeDef,
    )

    from include.store.dynamodb_item import Attributes

    _WriteOutput = PutItemOutputTypeDef | UpdateItemOutputTypeDef | DeleteItemOutputTypeDef

_SETTING = "STATE_URL"
_BATCH_KEYS = 100
_NEWEST_ROWS = 50


class DynamoStore:
    """Versioned rows in tables named `<prefix><table>`, safe for many threads and processes.

    `get` and `query` are strongly consistent; `find` is not, as DynamoDB's global indexes are not.
    Every write is one conditional request. Requests are sent again when their answer is lost: a writer then recognises
    its own write, which is neither refused nor counted twice, unless another write came in between. Then `put` is
    refused, as if it had come later, and `add` may count twice, but never too little.
    Errors: `RetryLater` and `SettingsError` from every call, see `include.aws`.
    """

    def __init__(self, prefix: str, clock: Clock, patience: Patience = WORK) -> None:
        self._client = open_client("dynamodb", _SETTING, patience)
        self._prefix = prefix
        self._clock = clock

    def get(self, key: Key) -> Item | None:
        """The row as of now, or None."""
        with aws_faults(_SETTING):
            answer = self._client.get_item(
                TableName=self._name(key.table), Key=key_attributes(key), ConsistentRead=True
            )
        row = to_item(key.table, answer["Item"]) if "Item" in answer else None
        return row if row and self._is_alive(row) else None

    def get_all(self, keys: Iterable[Key]) -> Mapping[Key, Item]:
        """The rows of these keys, each as of now. Errors: `RetryLater` too where DynamoDB leaves out all that is asked.

        Source: API reference, `BatchGetItem`: at most 100 keys, none twice; what it has not read it names.
        """
        found: dict[Key, Item] = {}
        waiting = list(dict.fromkeys(keys))
        while waiting:
            batch, waiting = waiting[:_BATCH_KEYS], waiting[_BATCH_KEYS:]
            answered, left = self._get_batch(batch)
            if len(left) == len(batch):
                raise RetryLater(f"{_SETTING}: DynamoDB read none of {len(batch)} rows that were asked for: try again")
            found |= answered
            waiting += left
        return found

    def put(
        self,
        key: Key,
        fields: Mapping[str, Any],
        *,
        expected_version: int,
        expires_at_epoch_s: int | None = None,
    ) -> int:
        """Replace the row if its version is still the expected one. Errors: `VersionConflict`."""
        write_id = uuid.uuid4().hex
        item = Item(key, fields, expected_version + 1, expires_at_epoch_s)
        condition = IS_ABSENT if expected_version == ABSENT else HAS_VERSION
        found = self._write(
            self._client.put_item,
            key.table,
            Item=to_attributes(item, write_id),
            ConditionExpression=condition,
            **placeholders(condition, {"version": expected_version, "now": self._now()}),
        )
        if not found.done and not _is_own(found.attributes, write_id):
            raise _conflict(key, expected_version, found.attributes)
        return item.version

    def delete(self, key: Key, *, expected_version: int) -> None:
        """Remove the row if it exists. Errors: `VersionConflict` when it has another version."""
        condition = f"{IS_ABSENT} OR #version = :version"
        found = self._write(
            self._client.delete_item,
            key.table,
            Key=key_attributes(key),
            ConditionExpression=condition,
            **placeholders(condition, {"version": expected_version, "now": self._now()}),
        )
        if not found.done:
            raise _conflict(key, expected_version, found.attributes)

    def query(self, table: str, partition: str, sort_prefix: str = "") -> Iterator[Item]:
        """The rows of one partition whose sort key starts with `sort_prefix`, in the order of its UTF-8 bytes."""
        condition = "#partition = :partition"
        if sort_prefix:
            condition += " AND begins_with(#sort, :prefix)"
        return self._rows(
            table,
            ConsistentRead=True,
            KeyConditionExpression=condition,
            **placeholders(condition, {"partition": partition, "prefix": sort_prefix}),
        )

    def find(
        self,
        table: str,
        index: str,
        value: str | int,
        *,
        up_to: str | int | float | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """The rows of a declared index with `field == value`, in `sort_field` order, up to and including `up_to`."""
        if index not in TABLES[table].indexes:
            raise KeyError(f"table {table} has no index {index}: declare it in TABLES")
        declared = TABLES[table].indexes[index]
        condition = f"#{declared.field} = :value"
        if up_to is not None:
            condition += f" AND #{declared.sort_field} <= :up_to"
        query = {"KeyConditionExpression": condition, **placeholders(condition, {"value": value, "up_to": up_to})}
        if newest_first:
            query |= {"ScanIndexForward": False, "Limit": _NEWEST_ROWS}
        rows = self._rows(table, IndexName=index, **query)
        return rows if declared.sort_field else _in_key_order(rows)

    @retry_on_conflict
    def add(
        self,
        key: Key,
        increments: Mapping[str, int],
        *,
        ceilings: Mapping[str, int] | None = None,
        expires_at_epoch_s: int | None = None,
    ) -> Mapping[str, int]:
        """Add to several counters in one atomic step; without an expiry the row keeps the one it has.

        Errors: `CeilingReached`; then nothing was changed.
        """
        write_id = uuid.uuid4().hex
        checked = {field: top for field, top in (ceilings or {}).items() if increments.get(field, 0) > 0}
        found = self._write(
            self._client.update_item,
            key.table,
            Key=key_attributes(key),
            ReturnValues="ALL_NEW",
            **counting(increments, checked, expires_at_epoch_s, write_id, self._now()),
        )
        if found.done or _is_own(found.attributes, write_id):
            counters = to_item(key.table, found.attributes).fields
            return {field: counters[field] for field in increments}
        row = to_item(key.table, found.attributes) if found.attributes else None
        _require_room(key, row if row and self._is_alive(row) else None, increments, checked)
        # The remaining case is an expired row: it is created again, unless another process did so first.
        self.put(key, increments, expected_version=ABSENT, expires_at_epoch_s=expires_at_epoch_s)
        return dict(increments)

    def close(self) -> None:
        """Close the connections of all threads."""
        self._client.close()

    def _now(self) -> int:
        return math.floor(self._clock())

    def _is_alive(self, row: Item) -> bool:
        return row.expires_at_epoch_s is None or row.expires_at_epoch_s > self._now()

    def _get_batch(self, keys: Sequence[Key]) -> tuple[dict[Key, Item], list[Key]]:
        """The rows that DynamoDB has read, and the keys that it has left for another request."""
        wanted: dict[str, KeysAndAttributesTypeDef] = {}
        for key in keys:
            of_table = wanted.setdefault(self._name(key.table), {"Keys": [], "ConsistentRead": True})
            of_table["Keys"] = [*of_table["Keys"], key_attributes(key)]
        with aws_faults(_SETTING):
            answer = self._client.batch_get_item(RequestItems=wanted)
        rows = [
            to_item(name.removeprefix(self._prefix), attributes)
            for name, items in answer["Responses"].items()
            for attributes in items
        ]
        left = [
            Key(name.removeprefix(self._prefix), str(of_row["partition"]["S"]), str(of_row["sort"]["S"]))
            for name, of_table in answer["UnprocessedKeys"].items()
            for of_row in of_table["Keys"]
        ]
        return {row.key: row for row in rows if self._is_alive(row)}, left

    def _rows(self, table: str, **query: Any) -> Iterator[Item]:
        while True:
            with aws_faults(_SETTING):
                page = self._client.query(TableName=self._name(table), **query)
            yield from filter(self._is_alive, (to_item(table, attributes) for attributes in page["Items"]))
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write(self, send: Callable[..., _WriteOutput], table: str, **request: Any) -> _Written:
        """Send one conditional request; a refused condition is a result here, not an error."""
        try:
            with aws_faults(_SETTING):
                answer = send(TableName=self._name(table), ReturnValuesOnConditionCheckFailure="ALL_OLD", **request)
        except self._client.exceptions.ConditionalCheckFailedException as err:
            refusal: Mapping[str, Any] = {**err.response}  # holds the item, which the stubs do not declare
            return _Written(done=False, attributes=refusal.get("Item", {}))
        return _Written(done=True, attributes=answer.get("Attributes", {}))

    def _name(self, table: str) -> str:
        return f"{self._prefix}{table}"


@dataclass(frozen=True, slots=True)
class _Written:
    done: bool
    attributes: Attributes
    """The item after the write, or the item that refused it."""


def _require_room(key: Key, row: Item | None, increments: Mapping[str, int], ceilings: Mapping[str, int]) -> None:
    for field, ceiling in ceilings.items():
        reached = (row.fields.get(field, 0) if row else 0) + increments[field]
        if reached > ceiling:
            raise CeilingReached(
                f"{key.table} {key.partition}: {field} would reach {reached}, its ceiling is {ceiling}", field=field
            )


def _in_key_order(rows: Iterator[Item]) -> Iterator[Item]:
    """The rows, which are sorted by partition, sorted within each partition too."""
    for _, of_partition in groupby(rows, key=lambda row: row.key.partition):
        yield from sorted(of_partition, key=lambda row: row.key.sort.encode())


def _is_own(attributes: Attributes, write_id: str) -> bool:
    return attributes.get("write_id") == attribute(write_id)


def _conflict(key: Key, expected: int, found: Attributes) -> VersionConflict:
    version = found["version"]["N"] if found else ABSENT
    return VersionConflict(
        f"{key.table} {key.partition}/{key.sort} has version {version}, not {expected}: read it again"
    )
