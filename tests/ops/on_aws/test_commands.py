"""Operators' commands on an environment on AWS: each does there what it does on one machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import boto3
import pytest
from typer.testing import CliRunner

from include.lake.objects.objects import Condition
from include.lake.rows.synced import build_rows
from include.pipeline.ingest.removal import STOPPED
from include.pipeline.ingest.sync import describe
from include.pipeline.services import Services, open_services
from include.queue.content import ConfirmRemoval, StravaEvent, to_body
from include.queue.content import parse as parse_content
from include.state.activities.ledger import LedgerEntry
from include.strava.events import WebhookEvent
from include.strava.grant import TokenGrant
from include.strava.models import Activity, Athlete, AthleteId
from local.aws.resources import REGION, SECRET
from ops import alarms, dead_letters, deploy, keys, query, removals, replay, subscription
from ops.links import __main__ as links
from tests.ops.on_aws.commands import COMMANDS, THERE

pytestmark = pytest.mark.network

ATHLETE_ID, CHILD_ID = 7, 71
ANSWER = {
    "id": 1,
    "athlete": {"id": ATHLETE_ID},
    "name": "Walk",
    "sport_type": "Walk",
    "start_date": "2026-05-03T00:00:00Z",
    "manual": True,
    "resource_state": 3,
}


@contextmanager
def opened(dev, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The environment as its tasks see it, in its own region."""
    with monkeypatch.context() as own:
        own.setenv("AWS_DEFAULT_REGION", REGION)
        with open_services(dev.settings) as services:
            yield services


@pytest.fixture
def services(dev, monkeypatch) -> Iterator[Services]:
    with opened(dev, monkeypatch) as services:
        for athlete_id in (ATHLETE_ID, CHILD_ID):
            athlete = Athlete(AthleteId(athlete_id), "A", "B")
            grant = TokenGrant("a" * 40, "r" * 40, int(time.time()) + 9000, athlete)
            services.state.athletes.connect(grant, frozenset({"activity:read"}))
        yield services


@pytest.fixture
def stored(services: Services) -> LedgerEntry:
    """An activity in the raw zone and in the tables."""
    activity = Activity.parse(ANSWER)
    lease = services.state.activities.acquire(ATHLETE_ID, 1)
    guard = partial(services.state.activities.check, lease)
    services.lake.raw.put_detail(activity, guard=guard)
    rows = build_rows(activity, None, made={}, source="webhook", updated_at_epoch_s=1.0)
    written = services.lake.tables.write([rows], guard=guard)
    entry = describe(LedgerEntry.unknown(ATHLETE_ID, 1), activity, None, fetched_at_epoch_s=1.0)
    entry = replace(entry, object_keys=written.object_keys[1])
    services.state.activities.settle(lease, entry)
    return entry


def test_first_line_names_environment_region_account_and_strava(dev):
    said = {name: dev.run(app, *arguments) for name, (app, arguments) in COMMANDS.items()}

    assert {each.status for each in said.values()} == {0}
    effects = {
        **dict.fromkeys(COMMANDS, "only reads"),
        "removals": "writes, it removes activities gone at Strava",
    }
    assert {name: each.err.splitlines()[0] for name, each in said.items()} == {
        name: f"{THERE}: this {effect}." for name, effect in effects.items()
    }


def test_subscription_is_created_shown_and_ended(dev, services):
    with dev.serving_pages():
        created = dev.run(subscription.app, "create")
    number = services.state.subscriptions.current().subscription_id

    assert created.out == f"Subscription {number}: Strava sends events to this system.\n"
    assert created.err == f"{THERE}: this writes, it creates the webhook subscription.\n"
    assert dev.run(subscription.app, "show").out == f"At Strava: {number}\nHere:      {number}\n"
    ended = dev.run(subscription.app, "delete")
    assert ended.out == f"Subscription {number} has ended.\n"
    assert "this writes, it ends the webhook subscription" in ended.err
    assert services.state.subscriptions.current() is None


def test_link_is_added_listed_and_ended(dev, services):
    both = ("--parent", str(ATHLETE_ID), "--child", str(CHILD_ID))

    assert dev.run(links.app, "add", *both, "--name", "Rex").status == 0
    assert services.state.links.get(ATHLETE_ID, CHILD_ID).names == ("Rex",)
    assert "Rex" in dev.run(links.app, "list").out
    ended = dev.run(links.app, "end", *both)
    assert ended.err == f"{THERE}: this writes, it ends a link.\n"
    assert services.state.links.of_parent(ATHLETE_ID)[0].status == "ended"


