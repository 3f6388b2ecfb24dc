"""The DynamoDB tables of `TABLES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.aws import aws_faults
from include.store.store import TABLES, Index, Table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.literals import ScalarAttributeTypeType
    from types_boto3_dynamodb.type_defs import (
        CreateTableInputTypeDef,
        GlobalSecondaryIndexTypeDef,
        KeySchemaElementTypeDef,
    )

EXPIRY = "expires_at_epoch_s"
"""The attribute by which DynamoDB deletes rows of the tables that expire."""


def definition(prefix: str, table: Table) -> CreateTableInputTypeDef:
    """The table as the operation `CreateTable` takes it: on-demand billing, one global index for each declared one.

    Every index holds whole items (`ALL`): a row is then found and read in one request, and rows without the indexed
    field, which are most, are not in it and cost nothing. An index without a sort field is sorted by `partition`.
    """
    types: dict[str, ScalarAttributeTypeType] = {"partition": "S", "sort": "S"}
    for index in table.indexes.values():
        types[index.field] = "N" if index.field_type is int else "S"
        if index.sort_field is not None:
            types[index.sort_field] = "N"
    wanted: CreateTableInputTypeDef = {
        "TableName": f"{prefix}{table.name}",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _key_schema("partition", "sort"),
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
    }
    if table.indexes:
        wanted["GlobalSecondaryIndexes"] = [_index(name, index) for name, index in table.indexes.items()]
    return wanted


def create_tables(client: DynamoDBClient, prefix: str) -> None:
    """Create the tables of `TABLES`, named `<prefix><table>`, and wait until they are ready.

    `client` is boto3's for DynamoDB.
    Effects: creates missing tables and does not change existing ones; safe to repeat.
    Errors: `RetryLater`, `SettingsError`.
    """
    with aws_faults("STATE_URL"):
        for table in TABLES.values():
            _create(client, definition(prefix, table))
        for table in TABLES.values():
            client.get_waiter("table_exists").wait(
                TableName=f"{prefix}{table.name}", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )
            if table.expires:
                _let_expire(client, f"{prefix}{table.name}")


def _key_schema(partition: str, sort: str) -> list[KeySchemaElementTypeDef]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _index(name: str, index: Index) -> GlobalSecondaryIndexTypeDef:
    return {
        "IndexName": name,
        "KeySchema": _key_schema(index.field, index.sort_field or "partition"),
        "Projection": {"ProjectionType": "ALL"},
    }


def _create(client: DynamoDBClient, wanted: CreateTableInputTypeDef) -> None:
    try:
        client.create_table(**wanted)
    except client.exceptions.ResourceInUseException:
        return  # it exists, or another process is creating it


def _let_expire(client: DynamoDBClient, name: str) -> None:
    status = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if status not in ("ENABLED", "ENABLING"):
        client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRY})
