"""Nobody may do more than the work needs: no wildcard outside a short list, each with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

ANY_RESOURCE: Mapping[str, str] = {
    "s3:GetAccountPublicAccessBlock": "a question about the account; MWAA asks it before it starts",
    "athena:ListDataCatalogs": "Athena's console asks it, of the account",
    "athena:ListEngineVersions": "Athena's console asks it, of nobody",
    "athena:ListWorkGroups": "Athena's console asks it, of the account",
    "airflow:ListEnvironments": "MWAA's console asks it, of the account",
    "logs:DescribeLogGroups": "CloudWatch lists log groups of the account or none",
    "cloudwatch:PutMetricData": "has no resource; the condition names MWAA's namespaces",
}
"""Actions of roles that AWS grants on `*` or not at all."""

FOREIGN: Mapping[str, str] = {
    "sqs:": "the queue between MWAA's scheduler and workers lies in an account of MWAA's own",
}
"""Services of which a resource may lie in any account."""

SAMPLE_ACTIONS: Mapping[str, str] = {
    "s3:GetObject*": "MWAA on its own bucket, as in AWS's sample: what it asks is written nowhere",
    "s3:GetBucket*": "likewise",
    "s3:List*": "likewise",
    "kms:GenerateDataKey*": "MWAA with its own key, as in AWS's sample",
}
"""Wildcards that a role may have."""

KEY_ACTIONS: Mapping[str, str] = {
    "kms:*": "the account administers its key; without this nobody could",
    "kms:ReEncrypt*": "two actions that CloudWatch Logs needs together, for its own context only",
    "kms:GenerateDataKey*": "two actions that AWS services need, bound by a condition",
}
"""Wildcards in policies of keys, where `*` as the resource means that key."""

EVENTBRIDGE = "events.amazonaws.com"
"""AWS: a policy of a topic may hold no condition for it, nor that of the topic's key; with one, nothing arrives."""
ROLES = {"crawler", "dispatcher", "http", "mwaa"}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def identity_faults(statement: Mapping[str, Any]) -> Iterator[str]:
    """What a statement of a role or a user allows too broadly."""
    if statement["Effect"] != "Allow":
        return
    if {"NotAction", "NotResource"} & statement.keys():
        yield "allows everything but"
        return
    for action in as_list(statement["Action"]):
        if "*" in action and action not in SAMPLE_ACTIONS:
            yield f"action {action}"
        for resource in as_list(statement["Resource"]):
            yield from resource_faults(action, resource, "Condition" in statement)


def resource_faults(action: str, resource: str, is_conditional: bool) -> Iterator[str]:
    if resource == "*":
        if action not in ANY_RESOURCE or (action == "cloudwatch:PutMetricData" and not is_conditional):
            yield f"{action} on any resource"
        return
    *_, account, name = resource.split(":", 5)
    if "*" in account and not action.startswith(tuple(FOREIGN)):
        yield f"{action} in any account"
    if len(name.partition("*")[0]) < 5:
        yield f"{action} on {resource}"


def resource_policy_faults(statement: Mapping[str, Any], *, is_key: bool) -> Iterator[str]:
    """What a statement of a bucket, a queue, a topic or a key allows too broadly."""
    if statement["Effect"] != "Allow":
        return
    principal = statement["Principal"]
    if principal == "*" or "*" in as_list(principal.get("AWS", [])):
        yield "anybody"
    if "Service" in principal and "Condition" not in statement and principal["Service"] != EVENTBRIDGE:
        yield f"{principal['Service']} for anybody's account"
    for action in as_list(statement["Action"]):
        if "*" in action and not (is_key and action in KEY_ACTIONS):
            yield f"action {action}"
        if action == "kms:*" and not str(principal.get("AWS", "")).endswith(":root"):
            yield "kms:* for more than the account"


def statements(text: str) -> list[dict[str, Any]]:
    return as_list(json.loads(text)["Statement"])


def test_roles_may_do_nothing_in_general(environment) -> None:
    policies = {**environment.all("aws_iam_role_policy"), **environment.all("aws_iam_policy")}

    faults = {name: [*found] for name, policy in policies.items() if (found := list(_identity(policy["policy"])))}

    assert len(policies) == 9
    assert faults == {}


def test_only_mwaa_has_actions_with_wildcards_and_only_on_what_is_its_own(environment) -> None:
    broad = {
        (name, action)
        for name, policy in {**environment.all("aws_iam_role_policy"), **environment.all("aws_iam_policy")}.items()
        for statement in statements(policy["policy"])
        for action in as_list(statement["Action"])
        if "*" in action
    }

    assert broad == {("execution", action) for action in SAMPLE_ACTIONS}


def test_crawler_cannot_change_a_table(environment) -> None:
    allowed = {
        action
        for statement in statements(environment.one("aws_iam_role_policy", "crawler")["policy"])
        for action in as_list(statement["Action"])
    }

    assert "glue:BatchCreatePartition" in allowed
    assert not {
        action for action in allowed if re.fullmatch(r"glue:\w*(Update|Create|Delete)\w*(Table|Database)", action)
    }


