"""What is configured, and what is said when it is not."""

from __future__ import annotations

from dataclasses import fields

import pytest

from include.errors import SettingsError
from include.setting_values import CHOICES, EXAMPLES
from include.settings import DispatcherSettings, Settings

OPTIONAL = {
    *("AIRFLOW_USERNAME", "AIRFLOW_PASSWORD", "STRAVA_API_URL", "STRAVA_OAUTH_URL"),
    *("STRAVA_REVOKE", "WEBHOOK_SIGNING_KEY", "RETENTION_DAYS", "LAKE_ENCODINGS", "CRAWL_EVERY_H", "LIST_EVERY_H"),
    *("VERSIONS_KEEP_DAYS", "RECOVERY_KEEP_DAYS", "LOGS_KEEP_DAYS", "CRAWLER_LOG_KEEP_DAYS", "ANSWERS_KEEP_DAYS"),
    *("MESSAGES_KEEP_DAYS", "RUNS_KEEP_DAYS", "OPERATOR_NAME", "CONTACT", "PRIVACY_URL"),
    *("MAIL_URL", "MAIL_PASSWORD"),
}
LOCAL = {"PUBLIC_URL": "http://127.0.0.1:8000"}
SECRET = {
    *("STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "WEBHOOK_VERIFY_TOKEN", "WEBHOOK_SIGNING_KEY"),
    *("COOKIE_KEY", "AIRFLOW_PASSWORD", "MAIL_PASSWORD"),
}


def test_every_setting_has_an_example_and_every_example_a_setting() -> None:
    assert {setting.name.upper() for setting in fields(Settings)} == set(EXAMPLES)
    assert set(CHOICES) <= set(EXAMPLES)


def test_settings_take_every_variable() -> None:
    settings = Settings.from_environ(EXAMPLES)

    assert {setting.name.upper(): getattr(settings, setting.name) for setting in fields(Settings)} == EXAMPLES


def test_settings_name_everything_that_is_missing_with_an_example() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(dict.fromkeys(EXAMPLES, " "))

    assert {name for name in EXAMPLES if name in str(caught.value)} == set(EXAMPLES) - OPTIONAL
    assert EXAMPLES["STATE_URL"] in str(caught.value)


def test_settings_need_nothing_that_has_a_default() -> None:
    settings = Settings.from_environ({name: value for name, value in EXAMPLES.items() if name not in OPTIONAL} | LOCAL)

    assert settings.strava_revoke == "token"
    assert settings.webhook_signing_key == ""
    assert settings.retention_days == ""
    assert settings.lake_encodings == "safe"
    assert settings.list_every_h == "6"
    assert settings.crawl_every_h == "24"


@pytest.mark.parametrize("name", ["OPERATOR_NAME", "CONTACT", "PRIVACY_URL"])
def test_public_address_is_refused_when_the_pages_would_not_say_who_runs_the_service(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"PUBLIC_URL is .*{name} \(for example: .*{EXAMPLES[name]}") as caught:
        Settings.from_environ({**EXAMPLES, name: ""})
    assert sum(other in str(caught.value) for other in ("OPERATOR_NAME", "CONTACT", "PRIVACY_URL")) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost", "https://localhost:8443"])
def test_pages_of_one_machine_need_no_operator_and_say_what_is_missing(address: str) -> None:
    nobody = {"PUBLIC_URL": address, "OPERATOR_NAME": "", "CONTACT": "", "PRIVACY_URL": "", "MAIL_URL": ""}

    settings = Settings.from_environ({**EXAMPLES, **nobody})

    assert settings.missing_rules == ("OPERATOR_NAME", "CONTACT", "PRIVACY_URL")
    assert "OPERATOR_NAME, CONTACT, PRIVACY_URL" in settings.missing_rules_text


@pytest.mark.parametrize("contact", ["nobody", "a b@example.org", "a@b@c", "http://example.org", "a@b.c?bcc=x@y.z"])
def test_contact_that_no_link_can_lead_to_is_refused(contact: str) -> None:
    with pytest.raises(SettingsError, match="CONTACT is"):
        Settings.from_environ({**EXAMPLES, "CONTACT": contact})


def test_settings_show_no_secret() -> None:
    marked = {name: f"secret-{name}" if name in SECRET else value for name, value in EXAMPLES.items()}

    assert "secret-" not in repr(Settings.from_environ(marked))


def test_address_loses_its_last_slash() -> None:
    assert Settings.from_environ({**EXAMPLES, "PUBLIC_URL": "https://a.example/"}).public_url == "https://a.example"


@pytest.mark.parametrize("value", [pytest.param("legacy", id="legacy"), pytest.param("token", id="token")])
def test_choice_is_taken(value: str) -> None:
    assert Settings.from_environ({**EXAMPLES, "STRAVA_REVOKE": value}).strava_revoke == value


def test_choice_is_refused_with_what_there_is_when_it_is_another() -> None:
    with pytest.raises(SettingsError, match="STRAVA_REVOKE is 'both'; set it to token or legacy"):
        Settings.from_environ({**EXAMPLES, "STRAVA_REVOKE": "both"})


@pytest.mark.parametrize("value", [pytest.param(value, id=value) for value in ("0", "-1", "1.5", "10000", "daily")])
def test_crawls_are_hours_apart_and_nothing_else(value: str) -> None:
    with pytest.raises(SettingsError, match=r"CRAWL_EVERY_H is .* hours"):
        Settings.from_environ({**EXAMPLES, "CRAWL_EVERY_H": value})


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.endswith("_KEEP_DAYS")])
def test_kept_days_are_a_number_of_days(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is 'never'; set it to days, from 1 to 9999"):
        Settings.from_environ({**EXAMPLES, name: "never"})


@pytest.mark.parametrize(
    "settings", [pytest.param(Settings, id="everybody"), pytest.param(DispatcherSettings, id="dispatcher")]
)
@pytest.mark.parametrize(
    "days",
    [
        pytest.param({"MESSAGES_KEEP_DAYS": "28", "RUNS_KEEP_DAYS": "28"}, id="as long"),
        pytest.param({"MESSAGES_KEEP_DAYS": "2", "RUNS_KEEP_DAYS": "1"}, id="shorter"),
        pytest.param({"MESSAGES_KEEP_DAYS": "30", "RUNS_KEEP_DAYS": ""}, id="than by default"),
        pytest.param({"MESSAGES_KEEP_DAYS": "", "RUNS_KEEP_DAYS": "9"}, id="than messages by default"),
    ],
)
def test_runs_that_are_not_kept_longer_than_events_are_refused(
    settings: type[DispatcherSettings], days: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match=r"RUNS_KEEP_DAYS is .* start it a second time"):
        settings.from_environ({**EXAMPLES, **days})


def test_runs_that_are_kept_a_day_longer_than_events_are_taken() -> None:
    settings = DispatcherSettings.from_environ({**EXAMPLES, "MESSAGES_KEEP_DAYS": "9", "RUNS_KEEP_DAYS": "10"})

    assert (settings.messages_keep_days, settings.runs_keep_days) == ("9", "10")


@pytest.mark.parametrize("value", [pytest.param(value, id=value) for value in ("keep", "1", "7", "99999")])
def test_retention_is_a_number_of_days_or_for_ever(value: str) -> None:
    assert Settings.from_environ({**EXAMPLES, "RETENTION_DAYS": value}).retention_days == value


@pytest.mark.parametrize(
    "value", [pytest.param(value, id=value) for value in ("0", "-1", "7 days", "1.5", "100000", "seven", "007")]
)
def test_retention_of_another_kind_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="RETENTION_DAYS is"):
        Settings.from_environ({**EXAMPLES, "RETENTION_DAYS": value})


