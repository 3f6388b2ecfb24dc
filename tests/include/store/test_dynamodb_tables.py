"""The tables in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from include.errors import SettingsError
from include.store import dynamodb_tables
from include.store.dynamodb_tables import create_tables, definition
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


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """DynamoDB as a test says that it answers, where a table that stays and one that expires are wanted."""
    monkeypatch.setattr(dynamodb_tables, "TABLES", {name: TABLES[name] for name in ("links", "quota")})
    with Stubber(boto3.session.Session("x", "x", region_name="eu-central-1").client("dynamodb")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def ready(stubber: Stubber, name: str) -> None:
    stubber.add_response("describe_table", {"Table": {"TableStatus": "ACTIVE"}}, {"TableName": name})


@pytest.mark.parametrize(
    ("status", "is_asked_for"),
    [
        pytest.param("DISABLED", True, id="a new table"),
        pytest.param("ENABLING", False, id="a table that another process has just made"),
        pytest.param("ENABLED", False, id="an old table"),
    ],
)
def test_rows_of_the_expiring_tables_alone_are_let_expire_and_that_once(
    dynamodb: Stubber, status: str, is_asked_for: bool
) -> None:
    dynamodb.add_response("create_table", {}, definition("p-", TABLES["links"]))
    dynamodb.add_client_error(
        "create_table", "ResourceInUseException", expected_params=definition("p-", TABLES["quota"])
    )
    ready(dynamodb, "p-links")
    ready(dynamodb, "p-quota")
    found = {"TimeToLiveDescription": {"TimeToLiveStatus": status}}
    dynamodb.add_response("describe_time_to_live", found, {"TableName": "p-quota"})
    if is_asked_for:
        expiry = {"Enabled": True, "AttributeName": "expires_at_epoch_s"}
        dynamodb.add_response("update_time_to_live", {}, {"TableName": "p-quota", "TimeToLiveSpecification": expiry})

    create_tables(dynamodb.client, "p-")


def test_setting_is_named_when_tables_may_not_be_made(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("create_table", "AccessDeniedException", http_status_code=400)

    with pytest.raises(SettingsError, match="STATE_URL: AWS refuses CreateTable"):
        create_tables(dynamodb.client, "p-")
