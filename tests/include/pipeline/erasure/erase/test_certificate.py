"""What the certificate of an erasure says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.pipeline.erasure.erase import EraseRequest, erase
from include.state.erasures.ledger import EraseReason
from include.store.store import Key

pytestmark = pytest.mark.network

ANN, REX = 71, 72
OPERATOR = EraseRequest(ANN, EraseReason.OPERATOR)


def test_certificate_says_what_went_when_and_when_the_last_trace_is_gone(place):
    place.run(OPERATOR)

    (certificate,) = place.certificates()
    assert certificate["athlete_id"] == ANN
    assert certificate["began_at"] == "2026-06-17T12:02:04+00:00" or certificate["began_at"].startswith("2026-06-17T12")
    assert certificate["finished_at"] >= certificate["began_at"]
    assert certificate["removed"]["streams_rows"] == 120
    assert set(certificate["last_traces"]) == {
        "object_versions",
        "point_in_time_recovery",
        "logs",
        "queue",
        "airflow_runs",
        "airflow_audit_log",
    }
    text = json.dumps(certificate)
    assert not [word for word in ("Ann", "Rex", "Walk", "Other", "secret") if word in text]


ON_AWS = {
    "lake_url": "s3://bucket/lake",
    "state_url": "dynamodb://strava-",
    "catalog_url": "glue://strava/crawler",
    "airflow_url": "mwaa://strava",
    "key_url": "kms://alias/strava-token",
}
DAYS = {
    "versions_keep_days": "3",
    "recovery_keep_days": "5",
    "logs_keep_days": "14",
    "crawler_log_keep_days": "9",
    "answers_keep_days": "2",
    "messages_keep_days": "6",
    "runs_keep_days": "8",
}


def days_left(place, **settings):
    """In how many days the place has forgotten, by the certificate of an erasure; None where nobody knows."""
    with place.services() as services:
        certificate = erase(services, OPERATOR, replace(place.settings, **settings)).certificate
    finished_at = datetime.fromtimestamp(certificate.finished_at_epoch_s, UTC)
    ends = {name: trace["gone_by"] for name, trace in certificate.residual_records.items()}
    return {name: end and (datetime.fromisoformat(end) - finished_at).days for name, end in ends.items()}


def test_certificate_on_aws_names_every_place_with_the_days_that_the_installation_keeps(place):
    assert days_left(place, **ON_AWS, **DAYS) == {
        "object_versions": 3,
        "query_answers": 2,
        "query_history": 45,
        "point_in_time_recovery": 5,
        "queue": 6,
        "logs": 14,
        "crawler_log": 9,
        "cloudtrail": 90,
        "airflow_runs": 9,
        "airflow_audit_log": None,
    }


def test_certificate_promises_no_end_that_no_setting_says(place):
    ends = days_left(place, **ON_AWS)

    assert {name for name, days in ends.items() if days is None} == {
        *("object_versions", "query_answers", "point_in_time_recovery", "logs", "crawler_log", "airflow_audit_log")
    }
    (certificate,) = place.certificates()
    assert "CRAWLER_LOG_KEEP_DAYS" in certificate["last_traces"]["crawler_log"]["because"]


def test_certificate_of_one_machine_names_what_goes_by_itself_and_what_by_hand(place):
    assert days_left(place) == {
        "object_versions": 0,
        "point_in_time_recovery": 0,
        "queue": 28,
        "logs": None,
        "airflow_runs": 31,
        "airflow_audit_log": 31,
    }


def test_link_of_the_erasure_leads_to_the_certificate_that_the_lake_keeps(place):
    place.run()

    with place.services() as services:
        linked = services.state.certificates.get(services.state.erasures.get(ANN).link_id)
    assert [json.loads(linked.document)] == place.certificates()
    assert services.state.mail_addresses.opened(ANN, linked.sealed_address) == "ann@example.com"


def test_erasure_that_an_older_version_asked_for_gets_a_link(place):
    with place.services() as services:
        asked = services.state.erasures.ask_now(ANN, EraseReason.ATHLETE)
        fields = {name: value for name, value in asked.to_fields().items() if name != "link_id"}
        services.state.erasures._store.put(Key("erasures", str(ANN)), fields, expected_version=asked.version)

    place.run()

    with place.services() as services:
        assert services.state.certificates.get(services.state.erasures.get(ANN).link_id).is_finished
