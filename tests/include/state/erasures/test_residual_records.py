"""Which places keep records of an erased athlete, for how long, and in which words they say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.erasures.residual_records import ResidualRecord, residual_records

ONE_MACHINE = replace(
    Settings.from_environ(EXAMPLES),
    lake_url="file:///lake",
    state_url="sqlite:///state.sqlite",
    catalog_url="",
    airflow_url="http://localhost:8080",
    key_url="file:///token.key",
    messages_keep_days="6",
    runs_keep_days="8",
)
ON_AWS = replace(
    ONE_MACHINE,
    lake_url="s3://bucket/lake",
    state_url="dynamodb://strava-",
    catalog_url="glue://strava/crawler",
    airflow_url="mwaa://strava",
    key_url="kms://alias/strava-token",
    versions_keep_days="3",
    recovery_keep_days="5",
    logs_keep_days="14",
    crawler_log_keep_days="9",
    answers_keep_days="2",
)
BY_HAND = "The people who run this service have to clear the backups that they made."
MESSAGES = "Messages about changes to activities that wait or could not be handled: kept for 6 days."
RUNS = "Records of the program's runs hold your number; they are deleted 8 days after each run."


def test_one_machine_keeps_what_its_settings_and_its_operator_say() -> None:
    assert residual_records(ONE_MACHINE) == [
        ResidualRecord("object_versions", 0, f"The archive keeps no earlier versions of its files. {BY_HAND}"),
        ResidualRecord("point_in_time_recovery", 0, f"The database keeps no history. {BY_HAND}"),
        ResidualRecord("queue", 6, MESSAGES),
        ResidualRecord(
            "logs",
            None,
            "Logs on the machine, and a database of Airflow that was set aside, hold your number until deleted by "
            "hand.",
        ),
        ResidualRecord("airflow_runs", 9, RUNS),
        ResidualRecord(
            "airflow_audit_log",
            9,
            "Airflow's audit log holds your number for 8 days, then until the system has run for a day.",
        ),
    ]


def test_aws_keeps_what_its_settings_and_its_services_say() -> None:
    assert residual_records(ON_AWS) == [
        ResidualRecord("object_versions", 3, "Earlier versions of files: kept for 3 days."),
        ResidualRecord("query_answers", 2, "Answers to analysts' queries: kept for 2 days."),
        ResidualRecord(
            "query_history",
            45,
            "Texts of queries, which name athletes: Athena keeps their history for 45 days.",
        ),
        ResidualRecord(
            "point_in_time_recovery",
            5,
            "Earlier states of the tables, for point-in-time recovery: kept for 5 days.",
        ),
        ResidualRecord("queue", 6, MESSAGES),
        ResidualRecord("logs", 14, "Logs, which hold your number and times: kept for 14 days."),
        ResidualRecord(
            "crawler_log",
            9,
            "Lines of the crawler's log, which name folders by your number: kept for 9 days.",
        ),
        ResidualRecord(
            "cloudtrail",
            90,
            "Calls to KMS, which name whose tokens they open: CloudTrail keeps its history for 90 days; a trail of the "
            "account's own, as it says.",
        ),
        ResidualRecord("airflow_runs", 9, RUNS),
        ResidualRecord(
            "airflow_audit_log",
            None,
            "Airflow's audit log, and events of older versions, hold your number until an operator clears them.",
        ),
    ]


@pytest.mark.parametrize(
    ("setting", "place", "variable"),
    [
        ("versions_keep_days", "object_versions", "VERSIONS_KEEP_DAYS"),
        ("answers_keep_days", "query_answers", "ANSWERS_KEEP_DAYS"),
        ("recovery_keep_days", "point_in_time_recovery", "RECOVERY_KEEP_DAYS"),
        ("messages_keep_days", "queue", "MESSAGES_KEEP_DAYS"),
        ("logs_keep_days", "logs", "LOGS_KEEP_DAYS"),
        ("crawler_log_keep_days", "crawler_log", "CRAWLER_LOG_KEEP_DAYS"),
    ],
)
def test_place_promises_no_end_that_its_setting_does_not_say(setting: str, place: str, variable: str) -> None:
    said = {record.place: record for record in residual_records(replace(ON_AWS, **{setting: ""}))}

    assert said[place].keep_days is None
    assert said[place].because.endswith(f": kept until somebody deletes them, because {variable} is not set.")
    assert [record for record in said.values() if record.place != place] == [
        record for record in residual_records(ON_AWS) if record.place != place
    ]


@pytest.mark.parametrize(
    ("keep_days", "gone_by"),
    [
        pytest.param(None, None, id="nobody knows"),
        pytest.param(0, "2023-11-14T22:13:20+00:00", id="at once"),
        pytest.param(1, "2023-11-15T22:13:20+00:00", id="in a day"),
        pytest.param(90, "2024-02-12T22:13:20+00:00", id="in 90"),
    ],
)
def test_certificate_names_the_moment_when_a_record_is_gone(keep_days: int | None, gone_by: str | None) -> None:
    record = ResidualRecord("logs", keep_days, "Logs.")

    assert record.to_json(1_700_000_000) == {"gone_by": gone_by, "because": "Logs."}
