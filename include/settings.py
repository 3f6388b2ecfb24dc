"""Everything that is configured, read once from the environment into one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from include.errors import SettingsError

EXAMPLES: Mapping[str, str] = {
    "STRAVA_CLIENT_ID": "12345",
    "STRAVA_CLIENT_SECRET": "the secret shown at strava.com/settings/api",
    "WEBHOOK_PATH_SECRET": "32 random characters, for example from `openssl rand -hex 16`",
    "WEBHOOK_VERIFY_TOKEN": "32 random characters, for example from `openssl rand -hex 16`",
    "WEBHOOK_SIGNING_KEY": "the key with which Strava signs the application's events",
    "COOKIE_KEY": "64 random characters, for example from `openssl rand -hex 32`",
    "PUBLIC_URL": "https://ingest.example.org",
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
}
"""Every variable there is, each with an example of a good value."""

CHOICES: Mapping[str, tuple[str, ...]] = {"STRAVA_REVOKE": ("token", "legacy")}
"""Variables that take one of a few values."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of one process. Field names are the variables' names in lower case."""

    strava_client_id: str
    strava_client_secret: str = field(repr=False)
    webhook_path_secret: str = field(repr=False)
    webhook_verify_token: str = field(repr=False)
    cookie_key: str = field(repr=False)
    public_url: str
    """Where browsers and Strava reach the web pages; no trailing slash."""
    state_url: str
    lake_url: str
    queue_url: str
    key_url: str
    catalog_url: str
    airflow_url: str
    airflow_username: str = ""
    airflow_password: str = field(default="", repr=False)
    strava_api_url: str = "https://www.strava.com/api/v3"
    strava_oauth_url: str = "https://www.strava.com/oauth"
    strava_revoke: str = "token"
    """How access is given back: `POST /oauth/revoke`, or `legacy`, `/oauth/deauthorize`, which ends on 2027-06-01."""
    webhook_signing_key: str = field(default="", repr=False)
    """Where it is set, an event without a right `X-Strava-Signature` is refused."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """The settings in `environ`.

        Errors: `SettingsError` that names every missing variable, each with an example, or a value that is no choice.
        """
        values = {}
        missing = []
        for setting in fields(cls):
            variable = setting.name.upper()
            value = environ.get(variable, "").strip()
            if value:
                values[setting.name] = value.rstrip("/") if variable.endswith("_URL") else value
            elif setting.default is not None and not isinstance(setting.default, str):
                missing.append(f"{variable} (for example: {EXAMPLES[variable]})")
        if missing:
            raise SettingsError("Missing settings; set these environment variables: " + "; ".join(missing))
        for variable, choices in CHOICES.items():
            value = values.get(variable.lower(), choices[0])
            if value not in choices:
                raise SettingsError(f"{variable} is {value!r}; set it to {' or '.join(choices)}.")
        return cls(**values)
