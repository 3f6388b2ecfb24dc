"""What Terraform builds is what the code expects."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from include.lake import cookbook
from include.lake.schemas import TABLES as LAKE_TABLES
from include.setting_values import EXAMPLES
from include.settings import DispatcherSettings, Settings
from include.store.dynamodb_tables import EXPIRY, definition
from include.store.store import TABLES
from include.trigger import mwaa
from local.docs.terraform import glue_type
from webhook_api.dispatcher import MOST_TRIES, VISIBILITY_S

ROOT = Path(__file__).parents[2]
QUEUES = ("events", "dead_letters")
SECRETS = {
    name: EXAMPLES[name]
    for name in (
        "STRAVA_CLIENT_ID",
        "STRAVA_CLIENT_SECRET",
        "WEBHOOK_PATH_SECRET",
        "WEBHOOK_VERIFY_TOKEN",
        "COOKIE_KEY",
    )
}


def described(table):
    """A DynamoDB table of Terraform's, as `CreateTable` takes it."""
    wanted = {
        "TableName": table["name"],
        "BillingMode": table["billing_mode"],
        "KeySchema": keys(table),
        "AttributeDefinitions": {one["name"]: one["type"] for one in table["attribute"]},
    }
    if table["global_secondary_index"]:
        wanted["GlobalSecondaryIndexes"] = {
            index["name"]: (keys(index), index["projection_type"]) for index in table["global_secondary_index"]
        }
    return wanted


def keys(thing):
    return [
        {"AttributeName": thing["hash_key"], "KeyType": "HASH"},
        {"AttributeName": thing["range_key"], "KeyType": "RANGE"},
    ]


def expected(prefix, table):
    wanted = definition(prefix, table)
    wanted["AttributeDefinitions"] = {
        one["AttributeName"]: one["AttributeType"] for one in wanted["AttributeDefinitions"]
    }
    if "GlobalSecondaryIndexes" in wanted:
        wanted["GlobalSecondaryIndexes"] = {
            one["IndexName"]: (one["KeySchema"], one["Projection"]["ProjectionType"])
            for one in wanted["GlobalSecondaryIndexes"]
        }
    return wanted


def test_tables_of_the_state_are_those_that_the_code_creates(environment) -> None:
    planned = environment.all("aws_dynamodb_table")
    prefix = f"strava-{environment.name}-"

    assert {one["name"]: described(one) for one in planned.values()} == {
        f"{prefix}{name}": expected(prefix, table) for name, table in TABLES.items()
    }
    assert {one["name"] for one in planned.values() if any(ttl["enabled"] for ttl in one["ttl"])} == {
        f"{prefix}{name}" for name, table in TABLES.items() if table.expires
    }
    assert {ttl["attribute_name"] for one in planned.values() for ttl in one["ttl"] if ttl["enabled"]} == {EXPIRY}


def test_tables_of_the_lake_have_the_columns_that_the_code_writes(environment) -> None:
    planned = {
        table["name"]: [(one["name"], one["type"]) for one in table["storage_descriptor"][0]["columns"]]
        for table in environment.all("aws_glue_catalog_table").values()
    }

    assert planned == {
        name: [(field.name, glue_type(field.type)) for field in schema] for name, schema in LAKE_TABLES.items()
    }


def test_named_queries_are_the_cookbook(environment) -> None:
    planned = {query["name"]: query["query"] for query in environment.all("aws_athena_named_query").values()}

    assert planned == {name: cookbook.load(name).text for name in cookbook.names()}


def test_web_function_has_every_setting_that_is_no_secret(environment) -> None:
    variables = environment.one("aws_lambda_function", "http")["environment"][0]["variables"]

    settings = Settings.from_environ({**variables, **SECRETS})

    assert variables["SECRET_ID"] == environment.one("aws_secretsmanager_secret", "strava_api")["name"]
    assert settings.state_url == f"dynamodb://strava-{environment.name}-"
    assert settings.key_url == f"kms://alias/strava-{environment.name}-token"
    assert settings.airflow_url == f"mwaa://strava-{environment.name}"
    assert set(variables) - {"SECRET_ID"} <= set(EXAMPLES)


