"""The tables in DynamoDB."""

from __future__ import annotations

import pytest

from include.store.dynamodb_tables import definition
from include.store.store import TABLES


def test_definition_of_a_table_with_indexes() -> None:
    def keys(partition: str, sort: str) -> list[dict[str, str]]:
        return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

    assert definition("strava-", TABLES["copies"]) == {
        "TableName": "strava-copies",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys("partition", "sort"),
        "AttributeDefinitions": [
            {"AttributeName": "partition", "AttributeType": "S"},
            {"AttributeName": "sort", "AttributeType": "S"},
            {"AttributeName": "child_id", "AttributeType": "N"},
            {"AttributeName": "planned_at_epoch_s", "AttributeType": "N"},
            {"AttributeName": "updated_at_epoch_s", "AttributeType": "N"},
            {"AttributeName": "parent_id", "AttributeType": "N"},
            {"AttributeName": "due", "AttributeType": "S"},
            {"AttributeName": "next_try_epoch_s", "AttributeType": "N"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_child",
                "KeySchema": keys("child_id", "planned_at_epoch_s"),
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "by_change",
                "KeySchema": keys("child_id", "updated_at_epoch_s"),
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "by_parent",
                "KeySchema": keys("parent_id", "planned_at_epoch_s"),
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "due",
                "KeySchema": keys("due", "next_try_epoch_s"),
                "Projection": {"ProjectionType": "ALL"},
            },
        ],
    }


def test_index_without_a_sort_field_is_sorted_by_partition() -> None:
    index = next(
        one for one in definition("", TABLES["links"])["GlobalSecondaryIndexes"] if one["IndexName"] == "by_child"
    )

    assert [key["AttributeName"] for key in index["KeySchema"]] == ["child_id", "partition"]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_defines_what_its_keys_use_and_nothing_else(name: str) -> None:
    wanted = definition("p-", TABLES[name])
    schemas = [wanted["KeySchema"], *(index["KeySchema"] for index in wanted.get("GlobalSecondaryIndexes", []))]

    defined = [attribute["AttributeName"] for attribute in wanted["AttributeDefinitions"]]
    assert sorted(defined) == sorted({key["AttributeName"] for schema in schemas for key in schema})
    assert wanted.get("GlobalSecondaryIndexes") != []
