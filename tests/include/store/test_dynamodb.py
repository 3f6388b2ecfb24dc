"""What moto's DynamoDB cannot show of the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol
from uuid import UUID

import boto3
import pytest
from botocore.stub import Stubber

from include.clock import Clock
from include.errors import CeilingReached, RetryLater, VersionConflict
from include.store.dynamodb import DynamoStore
from include.store.dynamodb_item import key_attributes, to_attributes
from include.store.store import Item, Key


class Refusal(Protocol):
    """See `refused_by`."""

    def __call__(self, method: str, row: Item, *, is_own: bool) -> None: ...


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


def test_rows_that_dynamodb_leaves_out_of_an_answer_are_asked_for_again(store: DynamoStore) -> None:
    first, second = (Item(Key("links", "1", sort), {"child_id": 22}, 1) for sort in "ab")

    def answer(*rows: Item, left: Sequence[Item] = ()) -> dict[str, Any]:
        unread = {"strava-links": {"Keys": [key_attributes(row.key) for row in left], "ConsistentRead": True}}
        return {
            "Responses": {"strava-links": [to_attributes(row, "w") for row in rows]},
            "UnprocessedKeys": unread if left else {},
        }

    with Stubber(store._client) as stubber:
        stubber.add_response("batch_get_item", answer(first, left=[second]))
        stubber.add_response("batch_get_item", answer(second))
        found = store.get_all([first.key, second.key])
        stubber.add_response("batch_get_item", answer(left=[first, second]))
        with pytest.raises(RetryLater, match="read none of 2 rows"):
            store.get_all([first.key, second.key])

    assert found == {first.key: first, second.key: second}


def test_reads_that_decide_are_strongly_consistent(store: DynamoStore) -> None:
    asked: list[Any] = []
    store._client.meta.events.register("provide-client-params.dynamodb.*", lambda params, **_: asked.append(params))

    with Stubber(store._client) as stubber:
        stubber.add_response("get_item", {})
        stubber.add_response("query", {"Items": []})
        stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": {}})
        store.get(Key("links", "1"))
        list(store.query("links", "1"))
        store.get_all([Key("links", "1")])

    single, query, batch = asked
    assert [(call["TableName"], call["ConsistentRead"]) for call in (single, query)] == [("strava-links", True)] * 2
    assert [(name, of_table["ConsistentRead"]) for name, of_table in batch["RequestItems"].items()] == [
        ("strava-links", True)
    ]


@pytest.fixture
def refused_by(store: DynamoStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusal]:
    """Lets DynamoDB refuse the next write because of a row, which this store or another one has written."""
    monkeypatch.setattr("uuid.uuid4", lambda: UUID(int=7))
    with Stubber(store._client) as stubber:

        def refuse(method: str, row: Item, *, is_own: bool) -> None:
            found = to_attributes(row, UUID(int=7 if is_own else 8).hex)
            stubber.add_client_error(method, "ConditionalCheckFailedException", modeled_fields={"Item": found})

        yield refuse


def test_put_that_was_sent_again_succeeds_when_its_own_row_refuses_it(store: DynamoStore, refused_by: Refusal) -> None:
    key = Key("links", "1", "2")

    refused_by("put_item", Item(key, {"n": 1}, 5), is_own=True)
    assert store.put(key, {"n": 1}, expected_version=4) == 5

    refused_by("put_item", Item(key, {"n": 1}, 5), is_own=False)
    with pytest.raises(VersionConflict, match="links 1/2 has version 5, not 4: read it again"):
        store.put(key, {"n": 1}, expected_version=4)


def test_count_that_was_sent_again_counts_once_when_its_own_row_refuses_it(
    store: DynamoStore, refused_by: Refusal
) -> None:
    key = Key("quota", "2026-11-22")

    refused_by("update_item", Item(key, {"read": 5, "total": 9}, 1), is_own=True)
    assert store.add(key, {"read": 2}, ceilings={"read": 5}) == {"read": 5}

    refused_by("update_item", Item(key, {"read": 5, "total": 9}, 1), is_own=False)
    with pytest.raises(CeilingReached, match="read would reach 7, its ceiling is 5"):
        store.add(key, {"read": 2}, ceilings={"read": 5})


def test_connections_are_closed_with_the_store(store: DynamoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(store._client, "close", lambda: closed.append("closed"))

    store.close()

    assert closed == ["closed"]


def test_counter_may_not_have_a_name_of_the_store(store: DynamoStore) -> None:
    with pytest.raises(ValueError, match="version cannot be the name of a counter"):
        store.add(Key("quota", "1"), {"version": 1})
