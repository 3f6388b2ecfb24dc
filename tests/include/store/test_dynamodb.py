"""What moto's DynamoDB cannot show of the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from include.clock import Clock
from include.store.dynamodb import DynamoStore
from include.store.dynamodb_item import to_attributes
from include.store.store import Item, Key


@pytest.fixture
def store(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoStore]:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.session.Session("x", "x", region_name="eu-central-1"))
    store = DynamoStore("strava-", clock)
    yield store
    store.close()


def test_rows_of_one_partition_are_sorted_when_dynamodb_finds_them_in_any_order(store: DynamoStore) -> None:
    keys = [Key("links", partition, sort) for partition, sort in [("1", "b"), ("1", "a"), ("2", "b"), ("3", "Z")]]
    page: dict[str, Any] = {"Items": [to_attributes(Item(key, {"child_id": 22}, 1), "w") for key in keys]}

    with Stubber(store._client) as stubber:
        stubber.add_response("query", page)
        found = [(item.key.partition, item.key.sort) for item in store.find("links", "by_child", 22)]

    assert found == [("1", "a"), ("1", "b"), ("2", "b"), ("3", "Z")]


def test_reads_that_decide_are_strongly_consistent(store: DynamoStore) -> None:
    asked: list[Any] = []
    store._client.meta.events.register("provide-client-params.dynamodb.*", lambda params, **_: asked.append(params))

    with Stubber(store._client) as stubber:
        stubber.add_response("get_item", {})
        stubber.add_response("query", {"Items": []})
        store.get(Key("links", "1"))
        list(store.query("links", "1"))

    assert [(call["TableName"], call["ConsistentRead"]) for call in asked] == [("strava-links", True)] * 2


def test_counter_may_not_have_a_name_of_the_store(store: DynamoStore) -> None:
    with pytest.raises(ValueError, match="version cannot be the name of a counter"):
        store.add(Key("quota", "1"), {"version": 1})
