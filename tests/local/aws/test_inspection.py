"""What is made as Terraform makes it can be used by the leaves, and what they keep is read back whole."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from waitress.server import create_server

from include.aws import open_client
from include.lake.backend import open_catalog, open_objects
from include.lake.objects.objects import Condition
from include.queue.backend import open_queue
from include.state.application.subscriptions import Subscriptions
from include.state.partitions import Partition
from include.store.backend import open_store
from include.strava.models import Subscription
from local.aws.aws_services import teach_glue
from local.aws.inspection import AwsInspection
from local.aws.resources import Resources

pytestmark = pytest.mark.network

RESOURCES = Resources("strava-test")
SETTINGS = RESOURCES.settings()
OBJECT = "streams/athlete_id=7/year=2026/month-01.parquet"
REGISTERED = "activities/athlete_id=7/year=2026/activities.parquet"


@pytest.fixture(scope="module")
def address() -> str:
    """AWS's services."""
    teach_glue()
    listener = socket.create_server(("127.0.0.1", 0))
    server = create_server(DomainDispatcherApplication(create_backend_app), sockets=[listener], threads=1)
    threading.Thread(target=server.run, name="aws", daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
def held(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsInspection]:
    """A system with one subscription, two objects, one in two versions, and one dead letter."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(variable)
        patch.setenv("AWS_ENDPOINT_URL", address)
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "simulated")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE", "true")
        RESOURCES.create({"conn_type": "generic", "extra": {"COOKIE_KEY": "cookie"}})
        Subscriptions(open_store(SETTINGS["STATE_URL"], lambda: 0.0)).save(Subscription(77, "https://x/webhook"))
        objects = open_objects(SETTINGS["LAKE_URL"])
        objects.put(REGISTERED, b"rows", expected=Condition.ABSENT)
        objects.put(OBJECT, b"before", expected=objects.put(OBJECT, b"first", expected=Condition.ABSENT))
        queue = open_queue(SETTINGS["QUEUE_URL"], lambda: 0.0, keep_days=28)
        queue.send("poison")
        queue.bury(queue.receive(1, visibility_s=60)[0], "no event")
        yield AwsInspection(RESOURCES, tmp_path_factory.mktemp("read"))


def test_lake_is_downloaded_as_it_is_now_and_anew_at_each_call(held: AwsInspection) -> None:
    folder = held.lake()
    (folder / "stale").touch()

    again = held.lake()

    found = {path.relative_to(again).as_posix() for path in again.rglob("*") if path.is_file()}
    assert found == {OBJECT, REGISTERED}
    assert (again / OBJECT).read_bytes() == b"before"


def test_every_row_is_read(held: AwsInspection) -> None:
    (row,) = held.rows()
    assert row.table == "subscriptions"
    assert 77 in row.fields.values()


def test_rows_messages_and_old_versions_are_what_lies_outside_of_files(held: AwsInspection) -> None:
    contents = list(held.outside().values())
    assert len(contents) == 3
    for kept in (b"77", b"poison", b"first"):
        assert any(kept in content for content in contents)


def test_partition_that_is_not_registered_and_dead_letter_are_faults(held: AwsInspection) -> None:
    faults = held.faults()
    assert "catalogue: streams/athlete_id=7/year=2026/ is not registered" in faults
    assert faults[-1].startswith("queue: message ")


def test_registered_partition_is_no_fault_and_is_told_with_the_crawl(held: AwsInspection) -> None:
    open_catalog(SETTINGS["CATALOG_URL"], SETTINGS["LAKE_URL"]).register([Partition("activities", 7, 2026)])
    open_client("glue", "CATALOG_URL").start_crawler(Name=RESOURCES.crawler)

    assert not [fault for fault in held.faults() if "activities" in fault]
    told = {row["leaf"]: (row["address"], row["holds"]) for row in held.account()}
    assert told["CATALOG_URL"][0] == "glue://strava_test/strava-test-lake"
    assert "partitions: 1 of activities" in told["CATALOG_URL"][1]
    assert told["LAKE_URL"][1] == "2 objects, 0.0 MB; 1 older versions"
    assert told["QUEUE_URL"][1].startswith("1 messages left")


def test_crawl_ends_and_its_metrics_are_told(held: AwsInspection) -> None:
    glue = open_client("glue", "CATALOG_URL")
    metrics = glue.get_crawler_metrics(CrawlerNameList=[held.resources.crawler])["CrawlerMetricsList"]
    assert [one["CrawlerName"] for one in metrics] == ["strava-test-lake"]
    assert metrics[0]["TablesCreated"] == 0


def test_secret_holds_the_connection(held: AwsInspection) -> None:
    told = [row["address"] for row in held.account() if row["leaf"] == "SECRET_ID"]
    secret = open_client("secretsmanager", "SECRET_ID").get_secret_value(SecretId=told[0])["SecretString"]
    assert json.loads(secret)["extra"] == {"COOKIE_KEY": "cookie"}
