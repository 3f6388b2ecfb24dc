"""A test message goes down each path by which an alarm arrives, to confirmed recipients."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

from include.errors import SettingsError
from ops import alarms
from ops.alarms import recipients, send


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "simulated")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield


@pytest.fixture
def paths(aws):
    """What Terraform says of an environment's alarms, all of it there."""
    topic_arn = boto3.client("sns").create_topic(Name="strava-dev-alarms")["TopicArn"]
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName="strava-dev-dead-letters",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Statistic="Maximum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic_arn],
    )
    event = {
        "Source": "strava-dev.test",
        "DetailType": "Glue Crawler State Change",
        "Detail": json.dumps({"crawlerName": "strava-dev-lake", "state": "Failed"}),
    }
    return {"topic_arn": topic_arn, "alarm_name": "strava-dev-dead-letters", "event": event}


@pytest.fixture
def inbox(paths):
    """A queue in which whatever the topic and an event rule send arrives."""
    client = boto3.client("sqs")
    url = client.create_queue(QueueName="inbox")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns").subscribe(TopicArn=paths["topic_arn"], Protocol="sqs", Endpoint=arn)
    events = boto3.client("events")
    pattern = {"source": ["aws.glue", "strava-dev.test"], "detail": {"crawlerName": ["strava-dev-lake"]}}
    events.put_rule(Name="crawler", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="crawler", Targets=[{"Id": "inbox", "Arn": arn}])

    def arrived():
        messages = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return arrived


def test_message_goes_down_each_path(paths, inbox):
    told = send(paths)

    (alarm,) = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    arrived = inbox()
    assert (alarm["StateValue"], alarm["StateReason"]) == ("ALARM", "A test by `make alarms`: nothing is wrong.")
    assert [one["Subject"] for one in arrived if "Subject" in one] == ["Test"]
    assert [one["detail"]["state"] for one in arrived if one.get("source") == "strava-dev.test"] == ["Failed"]
    assert all(any(name in line for line in told) for name in ("CloudWatch", "EventBridge", "topic"))


def test_who_gets_alarms_is_named(paths):
    boto3.client("sns").subscribe(TopicArn=paths["topic_arn"], Protocol="email", Endpoint="ops@example.org")

    assert recipients(paths) == "To ops@example.org:"


def test_alarms_that_nobody_gets_are_refused(paths):
    with pytest.raises(SettingsError, match="set alarm_emails"):
        recipients(paths)


def test_who_has_not_confirmed_is_named(paths, monkeypatch):
    class Pages:
        def paginate(self, *, TopicArn):  # noqa: N803 - boto3's name
            assert TopicArn == paths["topic_arn"]
            return [{"Subscriptions": [{"Endpoint": "ops@example.org", "SubscriptionArn": "PendingConfirmation"}]}]

    class Client:
        def get_paginator(self, _name):
            return Pages()

    monkeypatch.setattr(alarms, "open_client", lambda _service, _setting: Client())

    with pytest.raises(SettingsError, match=r"ops@example\.org has to confirm"):
        recipients(paths)


def test_alarm_that_is_not_there_is_an_error_of_the_installation(paths, monkeypatch):
    with pytest.raises(SettingsError, match="alarm_paths: AWS refuses SetAlarmState"):
        send({**paths, "alarm_name": "strava-dev-nothing"})
