"""A whole environment goes up on moto's server: what stands in for MWAA's own API and for the artefacts."""

from __future__ import annotations

import zipfile
from pathlib import Path

import boto3
import pytest
import requests
from moto import mock_aws

from local.aws.terraform.apply_moto import artefacts
from local.aws.terraform.mwaa_control import mwaa_control


@pytest.mark.network
def test_mwaa_control_creates_shows_updates_and_deletes_an_environment() -> None:
    with mwaa_control() as url:
        address = f"{url}/environments/strava-dev"

        assert requests.get(address, timeout=5).status_code == 404
        assert (
            requests.put(address, json={"EnvironmentClass": "mw1.micro"}, timeout=5)
            .json()["Arn"]
            .endswith("/strava-dev")
        )
        requests.patch(address, json={"EnvironmentClass": "mw1.small"}, timeout=5)
        shown = requests.get(address, timeout=5).json()["Environment"]
        assert (shown["Name"], shown["Status"], shown["EnvironmentClass"]) == ("strava-dev", "AVAILABLE", "mw1.small")
        requests.delete(address, timeout=5)
        assert requests.get(address, timeout=5).status_code == 404


def test_artefacts_are_there_whether_they_were_built_or_not(tmp_path: Path) -> None:
    folder = artefacts(tmp_path / "dist")

    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "webhook_http.zip",
        "webhook_dispatcher.zip",
        "plugins.zip",
        "requirements.txt",
        "dags/constraints-3.3.1.txt",
    }
    assert all(zipfile.is_zipfile(folder / name) for name in names if name.endswith(".zip"))


def test_moto_tells_what_terraform_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import local.aws.terraform.moto_server  # noqa: F401 - it teaches moto

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "simulated")
    with mock_aws():
        client = boto3.client("sqs", region_name="eu-central-1")
        url = client.create_queue(QueueName="dead-letters", Attributes={"KmsMasterKeyId": "key"})["QueueUrl"]
        client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": '{"Statement": [{"Sid": "tls"}]}'})
        client.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": '{"redrivePermission": "byQueue"}'})

        told = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert "byQueue" in told["RedriveAllowPolicy"]
        assert "tls" in told["Policy"]


def test_moto_sends_an_event_to_a_topic_and_deletes_a_saved_query(monkeypatch: pytest.MonkeyPatch) -> None:
    import local.aws.terraform.moto_server  # noqa: F401 - it teaches moto

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "simulated")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        sns, sqs, events, athena = (boto3.client(service) for service in ("sns", "sqs", "events", "athena"))
        topic = sns.create_topic(Name="alarms")["TopicArn"]
        inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        events.put_rule(Name="crawl", EventPattern='{"source": ["dev.test"]}')
        events.put_targets(Rule="crawl", Targets=[{"Id": "topic", "Arn": topic}])
        events.put_rule(Name="night", ScheduleExpression="rate(1 day)")
        events.put_targets(Rule="night", Targets=[{"Id": "function", "Arn": arn.replace(":sqs:", ":lambda:")}])
        query = athena.create_named_query(Name="q", Database="d", QueryString="SELECT 1")["NamedQueryId"]

        for source in ("dev.test", "other"):
            events.put_events(Entries=[{"Source": source, "DetailType": "Failed", "Detail": "{}"}])
        athena.delete_named_query(NamedQueryId=query)

        (message,) = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10)["Messages"]
        assert "dev.test" in message["Body"]
        assert athena.list_named_queries()["NamedQueryIds"] == []