def test_dispatcher_has_every_setting_and_no_secret(environment) -> None:
    variables = environment.one("aws_lambda_function", "dispatcher")["environment"][0]["variables"]

    settings = DispatcherSettings.from_environ(variables)

    assert settings.airflow_url == f"mwaa://strava-{environment.name}"
    assert re.fullmatch(r"https://sqs\.[a-z0-9-]+\.amazonaws\.com/\d+/.+", settings.queue_url)
    assert "SECRET_ID" not in variables


def test_startup_script_gives_tasks_every_setting_that_is_no_secret(environment, tmp_path) -> None:
    script = tmp_path / "startup.sh"
    script.write_text(environment.one("aws_s3_object", "startup")["content"])

    done = subprocess.run(
        ["sh", "-c", f". {script}; env"], check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
    )

    variables = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    settings = Settings.from_environ({**variables, **SECRETS})
    assert settings.lake_url.startswith(f"s3://strava-{environment.name}-lake-")
    assert settings.catalog_url == f"glue://strava_{environment.name}/strava-{environment.name}-lake"
    assert settings.state_url == f"dynamodb://strava-{environment.name}-"
    assert settings.retention_days == "7"


def test_certificates_name_the_days_that_the_resources_keep(environment) -> None:
    """Whatever the variables are, both are rendered from them: the settings, and what AWS does."""
    variables = environment.one("aws_lambda_function", "http")["environment"][0]["variables"]
    lake, answers = (environment.one("aws_s3_bucket_lifecycle_configuration", name) for name in ("lake", "results"))
    tables = environment.all("aws_dynamodb_table").values()
    log_groups = environment.all("aws_cloudwatch_log_group").values()
    groups = {group["name"]: group["retention_in_days"] for group in log_groups}

    versions = [rule for rule in lake["rule"] if rule["noncurrent_version_expiration"]]
    assert variables["VERSIONS_KEEP_DAYS"] == str(versions[0]["noncurrent_version_expiration"][0]["noncurrent_days"])
    assert variables["ANSWERS_KEEP_DAYS"] == str(answers["rule"][0]["expiration"][0]["days"])
    recovery = {table["point_in_time_recovery"][0]["recovery_period_in_days"] for table in tables}
    assert {variables["RECOVERY_KEEP_DAYS"]} == {str(days) for days in recovery}
    assert {variables["LOGS_KEEP_DAYS"]} == {str(days) for days in groups.values()}
    (crawler,) = (days for name, days in groups.items() if name.startswith("/aws-glue/"))
    assert variables["CRAWLER_LOG_KEEP_DAYS"] == str(crawler)


@pytest.mark.parametrize("name", [pytest.param("http", id="http"), pytest.param("dispatcher", id="dispatcher")])
def test_handler_of_a_function_exists(environment, name) -> None:
    module, _, function = environment.one("aws_lambda_function", name)["handler"].rpartition(".")

    assert callable(getattr(importlib.import_module(module), function))


def test_queue_hides_a_batch_as_long_as_the_dispatcher_counts_on(environment) -> None:
    assert environment.one("aws_sqs_queue", "events")["visibility_timeout_seconds"] == VISIBILITY_S


def test_dispatchers_together_stay_below_ten_calls_a_second(environment) -> None:
    source = environment.one("aws_lambda_event_source_mapping", "events")

    assert source["scaling_config"][0]["maximum_concurrency"] / mwaa.CALL_EVERY_S < 10


def test_no_event_becomes_a_dead_letter_before_it_is_left_to_the_ledger(environment) -> None:
    policy = json.loads(environment.one("aws_sqs_queue", "events")["redrive_policy"])

    assert policy["maxReceiveCount"] > MOST_TRIES


@pytest.mark.parametrize("name", [pytest.param("http", id="http"), pytest.param("dispatcher", id="dispatcher")])
def test_messages_are_kept_as_long_as_the_code_is_told_and_runs_longer(environment, name) -> None:
    variables = environment.one("aws_lambda_function", name)["environment"][0]["variables"]
    kept_s = sum(environment.one("aws_sqs_queue", queue)["message_retention_seconds"] for queue in QUEUES)

    assert int(variables["MESSAGES_KEEP_DAYS"]) * 86_400 == kept_s < int(variables["RUNS_KEEP_DAYS"]) * 86_400


def test_dispatcher_is_told_at_night_to_delete_old_runs_as_its_handler_understands_it(environment) -> None:
    told = environment.one("aws_cloudwatch_event_target", "finished_runs")["input"]

    assert "Records" not in json.loads(told), "that would be a batch"
