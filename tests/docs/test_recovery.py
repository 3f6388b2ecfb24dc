"""Every call of AWS on the page about recovery exists, and the calls, in their order, do on moto what the page says."""

from __future__ import annotations

import io
import json
import re
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import boto3
import botocore.session
import jmespath
import pytest
from botocore import xform_name
from moto import mock_aws

from include.store.dynamodb_tables import create_tables

PAGE = (Path(__file__).parents[2] / "docs" / "recovery.md").read_text()
ON_AWS = PAGE[PAGE.index("## AWS") :]
SERVICES = "dynamodb|s3api|kms|secretsmanager|lambda"
LINE = re.compile(rf"^(?:(?P<name>\w+)=\$\()?aws (?P<call>(?:{SERVICES}) .+?)(?(name)\))$", re.MULTILINE)
VALUE = re.compile(r"^(?P<name>\w+)=(?P<value>[^$]+)$", re.MULTILINE)
CALLS = [match["call"] for match in LINE.finditer(ON_AWS)]
GENERAL = {"query", "output"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
TABLE = "strava-dev-activities"


def test_every_call_of_the_page_is_tried() -> None:
    assert len(CALLS) == PAGE.count("aws ") - PAGE.count("an aws ") > 18


class Call:
    """One call of the CLI, by the model of its service."""

    def __init__(self, text: str) -> None:
        service, self.operation, *rest = shlex.split(text)
        self.service = {"s3api": "s3"}.get(service, service)
        session = botocore.session.get_session()
        self.waiter = rest.pop(0) if self.operation == "wait" else ""
        if self.waiter:
            waiters = session.get_waiter_model(self.service)
            [name] = [one for one in waiters.waiter_names if xform_name(one, "-") == self.waiter]
            self.operation = xform_name(waiters.get_waiter(name).operation, "-")
        model = session.get_service_model(self.service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        self.shape = model.operation_model(names[self.operation]).input_shape
        self.options = dict(_options(rest))

    def run(self) -> Any:
        """What it prints, as JSON has it."""
        assert self.shape is not None
        names = {xform_name(name, "-"): name for name in self.shape.members}
        given = {names[name.removeprefix("no-")]: value for name, value in self.options.items() if name not in GENERAL}
        client: Any = boto3.client(self.service)  # type: ignore[call-overload]  # the name is the page's
        if self.waiter:
            return client.get_waiter(self.waiter.replace("-", "_")).wait(**given)
        answer = json.loads(json.dumps(getattr(client, self.operation.replace("-", "_"))(**given), default=str))
        return jmespath.search(self.options["query"], answer) if "query" in self.options else answer


def _options(words: list[str]) -> Iterator[tuple[str, Any]]:
    while words:
        name = words.pop(0).removeprefix("--")
        is_flag = not words or words[0].startswith("--")
        yield name, not name.startswith("no-") if is_flag else words.pop(0)


@pytest.mark.parametrize("text", CALLS)
def test_call_of_aws_is_in_its_model_with_its_options(text: str) -> None:
    call = Call(text)

    assert call.shape is not None
    members = {xform_name(name, "-"): member for name, member in call.shape.members.items()}
    options = call.options.keys() - GENERAL
    for option in options:
        positive = option.removeprefix("no-")
        assert positive in members
        assert positive == option or members[positive].type_name == "boolean"
    required = {xform_name(name, "-") for name in call.shape.required_members}
    assert required <= options


def play(section: str, **known: str) -> dict[str, Any]:
    """Run the section's calls in order; returns what each printed, and the variables, which `known` replaces."""
    body = ON_AWS[ON_AWS.index(section) :].partition("\n###")[0]
    variables = {match["name"]: match["value"] for match in VALUE.finditer(body)} | known
    printed: dict[str, Any] = {}
    for match in LINE.finditer(body):
        answer = Call(Template(match["call"]).substitute(variables)).run()
        printed[match["call"].split(" --")[0]] = answer
        if match["name"]:
            variables[match["name"]] = answer
    return printed


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account in which nothing is."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "simulated")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


def dispatcher() -> Any:
    """The dispatcher's event source, as Terraform makes it."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("empty.py", "")
    role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    client = boto3.client("lambda")
    client.create_function(
        FunctionName="strava-dev-dispatcher",
        Runtime="python3.12",
        Role=role,
        Handler="empty.handler",
        Code={"ZipFile": code.getvalue()},
    )
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return client.create_event_source_mapping(EventSourceArn=arn, FunctionName="strava-dev-dispatcher")


@pytest.mark.usefixtures("aws")
def test_restored_table_has_its_old_name_its_rows_and_its_indexes_and_the_dispatcher_stands_still() -> None:
    client = boto3.client("dynamodb")
    create_tables(client, "strava-dev-")
    row = {"partition": {"S": "1"}, "sort": {"S": "2"}}
    client.put_item(TableName=TABLE, Item=row)
    client.update_table(TableName=TABLE, DeletionProtectionEnabled=True)
    before = client.describe_table(TableName=TABLE)["Table"]
    source = dispatcher()
    lake = boto3.client("s3")
    lake.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    lake.put_object(Bucket="lake", Key="lake/certificates/1.json", Body=b"{}")

    printed = play("### The state", bucket="lake")

    after = client.describe_table(TableName=TABLE)["Table"]
    assert TABLE in printed["dynamodb list-tables"]
    assert client.scan(TableName=TABLE)["Items"] == [row]
    assert "SourceBackupArn" in after["RestoreSummary"]
    assert after["KeySchema"] == before["KeySchema"]
    assert [one["IndexName"] for one in after.get("GlobalSecondaryIndexes", ())] == [
        one["IndexName"] for one in before.get("GlobalSecondaryIndexes", ())
    ]
    assert f"{TABLE}-then" not in client.list_tables()["TableNames"]
    mapping = boto3.client("lambda").get_event_source_mapping(UUID=source["UUID"])
    assert mapping["State"] in ("Disabling", "Disabled")
    assert printed["s3api list-objects-v2"] == ["lake/certificates/1.json"]


@pytest.mark.usefixtures("aws")
def test_deleted_object_of_the_lake_comes_back_from_its_version() -> None:
    lake = boto3.client("s3")
    lake.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    lake.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    key = "lake/activities/athlete_id=1/year=2026/month=06.parquet"
    whole = lake.put_object(Bucket="lake", Key=key, Body=b"whole")["VersionId"]
    lake.put_object(Bucket="lake", Key=key, Body=b"damaged")
    lake.delete_object(Bucket="lake", Key=key)

    printed = play("### One object", bucket="lake", key=key, version=whole)

    assert whole in [version for version, _ in printed["s3api list-object-versions"]]
    assert lake.get_object(Bucket="lake", Key=key)["Body"].read() == b"whole"


@pytest.mark.usefixtures("aws")
def test_key_and_secret_come_back_within_their_waiting_time() -> None:
    kms, secrets = boto3.client("kms"), boto3.client("secretsmanager")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/strava-dev-token", TargetKeyId=key_id)
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    secrets.create_secret(Name="airflow/connections/strava_api", SecretString="{}")
    secrets.delete_secret(SecretId="airflow/connections/strava_api", RecoveryWindowInDays=30)

    play("### A key or a secret", secret_name="airflow/connections/strava_api")

    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled"
    assert secrets.get_secret_value(SecretId="airflow/connections/strava_api")["SecretString"] == "{}"