def test_analysts_get_what_athenas_guide_asks_for_and_write_nothing_but_answers(environment) -> None:
    """Console included: it lists, and asks for the database `default` whatever a query names."""
    found = statements(environment.one("aws_iam_policy", "analyst")["policy"])
    resources = {action: as_list(one["Resource"]) for one in found for action in as_list(one["Action"])}

    assert {"athena:ListWorkGroups", "athena:ListDataCatalogs", "athena:GetTableMetadata"} <= resources.keys()
    assert any(resource.endswith(":database/default") for resource in resources["glue:GetDatabase"])
    assert any(resource.endswith(":catalog") for resource in resources["glue:GetDatabase"])
    assert not any(resource.endswith(":database/default") for resource in resources["glue:GetTable"])
    writing = {
        action for action in resources if re.search(r":(Put|Create|Update|Delete|BatchCreate|BatchDelete)", action)
    }
    assert writing == {"s3:PutObject"}
    assert all("/answers/" in resource for resource in resources["s3:PutObject"])


def _identity(text: str) -> Iterator[str]:
    for statement in statements(text):
        yield from identity_faults(statement)


def test_every_component_has_a_role_of_its_own(environment) -> None:
    roles = environment.all("aws_iam_role")

    assert {role["name"].removeprefix(f"strava-{environment.name}-") for role in roles.values()} == ROLES


def test_roles_are_taken_by_services_of_this_account_only(environment) -> None:
    for role in environment.all("aws_iam_role").values():
        for statement in statements(role["assume_role_policy"]):
            services = as_list(statement["Principal"]["Service"])
            assert all(service.endswith(".amazonaws.com") for service in services)
            if services != ["lambda.amazonaws.com"]:  # which AWS lets nobody else's function take
                assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]


@pytest.mark.parametrize(
    ("kind", "at_least"),
    [
        pytest.param("aws_kms_key", 2, id="keys"),
        pytest.param("aws_s3_bucket_policy", 3, id="buckets"),
        pytest.param("aws_sqs_queue_policy", 2, id="queues"),
        pytest.param("aws_sns_topic_policy", 1, id="topic"),
    ],
)
def test_resources_let_nobody_in_from_outside(environment, kind, at_least) -> None:
    policies = environment.all(kind)
    faults = [
        f"{name}: {fault}"
        for name, policy in policies.items()
        for statement in statements(policy["policy"])
        for fault in resource_policy_faults(statement, is_key=kind == "aws_kms_key")
    ]

    assert len(policies) >= at_least
    assert faults == []


def test_every_bucket_and_queue_refuses_plain_http(environment) -> None:
    for kind, count in (("aws_s3_bucket_policy", 3), ("aws_sqs_queue_policy", 2)):
        policies = environment.all(kind)
        assert len(policies) == count
        for policy in policies.values():
            denials = [one for one in statements(policy["policy"]) if one["Effect"] == "Deny"]
            assert any(one["Condition"]["Bool"] == {"aws:SecureTransport": "false"} for one in denials)


def test_tokens_are_opened_only_in_an_athletes_context(environment) -> None:
    found = [
        (name, statement)
        for name, policy in environment.all("aws_iam_role_policy").items()
        for statement in statements(policy["policy"])
        if statement.get("Sid") == "Tokens"
    ]

    assert sorted(name for name, _ in found) == ["http", "work"]
    for _, statement in found:
        assert statement["Condition"]["StringEquals"] == {"kms:EncryptionContext:app": "strava-data-ingest"}
        assert statement["Condition"]["Null"] == {"kms:EncryptionContext:athlete_id": "false"}


def test_only_functions_and_airflow_read_the_secret(environment) -> None:
    readers = [
        name
        for name, policy in environment.all("aws_iam_role_policy").items()
        for statement in statements(policy["policy"])
        if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
    ]

    assert sorted(readers) == ["http", "work"]


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/key"}, id="every action"),
        pytest.param({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}, id="every resource"),
        pytest.param({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*"}, id="every bucket"),
        pytest.param({"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "arn:aws:s3:::bucket"}, id="all but"),
        pytest.param({"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}, id="no namespace"),
        pytest.param(
            {
                "Effect": "Allow",
                "Action": "dynamodb:GetItem",
                "Resource": "arn:aws:dynamodb:x:*:table/athletes",
            },
            id="every account",
        ),
    ],
)
def test_broad_statement_of_a_role_is_found(statement) -> None:
    assert list(identity_faults(statement))


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage"}, id="anybody"),
        pytest.param({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sqs:SendMessage"}, id="any account"),
        pytest.param(
            {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"},
            id="a service for others",
        ),
        pytest.param({"Effect": "Allow", "Principal": {"AWS": "arn:x:role/a"}, "Action": "kms:*"}, id="a role"),
    ],
)
def test_broad_statement_of_a_resource_is_found(statement) -> None:
    assert list(resource_policy_faults(statement, is_key=True))
