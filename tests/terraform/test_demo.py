"""`make demo BACKEND=aws` makes what Terraform makes, as far as the code calls it."""

from __future__ import annotations

import json

import pytest

from local.aws import resources
from local.aws.backend import Aws
from local.aws.resources import Resources
from local.stack.airflow.home import HEARTBEATS
from webhook_api.app import PAGE_S


@pytest.fixture
def made(environment) -> Resources:
    """The resources of an environment, as the demo would make them."""
    return Resources(f"strava-{environment.name}")


def test_glue_tables_are_those_of_the_plan(environment, made: Resources) -> None:
    planned = {one["name"]: one for one in environment.all("aws_glue_catalog_table").values()}
    tables = {table["Name"]: table for table in made.glue_tables()}

    assert tables.keys() == planned.keys()
    for name, table in tables.items():
        (storage,) = planned[name]["storage_descriptor"]
        ours = table["StorageDescriptor"]
        assert (table["TableType"], table["Parameters"]) == (planned[name]["table_type"], planned[name]["parameters"])
        assert [(key["Name"], key["Type"]) for key in table["PartitionKeys"]] == [
            (key["name"], key["type"]) for key in planned[name]["partition_keys"]
        ]
        assert [(one["Name"], one["Type"], one["Comment"]) for one in ours["Columns"]] == [
            (one["name"], one["type"], one["comment"]) for one in storage["columns"]
        ]
        assert (ours["InputFormat"], ours["OutputFormat"]) == (storage["input_format"], storage["output_format"])
        assert ours["SerdeInfo"]["SerializationLibrary"] == storage["ser_de_info"][0]["serialization_library"]
        assert ours["Location"].endswith(f"/{resources.LAKE_PREFIX}/{name}/")
        assert storage["location"].endswith(f"/{resources.LAKE_PREFIX}/{name}/")


def test_crawler_is_that_of_the_plan(environment, made: Resources) -> None:
    planned, ours = environment.one("aws_glue_crawler", "this"), made.crawler_definition()
    (target,), (ours_target,) = planned["catalog_target"], ours["Targets"]["CatalogTargets"]

    assert ours["Name"] == planned["name"]
    assert (ours_target["DatabaseName"], ours_target["Tables"]) == (target["database_name"], target["tables"])
    assert ours["SchemaChangePolicy"] == {
        "DeleteBehavior": planned["schema_change_policy"][0]["delete_behavior"],
        "UpdateBehavior": planned["schema_change_policy"][0]["update_behavior"],
    }
    assert ours["RecrawlPolicy"]["RecrawlBehavior"] == planned["recrawl_policy"][0]["recrawl_behavior"]
    assert json.loads(ours["Configuration"]) == json.loads(planned["configuration"])
    assert environment.one("aws_glue_catalog_database", "this")["name"] == made.database


def test_queues_are_those_of_the_plan(environment, made: Resources) -> None:
    events, dead = (environment.one("aws_sqs_queue", name) for name in ("events", "dead_letters"))
    ours = made.queue_attributes()

    assert made.queue_url().endswith(f"/{events['name']}")
    assert made.queue_url("dead-letters").endswith(f"/{dead['name']}")
    assert ours["VisibilityTimeout"] == str(events["visibility_timeout_seconds"])
    assert ours["MessageRetentionPeriod"] == str(events["message_retention_seconds"])
    assert dead["message_retention_seconds"] == resources.RETENTION_S
    assert (
        json.loads(ours["RedrivePolicy"])["maxReceiveCount"] == json.loads(events["redrive_policy"])["maxReceiveCount"]
    )


def test_event_source_and_time_limits_are_those_of_the_plan(environment) -> None:
    mapping = environment.one("aws_lambda_event_source_mapping", "events")

    assert (
        mapping["batch_size"],
        mapping["maximum_batching_window_in_seconds"],
    ) == (resources.BATCH_SIZE, resources.BATCH_WINDOW_S)
    assert environment.one("aws_lambda_function", "dispatcher")["timeout"] == resources.DISPATCHER_TIMEOUT_S
    assert environment.one("aws_lambda_function", "http")["timeout"] == resources.HTTP_TIMEOUT_S
    assert resources.HTTP_TIMEOUT_S > PAGE_S  # a page says itself that something did not answer


def test_key_bucket_secret_and_tables_have_the_names_of_the_plan(environment, made: Resources) -> None:
    tables = {table["name"] for table in environment.all("aws_dynamodb_table").values()}

    assert made.key_alias == environment.one("aws_kms_alias", "token")["name"]
    assert environment.one("aws_s3_bucket", "lake")["bucket"].startswith(f"strava-{environment.name}-lake-")
    assert all(name.startswith(made.table_prefix) for name in tables)
    assert environment.one("aws_secretsmanager_secret", "strava_api")["name"].rpartition("/")[2] == "strava_api"


def test_airflow_finds_its_connection_as_the_plan_configures_mwaa(environment, made: Resources) -> None:
    options = environment.one("aws_mwaa_environment", "this")["airflow_configuration_options"]
    ours = Aws(made).airflow({"PYTHONPATH": ""})

    assert ours["AIRFLOW__SECRETS__BACKEND"] == options["secrets.backend"]
    planned = json.loads(options["secrets.backend_kwargs"])
    assert {**json.loads(ours["AIRFLOW__SECRETS__BACKEND_KWARGS"]), "connections_prefix": ""} == {
        **planned,
        "connections_prefix": "",
    }


def test_heartbeats_of_tasks_are_those_of_one_machine(environment) -> None:
    options = environment.one("aws_mwaa_environment", "this")["airflow_configuration_options"]

    assert {name: options[f"workers.{name}"] for name in HEARTBEATS} == HEARTBEATS


@pytest.mark.parametrize("setting", ["STATE_URL", "LAKE_URL", "KEY_URL", "CATALOG_URL", "QUEUE_URL", "AIRFLOW_URL"])
def test_settings_have_the_form_of_those_that_the_lambdas_get(environment, made: Resources, setting: str) -> None:
    planned = environment.one("aws_lambda_function", "http")["environment"][0]["variables"]

    assert made.settings()[setting].partition("://")[0] == planned[setting].partition("://")[0]