BASE_URLS = ("STRAVA_API_URL", "STRAVA_OAUTH_URL")


@pytest.mark.parametrize("variable", BASE_URLS)
@pytest.mark.parametrize(
    "value",
    [
        "https://www.strava.com/api/v3",
        "https://api-v3.strava.com",
        "https://api-v3.strava.com/",
        "http://127.0.0.1:8180/api/v3",
        "http://localhost:8180",
        "http://[::1]:8180",
    ],
)
def test_base_url_is_taken_when_tokens_travel_safely(variable: str, value: str) -> None:
    assert Settings.from_environ({**EXAMPLES, variable: value})


@pytest.mark.parametrize("variable", BASE_URLS)
@pytest.mark.parametrize(
    "value",
    [
        "http://www.strava.com/api/v3",
        "http://127.0.0.1.example.org",
        "www.strava.com/api/v3",
        "https://",
        "https:///api/v3",
        "https://www.strava.com/api/v3?token=hush",
        "https://www.strava.com/api/v3?",
        "https://www.strava.com/api/v3#hush",
        "https://ann:hush@www.strava.com",
        "https://www.strava.com:port",
        "ftp://www.strava.com",
        "https://[::1",
    ],
)
def test_base_url_is_refused_with_an_example_when_it_is_none(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable) as caught:
        Settings.from_environ({**EXAMPLES, variable: value})
    assert EXAMPLES[variable] in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("value", ["0", "25", "1.5", "hourly"])
def test_settings_refuse_hours_that_no_list_could_be_looked_at(value: str) -> None:
    with pytest.raises(SettingsError, match="LIST_EVERY_H is"):
        Settings.from_environ({**EXAMPLES, "LIST_EVERY_H": value})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"MAIL_URL": "smtp://user@host:25"}, "MAIL_URL is no supported address", id="clear text"),
        pytest.param({"MAIL_URL": "smtps://user:hunter2@host:465"}, "MAIL_URL is no supported", id="password"),
        pytest.param({"MAIL_URL": "smtps://user@host:65536"}, "MAIL_URL is no supported address", id="no such port"),
        pytest.param({"MAIL_URL": "smtps://user@host"}, "set it to one like smtps://user@", id="no port"),
        pytest.param({"MAIL_URL": "ses://"}, "MAIL_URL is no supported address", id="no region"),
        pytest.param({"MAIL_URL": "file:///"}, "MAIL_URL is no supported address", id="no folder"),
        pytest.param({"MAIL_PASSWORD": ""}, "MAIL_PASSWORD is needed", id="no password"),
        pytest.param({"CONTACT": "https://example.org/contact"}, "CONTACT has to be a mail address", id="no sender"),
    ],
)
def test_mails_that_could_not_be_sent_are_noticed_at_the_start(changes: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        Settings.from_environ(EXAMPLES | changes)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["ses://eu-central-1", "file:///var/mails", "smtps://ann%40b.org@h-1.example.org:65535", ""]
)
def test_mails_need_a_password_only_at_an_smtp_server(url: str) -> None:
    password = "hush" if url.startswith("smtps") else ""

    assert Settings.from_environ(EXAMPLES | {"MAIL_URL": url, "MAIL_PASSWORD": password}).mail_url == url
