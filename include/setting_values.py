"""The values that a setting may have: an example of each, patterns and choices, and their check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from include.errors import SettingsError

EXAMPLES: Mapping[str, str] = {
    "STRAVA_CLIENT_ID": "12345",
    "STRAVA_CLIENT_SECRET": "the secret shown at strava.com/settings/api",
    "WEBHOOK_PATH_SECRET": "32 random characters, for example from `openssl rand -hex 16`",
    "WEBHOOK_VERIFY_TOKEN": "32 random characters, for example from `openssl rand -hex 16`",
    "WEBHOOK_SIGNING_KEY": "the key with which Strava signs the application's events",
    "COOKIE_KEY": "64 random characters, for example from `openssl rand -hex 32`",
    "PUBLIC_URL": "https://ingest.example.org",
    "OPERATOR_NAME": "Ann Example",
    "CONTACT": "privacy@example.org",
    "PRIVACY_URL": "https://ingest.example.org/privacy",
    "MAIL_URL": "smtps://user@smtp.example.org:465",
    "MAIL_PASSWORD": "the password of that user",
    "STATE_URL": "sqlite:///var/lib/strava/state.sqlite",
    "LAKE_URL": "file:///var/lib/strava/lake",
    "QUEUE_URL": "sqlite:///var/lib/strava/state.sqlite",
    "KEY_URL": "file:///var/lib/strava/token.key",
    "CATALOG_URL": "duckdb:///var/lib/strava/catalog.duckdb",
    "AIRFLOW_URL": "http://127.0.0.1:8080",
    "AIRFLOW_USERNAME": "webhook",
    "AIRFLOW_PASSWORD": "the password of that Airflow user",
    "STRAVA_API_URL": "https://www.strava.com/api/v3",
    "STRAVA_OAUTH_URL": "https://www.strava.com/oauth",
    "STRAVA_REVOKE": "token",
    "RETENTION_DAYS": "keep",
    "LAKE_ENCODINGS": "safe",
    "CRAWL_EVERY_H": "24",
    "LIST_EVERY_H": "6",
    "MESSAGES_KEEP_DAYS": "28",
    "RUNS_KEEP_DAYS": "30",
    "VERSIONS_KEEP_DAYS": "7",
    "RECOVERY_KEEP_DAYS": "7",
    "LOGS_KEEP_DAYS": "30",
    "CRAWLER_LOG_KEEP_DAYS": "30",
    "ANSWERS_KEEP_DAYS": "7",
}
"""Every variable there is, each with an example of a good value."""

PATTERNS: Mapping[str, tuple[str, str]] = {
    "RETENTION_DAYS": (r"keep|[1-9][0-9]{0,4}", "days, from 1 to 99999, or to keep"),
    "CRAWL_EVERY_H": (r"[1-9][0-9]{0,3}", "hours, from 1 to 9999"),
    "CONTACT": (r"[^@\s,<>\"?&]+@[^@\s,<>\"?&]+|https://\S+", "one mail address, or an https address"),
    "PRIVACY_URL": (r"https?://\S+", "the address of a page"),
    "LIST_EVERY_H": (r"[1-9]|1[0-9]|2[0-4]", "hours, from 1 to 24"),
    **dict.fromkeys(
        (
            *("VERSIONS_KEEP_DAYS", "RECOVERY_KEEP_DAYS", "LOGS_KEEP_DAYS", "CRAWLER_LOG_KEEP_DAYS"),
            *("ANSWERS_KEEP_DAYS", "MESSAGES_KEEP_DAYS", "RUNS_KEEP_DAYS"),
        ),
        (r"[1-9][0-9]{0,3}", "days, from 1 to 9999"),
    ),
}
"""The pattern of a variable's value, and its description."""

SMTP_URL = re.compile(
    r"smtps://(?P<user>[^:@/\s]+)@(?P<host>[A-Za-z0-9.-]+):"
    r"(?P<port>[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
SES_URL = re.compile(r"ses://(?P<region>[a-z]{2}(-[a-z]+)+-[0-9])")
MAIL_FOLDER_URL = re.compile(r"file://(?P<folder>/.+)")
"""What `MAIL_URL` may be."""

_BASE_URLS = ("STRAVA_API_URL", "STRAVA_OAUTH_URL")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The hosts that only this machine reaches."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "STRAVA_REVOKE": ("token", "legacy"),
    "LAKE_ENCODINGS": ("safe", "all"),
}
"""Variables that take one of a few values."""


def _check_base_url(variable: str, value: str) -> None:
    """Check a base URL. Errors: `SettingsError` if it would send tokens in the clear, or takes no further path."""
    try:
        url = urlsplit(value)
        host, _ = url.hostname, url.port
    except ValueError:
        host = None
    is_good = (
        host is not None
        and (url.scheme == "https" or (url.scheme == "http" and host in LOOPBACK))
        and not (url.query or url.fragment or url.username or url.password or value.endswith(("?", "#")))
    )
    if not is_good:
        raise SettingsError(
            f"{variable} is {_without_userinfo(value)!r}; set it to an https address with a host and without a query, "
            f"for example: {EXAMPLES[variable]}"
        )


def _without_userinfo(value: str) -> str:
    """The value without the parts that may hold a secret."""
    return re.sub(r"//[^/]*@", "//", value.partition("?")[0].partition("#")[0])


def check_values(values: Mapping[str, str]) -> None:
    """Check values. Errors: `SettingsError` for one that is not among the choices, or does not match the pattern."""
    for variable, choices in CHOICES.items():
        value = values.get(variable.lower(), choices[0])
        if value not in choices:
            raise SettingsError(f"{variable} is {value!r}; set it to {' or '.join(choices)}.")
    for variable, (pattern, meaning) in PATTERNS.items():
        given = values.get(variable.lower())
        if given is not None and not re.fullmatch(pattern, given):
            raise SettingsError(f"{variable} is {given!r}; set it to {meaning}.")
    for variable in _BASE_URLS:
        if variable.lower() in values:
            _check_base_url(variable, values[variable.lower()])
