"""The dispatcher may do what its code does, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import boto3
from moto import mock_aws

from include.queue.content import StravaEvent, to_body
from include.queue.queue import Message
from include.state.activities.ledger import ActivityLedger
from include.state.erasures.entry import EraseReason
from include.state.erasures.ledger import Erasures
from include.store.dynamodb import DynamoStore
from include.store.dynamodb_tables import create_tables
from include.strava.events import WebhookEvent
from include.trigger.trigger import Started, Trigger
from webhook_api.dispatcher import Inbox, deliver

IAM = Path(__file__).parents[2] / "terraform/modules/webhook_api/iam.tf"


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(text: str) -> list[dict[str, Any]]:
    return as_list(json.loads(text)["Statement"])


def test_dispatcher_starts_runs_as_a_user_and_does_nothing_else_in_airflow(environment) -> None:
    policy = environment.one("aws_iam_role_policy", "dispatcher")["policy"]
    calls = [one for one in statements(policy) if any("airflow:" in action for action in as_list(one["Action"]))]

    assert [one["Action"] for one in calls] == ["airflow:InvokeRestApi"]
    assert calls[0]["Resource"].endswith(f":role/strava-{environment.name}/User")


def test_dispatcher_may_do_to_the_state_what_it_does_and_no_more(environment, monkeypatch) -> None:
    policy = environment.one("aws_iam_role_policy", "dispatcher")["policy"]
    # What is planned has one mocked ARN for all tables: the module says which table a statement is about.
    tables = dict(re.findall(r'Sid\s+= "(\w+)"\n.*\n.*\n\s+Resource = var\.table_arns\["(\w+)"\]', IAM.read_text()))
    allowed = {
        (action.removeprefix("dynamodb:"), tables[one["Sid"]])
        for one in statements(policy)
        for action in as_list(one["Action"])
        if action.startswith("dynamodb:")
    }

    assert allowed == calls_of_the_dispatcher(monkeypatch)


def calls_of_the_dispatcher(monkeypatch) -> set[tuple[str, str]]:
    """Which operations on which tables the dispatcher calls, of whatever athlete and activity an event is."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    called: set[tuple[str, str]] = set()
    now = 1_760_000_000.0
    with mock_aws():
        create_tables(boto3.client("dynamodb"), "test-")
        store = DynamoStore("test-", lambda: now)
        ActivityLedger(store, lambda: now).acquire(42, 7)
        erasures = Erasures(store, lambda: now)
        erasures.ask_now(43, EraseReason.OPERATOR)
        with erasures.held(43) as erasure:
            assert erasure is not None
            erasures.advance(erasure.confirmed())

        def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            called.add((model.name, params["TableName"].removeprefix("test-")))

        store._client.meta.events.register("provide-client-params.dynamodb.*", note)
        events = [
            *(WebhookEvent("activity", activity_id, "update", 42, 1, 5) for activity_id in (7, 8)),
            WebhookEvent("activity", 9, "create", 43, 1, 5),
            WebhookEvent("athlete", 42, "update", 42, 1, 5, {"authorized": "false"}),
        ]
        bodies = [to_body(StravaEvent(event, now)) for event in events]
        messages = [Message(str(number), "receipt", body, now, 1) for number, body in enumerate(bodies)]
        trigger = create_autospec(Trigger, instance=True)
        trigger.start.return_value = Started.NOW
        assert not deliver(messages, create_autospec(Inbox, instance=True), trigger, store, lambda: now).released
    return called
