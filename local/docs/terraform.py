"""Terraform's inputs from the code: the tables of the state and of the lake, the cookbook, the DAGs' names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from include.lake import cookbook
from include.lake.schemas import NEVER, PARTITION_KEYS
from include.lake.schemas import TABLES as LAKE_TABLES
from include.store.dynamodb_tables import EXPIRY, definition
from include.store.store import TABLES as STATE_TABLES
from ops.repository import REPOSITORY

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import KeySchemaElementTypeDef

_GLUE_TYPES = {
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.string(): "string",
}


def state_tables() -> str:
    """`terraform/modules/state/tables.json`: keys, attributes and indexes of every table, without the prefix."""
    tables = {}
    for name, table in STATE_TABLES.items():
        wanted = definition("", table)
        tables[name] = {
            "attributes": {one["AttributeName"]: one["AttributeType"] for one in wanted["AttributeDefinitions"]},
            "keys": _keys(wanted["KeySchema"]),
            "indexes": {one["IndexName"]: _keys(one["KeySchema"]) for one in wanted.get("GlobalSecondaryIndexes", ())},
            "expiry": EXPIRY if table.expires else None,
        }
    return _text(tables)


def lake_tables() -> str:
    """`terraform/modules/lake/tables.json`: columns in the files' order and partition keys, in Glue's types."""
    return _text({name: _lake_table(name, schema) for name, schema in LAKE_TABLES.items()})


def lake_queries() -> str:
    """`terraform/modules/lake/queries.json`: the cookbook, as Athena's named queries take it."""
    queries = map(cookbook.load, cookbook.names())
    return _text({query.name: {"question": query.question, "sql": query.text} for query in queries})


def dag_ids() -> str:
    """`terraform/modules/observability/dags.json`: the id of every DAG, which is its file's name."""
    return _text(sorted(path.stem for path in (REPOSITORY / "dags").glob("*.py")))


def glue_type(kind: pa.DataType) -> str:
    """Athena's name of a column's type."""
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_list(kind):
        return f"array<{glue_type(kind.value_type)}>"
    return _GLUE_TYPES[kind]


def _lake_table(name: str, schema: pa.Schema) -> dict[str, Any]:
    columns = [
        {"name": field.name, "type": glue_type(field.type), "comment": _comment(field.metadata)} for field in schema
    ]
    return {
        "columns": columns,
        "partition_keys": [{"name": key, "type": glue_type(kind)} for key, kind in PARTITION_KEYS[name].items()],
    }


def _comment(metadata: dict[bytes, bytes]) -> str:
    texts = {key.decode(): value.decode() for key, value in metadata.items()}
    unit = f" [{texts['unit']}]" if "unit" in texts else ""
    null = f"; null {texts['null']}" if texts.get("null", NEVER) != NEVER else ""
    return f"{texts['description']}{unit}{null}"


def _keys(schema: Sequence[KeySchemaElementTypeDef]) -> dict[str, str]:
    return {one["KeyType"].lower(): one["AttributeName"] for one in schema}


def _text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