def test_key_of_kms_is_shown_and_left_to_kms(dev):
    shown = dev.run(keys.app, "show")
    refused = dev.run(keys.app, "rotate")

    assert shown.out.startswith("kms://alias/strava-dev-token is key ")
    assert "Enabled, and it is not rotated" in shown.out  # the test's key; Terraform's is rotated
    assert refused.status == 1
    assert "KMS rotates its keys itself" in refused.err


def test_replay_makes_lost_rows_again_and_registers_their_partition(dev, services, stored):
    key = next(iter(services.lake.objects.list("activities/")))
    before = services.lake.objects.get(key).body
    services.lake.objects.delete(key, expected=Condition.ANYTHING)

    said = dev.run(replay.app)

    assert (said.status, said.out) == (0, "Rebuilt: 1 activities, 1 rows.\n")
    assert said.err.startswith(f"{THERE}: this writes, it rebuilds the lake's tables.")
    assert services.lake.objects.get(key).body == before
    glue = boto3.client("glue", region_name=REGION)
    (partition,) = glue.get_partitions(DatabaseName="strava_dev", TableName="activities")["Partitions"]
    assert partition["StorageDescriptor"]["Location"].rstrip("/") == f"{dev.settings.lake_url}/{key.rpartition('/')[0]}"


def test_lake_is_asked_without_the_secret(dev, stored):
    boto3.client("secretsmanager", region_name=REGION).delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)

    said = dev.run(query.app, "SELECT name FROM activities", "--format", "csv")

    assert (said.status, said.out) == (0, "name\nWalk\n")
    assert said.err.startswith(THERE)
    assert dev.settings.lake_url in said.err


def test_dead_letters_are_listed_and_revived_without_the_secret(dev, services):
    boto3.client("secretsmanager", region_name=REGION).delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    event = WebhookEvent("activity", 8, "update", ATHLETE_ID, 9, 1_516_126_040)
    services.queue.send(to_body(StravaEvent(event, time.time())))
    (message,) = services.queue.receive(10, visibility_s=30)
    services.queue.bury(message, "Airflow refuses it")

    listed = dev.run(dead_letters.app)
    revived = dev.run(dead_letters.app, "revive", "all")

    assert "activity 8: update" in listed.out
    assert "Airflow refuses it" in listed.out
    assert revived.out == "1 event(s) are in the queue again.\n"
    assert "this writes, it puts dead letters back into the queue" in revived.err
    (again,) = services.queue.receive(10, visibility_s=30)
    assert parse_content(again.body).event == event


def test_stopped_removal_goes_on(dev, services, stored):
    lease = services.state.activities.acquire(ATHLETE_ID, 1)
    services.state.activities.settle(lease, replace(stored, reason=f"Gone at Strava. {STOPPED}"))

    said = dev.run(removals.app, str(ATHLETE_ID))

    assert said.out.startswith(f"1 activities of athlete {ATHLETE_ID} are checked at Strava again")
    (message,) = services.queue.receive(10, visibility_s=30)
    assert isinstance(parse_content(message.body), ConfirmRemoval)


def test_alarms_are_tried_in_the_environment_that_the_first_line_names(dev):
    topic_arn = boto3.client("sns", region_name=REGION).create_topic(Name="strava-dev-alarms")["TopicArn"]
    paths = {"topic_arn": topic_arn, "alarm_name": "strava-dev-dead-letters", "event": {}}
    dev.tell({**dev.outputs(), "alarm_paths": paths})

    said = dev.run(alarms.app, "dev")

    assert said.status == 1
    assert said.err.startswith(f"{THERE}: this writes, it sends test messages.")
    assert "set alarm_emails in terraform.tfvars" in said.err


@pytest.mark.parametrize("app", [alarms.app, deploy.app], ids=["alarms", "deploy"])
def test_help_of_what_is_for_aws_alone_names_the_environments(app):
    arguments = ["up", "--help"] if app is deploy.app else ["--help"]

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0
    assert "dev|prod" in result.stdout.replace("[", "").replace("]", "")
