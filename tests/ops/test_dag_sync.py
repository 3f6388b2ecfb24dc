"""MWAA's dags folder is made equal to the packaged one."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from include.errors import SettingsError
from ops.dag_sync import SyncReport, sync_dags

BUCKET = "mwaa"


@pytest.fixture
def client(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "simulated")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def folder(tmp_path):
    files = {
        "strava_ingest.py": "dag",
        ".airflowignore": "include/",
        "constraints-3.3.1.txt": "Terraform's",
        "include/settings.py": "code",
        "include/__pycache__/settings.pyc": "cache",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def content(client):
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]
    return {key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys}


class Recorder:
    """A client that notes the order of writes."""

    def __init__(self, client):
        self._client = client
        self.written = []

    def __getattr__(self, name):
        return getattr(self._client, name)

    def put_object(self, **request):
        self.written.append(request["Key"])
        return self._client.put_object(**request)

    def delete_object(self, **request):
        self.written.append(f"-{request['Key']}")
        return self._client.delete_object(**request)


def test_sync_fills_an_empty_bucket(client, folder):
    assert sync_dags(client, BUCKET, folder) == SyncReport(uploaded=3, unchanged=0, deleted=0)
    assert content(client) == {
        "dags/strava_ingest.py": "dag",
        "dags/.airflowignore": "include/",
        "dags/include/settings.py": "code",
    }


def test_sync_does_nothing_when_nothing_changed(client, folder):
    sync_dags(client, BUCKET, folder)

    assert sync_dags(client, BUCKET, folder) == SyncReport(uploaded=0, unchanged=3, deleted=0)


def test_sync_uploads_code_before_dags_and_deletes_dags_before_code(client, folder):
    recorder = Recorder(client)
    client.put_object(Bucket=BUCKET, Key="dags/include/old.py", Body=b"code")
    client.put_object(Bucket=BUCKET, Key="dags/old_dag.py", Body=b"dag")

    assert sync_dags(recorder, BUCKET, folder).deleted == 2
    assert recorder.written == [
        "dags/include/settings.py",
        "dags/.airflowignore",
        "dags/strava_ingest.py",
        "-dags/old_dag.py",
        "-dags/include/old.py",
    ]


def test_sync_replaces_a_file_of_the_same_size(client, folder):
    sync_dags(client, BUCKET, folder)
    (folder / "strava_ingest.py").write_text("DAG")

    assert sync_dags(client, BUCKET, folder) == SyncReport(uploaded=1, unchanged=2, deleted=0)
    assert content(client)["dags/strava_ingest.py"] == "DAG"


def test_sync_leaves_alone_what_terraform_keeps_there_and_what_lies_elsewhere(client, folder):
    client.put_object(Bucket=BUCKET, Key="dags/constraints-3.3.1.txt", Body=b"kept")
    client.put_object(Bucket=BUCKET, Key="plugins.zip", Body=b"kept")

    sync_dags(client, BUCKET, folder)

    assert content(client)["dags/constraints-3.3.1.txt"] == content(client)["plugins.zip"] == "kept"


def test_sync_refuses_a_folder_without_dags(client, tmp_path):
    client.put_object(Bucket=BUCKET, Key="dags/strava_ingest.py", Body=b"dag")

    with pytest.raises(SettingsError, match="make package"):
        sync_dags(client, BUCKET, tmp_path)
    assert content(client) == {"dags/strava_ingest.py": "dag"}
