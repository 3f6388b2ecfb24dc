"""The page on data protection: it says what the code and the settings do, and nothing is left out."""

from __future__ import annotations

import html
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from include.settings import Settings
from include.state.erasures.residual_records import residual_records
from include.store.store import TABLES
from include.strava import scopes
from webhook_api.app import create_app
from webhook_api.site.disclosure import FILES, ROWS_KEPT_S, SCOPES, disclose

ON_AWS = {
    "state_url": "dynamodb://strava-prod-",
    "lake_url": "s3://bucket/lake",
    "queue_url": "https://sqs.eu-central-1.amazonaws.com/1/events",
    "key_url": "kms://alias/token",
    "catalog_url": "glue://db/crawler",
    "airflow_url": "mwaa://strava-prod",
}


def test_every_scope_that_is_asked_for_is_explained() -> None:
    assert set(SCOPES) == {scopes.READ, scopes.ACTIVITY_READ, scopes.ACTIVITY_READ_ALL, scopes.ACTIVITY_WRITE}


def test_every_table_about_somebody_says_how_long_its_rows_stay() -> None:
    assert set(ROWS_KEPT_S) == {name for name, table in TABLES.items() if table.expires and table.holds}


def test_page_names_scopes_tables_files_and_traces(client: FlaskClient, settings: Settings) -> None:
    page = html.unescape(client.get("/privacy").text)

    for name in (*SCOPES, *FILES, *(name for name, table in TABLES.items() if table.holds)):
        assert f"<code>{name}</code>" in page or f"(<code>{name}</code>)" in page
    for table in TABLES.values():
        assert table.holds in page
    for record in residual_records(settings):
        assert record.because in page
    for words in ("Complain to the data protection authority", "Erase my data", "My Apps", "Ann Example"):
        assert words in page


@pytest.mark.parametrize(
    ("days", "words"),
    [
        pytest.param("", "is kept until you have it erased", id="unset"),
        pytest.param("keep", "is kept until you have it erased", id="kept"),
        pytest.param("7", "is deleted 7 days after it was read", id="seven"),
    ],
)
def test_page_says_for_how_long_this_installation_keeps_data(settings: Settings, days: str, words: str) -> None:
    page = create_app(replace(settings, retention_days=days)).test_client().get("/privacy").text

    assert words in " ".join(page.split())


@pytest.mark.parametrize(
    ("mail_url", "words"),
    [
        pytest.param("smtps://ann%40b.org@smtp.example.org:465", "mail server smtp.example.org,", id="smtp"),
        pytest.param("ses://eu-north-1", "Amazon SES in its region eu-north-1", id="ses"),
        pytest.param("", "", id="none"),
        pytest.param("file:///var/mails", "", id="folder"),
    ],
)
def test_page_names_who_delivers_mails_where_any_are_sent(settings: Settings, mail_url: str, words: str) -> None:
    page = create_app(replace(settings, mail_url=mail_url)).test_client().get("/privacy").text

    assert words in page
    assert ("If you give us an email address" in page) == bool(words)
    assert "ann" not in page.partition("<h2>Where it is")[2].partition("</ul>")[0]


def test_days_are_those_of_the_certificate_where_terraform_sets_them(settings: Settings) -> None:
    on_aws = replace(settings, **ON_AWS, versions_keep_days="9", recovery_keep_days="8", logs_keep_days="14")  # type: ignore[arg-type]
    disclosed = disclose(on_aws)

    assert disclosed.residual_records == tuple(residual_records(on_aws))
    assert {trace.place: trace.keep_days for trace in disclosed.residual_records}["object_versions"] == 9
    assert "eu-central-1" in disclosed.places[0]
    page = create_app(on_aws).test_client().get("/privacy").text
    assert "kept for 14 days" in page
