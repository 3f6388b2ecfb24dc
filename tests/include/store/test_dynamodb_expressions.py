"""Requests to DynamoDB, which refuses a placeholder that is not explained, and an explanation that is not used."""

from __future__ import annotations

from typing import Any

import pytest

from include.store.dynamodb_expressions import HAS_VERSION, counting, placeholders


def test_placeholders_explain_what_occurs_and_nothing_else() -> None:
    condition = "#partition = :partition AND #n <= :up_to"

    assert placeholders(condition, {"partition": "11", "prefix": "2", "up_to": 1.5, "now": None}) == {
        "ExpressionAttributeNames": {"#partition": "partition", "#n": "n"},
        "ExpressionAttributeValues": {":partition": {"S": "11"}, ":up_to": {"N": "1.5"}},
    }


def test_placeholders_hold_a_zero_and_an_empty_text() -> None:
    values = placeholders("#a = :a OR #b = :b", {"a": 0, "b": ""})["ExpressionAttributeValues"]

    assert values == {":a": {"N": "0"}, ":b": {"S": ""}}


def test_placeholders_explain_the_condition_of_a_write() -> None:
    found = placeholders(HAS_VERSION, {"version": 3, "now": 1_700_000_000})

    assert found["ExpressionAttributeNames"] == {"#version": "version", "#expires_at_epoch_s": "expires_at_epoch_s"}
    assert found["ExpressionAttributeValues"] == {":version": {"N": "3"}, ":now": {"N": "1700000000"}}


@pytest.mark.parametrize(
    ("increments", "expires_at_epoch_s", "update"),
    [
        pytest.param({}, None, "", id="no counter"),
        pytest.param({"read": 2}, None, " ADD #counter0 :counter0", id="one"),
        pytest.param(
            {"read": 2, "a.b": -1},
            1_700_000_060,
            ", #expires_at_epoch_s = :expires ADD #counter0 :counter0, #counter1 :counter1",
            id="two, and when they expire",
        ),
    ],
)
def test_counting_adds_each_counter_and_explains_all(
    increments: dict[str, int], expires_at_epoch_s: int | None, update: str
) -> None:
    request: dict[str, Any] = counting(increments, {}, expires_at_epoch_s, "w1", 1_700_000_000)

    assert request["UpdateExpression"] == (
        f"SET #version = if_not_exists(#version, :version), #write_id = :write_id{update}"
    )
    names = {f"#counter{number}": name for number, name in enumerate(increments)}
    own = {f"#{name}": name for name in ("version", "write_id", "expires_at_epoch_s")}
    assert request["ExpressionAttributeNames"] == own | names
    steps = {f":counter{number}": {"N": str(step)} for number, step in enumerate(increments.values())}
    expiry = {":expires": {"N": str(expires_at_epoch_s)}} if expires_at_epoch_s else {}
    assert request["ExpressionAttributeValues"] == (
        {":version": {"N": "1"}, ":write_id": {"S": "w1"}, ":now": {"N": "1700000000"}} | steps | expiry
    )
