"""What `create_tables` leaves in DynamoDB."""

from __future__ import annotations

import uuid

import boto3
import pytest

from include.store.dynamodb_tables import create_tables
from include.store.store import TABLES

pytestmark = pytest.mark.network


def test_every_table_is_ready_and_only_the_expiring_ones_expire(aws: None) -> None:
    client = boto3.client("dynamodb")
    prefix = f"test-{uuid.uuid4().hex}-"

    create_tables(client, prefix)
    create_tables(client, prefix)

    for table in TABLES.values():
        found = client.describe_table(TableName=f"{prefix}{table.name}")["Table"]
        assert found["TableStatus"] == "ACTIVE"
        assert {index["IndexName"] for index in found.get("GlobalSecondaryIndexes", [])} == set(table.indexes)
        expiry = client.describe_time_to_live(TableName=f"{prefix}{table.name}")["TimeToLiveDescription"]
        assert expiry["TimeToLiveStatus"] == ("ENABLED" if table.expires else "DISABLED")
        assert expiry.get("AttributeName") == ("expires_at_epoch_s" if table.expires else None)


def test_nothing_is_asked_for_that_dynamodb_would_refuse_when_all_is_there(aws: None) -> None:
    client = boto3.client("dynamodb")
    prefix = f"test-{uuid.uuid4().hex}-"
    create_tables(client, prefix)
    asked: list[str] = []
    client.meta.events.register("before-call.dynamodb.*", lambda model, **_: asked.append(model.name))

    create_tables(client, prefix)

    assert "DescribeTimeToLive" in asked
    assert "UpdateTimeToLive" not in asked  # DynamoDB refuses to enable what is enabled; moto does not


def test_tables_that_are_missing_are_made_where_others_are_there(aws: None) -> None:
    client = boto3.client("dynamodb")
    prefix = f"test-{uuid.uuid4().hex}-"
    create_tables(client, prefix)
    client.delete_table(TableName=f"{prefix}quota")

    create_tables(client, prefix)

    expiry = client.describe_time_to_live(TableName=f"{prefix}quota")["TimeToLiveDescription"]
    assert expiry["TimeToLiveStatus"] == "ENABLED"
