"""Everything that is configured, read once from the environment into one frozen value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self
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
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

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
        and (url.scheme == "https" or (url.scheme == "http" and host in _LOOPBACK))
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


def _check_values(values: Mapping[str, str]) -> None:
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


def _check_lives(settings: DispatcherSettings) -> None:
    """Check that a run is kept longer than the event that starts it. Errors: `SettingsError`."""
    if int(settings.runs_keep_days) <= int(settings.messages_keep_days):
        raise SettingsError(
            f"RUNS_KEEP_DAYS is {settings.runs_keep_days!r}, and MESSAGES_KEEP_DAYS is "
            f"{settings.messages_keep_days!r}; set the first above the second: an event that comes again would find "
            "its run forgotten, and start it a second time."
        )


def _check_mails(settings: Settings) -> None:
    """Errors: `SettingsError` where mails are wanted and could not be sent; `MAIL_URL` may hold a secret by mistake."""
    url = settings.mail_url
    by_smtp = SMTP_URL.fullmatch(url)
    if not url:
        return
    if not (by_smtp or SES_URL.fullmatch(url) or MAIL_FOLDER_URL.fullmatch(url)):
        raise SettingsError(
            f"MAIL_URL is no supported address: set it to one like {EXAMPLES['MAIL_URL']}, ses://eu-central-1 or "
            "file:///var/lib/strava/mails, without a password, which is MAIL_PASSWORD"
        )
    if "@" not in settings.contact or settings.contact.startswith("https:"):
        raise SettingsError("CONTACT has to be a mail address where MAIL_URL is set: mails come from it")
    if by_smtp and not settings.mail_password:
        raise SettingsError("MAIL_PASSWORD is needed with MAIL_URL: the password of its user")


def _check_operator(settings: Settings) -> None:
    """Check that public pages name their operator. Errors: `SettingsError`."""
    if missing := settings.missing_rules if settings.is_public else ():
        examples = "; ".join(f"{variable} (for example: {EXAMPLES[variable]})" for variable in missing)
        raise SettingsError(
            f"PUBLIC_URL is {settings.public_url!r}, where strangers reach the pages: Strava's agreement and data "
            f"protection law want them told who runs the service. Set these environment variables too: {examples}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherSettings:
    """The settings of the dispatcher: none of Strava's and, on AWS, no secret."""

    state_url: str
    """Where the ledgers are: a file of SQLite, or the prefix of DynamoDB's tables (`dynamodb://strava-prod-`)."""
    queue_url: str
    """Where events wait for a run: a file of SQLite, or the address of an SQS queue."""
    airflow_url: str
    """Where runs are started: Airflow's own address, or an environment of Amazon MWAA (`mwaa://strava-prod`)."""
    airflow_username: str = ""
    """The user as whom the dispatcher starts runs through Airflow's API; MWAA takes the AWS role instead."""
    airflow_password: str = field(default="", repr=False)
    """The password of that user."""
    messages_keep_days: str = "28"
    """For how many days an event that nobody could deliver is kept, as a dead letter at last.

    On AWS one half are the queue's days, the other the dead letters'.
    """
    runs_keep_days: str = "30"
    """For how many days Airflow keeps a run after its end: more than an event is kept.

    An event that comes again finds its run by the run's id; a run that was forgotten would be started a second time.
    """

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
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
        _check_values(values)
        settings = cls(**values)
        _check_lives(settings)
        return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(DispatcherSettings):
    """The configuration of one process. Field names are the variables' names in lower case."""

    strava_client_id: str
    """The number of the Strava application that athletes connect to."""
    strava_client_secret: str = field(repr=False)
    """The secret of that application, with which it exchanges and refreshes tokens."""
    webhook_path_secret: str = field(repr=False)
    """The last part of the webhook's path, `/webhook/<secret>`; an event to another path is not found.

    To change it without losing an event, set the new one, a space, and the one before; drop that when the webhook
    subscription has been created again, which takes the first.
    """
    webhook_verify_token: str = field(repr=False)
    """What Strava repeats when it validates a new webhook subscription; another value is refused."""
    cookie_key: str = field(repr=False)
    """The key that signs session cookies, forms and OAuth states. A new one alone signs everybody out.

    To change it without that, set the new key, a space, and the one before; drop that after 30 days.
    """
    public_url: str
    """Where browsers and Strava reach the web pages, no trailing slash; on AWS the API's address or your own."""
    operator_name: str = ""
    """Who runs this installation, as every page says it: a person or an organisation.

    This setting and the two below are needed where `PUBLIC_URL` is an https address that others reach.
    """
    contact: str = ""
    """Where athletes reach whoever runs it: a mail address, or a page with an https address."""
    privacy_url: str = ""
    """The operator's own statement on data protection, to which every page leads.

    `/privacy` of the installation itself says what the code and these settings do, and may be enough.
    """
    mail_url: str = ""
    """What sends mails, from `CONTACT`: an SMTP server, Amazon SES (`ses://eu-central-1`), or a folder of files.

    Athletes then may give an address, and are told when an access has ended, a copy waits for somebody, or an erasure
    is done. Empty: no mails.
    """
    mail_password: str = field(default="", repr=False)
    """The password of the SMTP server's user."""
    lake_url: str
    """Where the lake's objects are: a folder, or an S3 bucket (`s3://bucket/prefix`)."""
    key_url: str
    """The key that encrypts athletes' tokens: a file, or a key of KMS (`kms://alias/strava-prod-token`)."""
    catalog_url: str
    """Where SQL finds the lake: a DuckDB file with views, or a Glue database and crawler (`glue://database/crawler`)."""
    strava_api_url: str = "https://www.strava.com/api/v3"
    """The base of Strava's API. Nothing is removed until Strava has answered rightly at this address."""
    strava_oauth_url: str = "https://www.strava.com/oauth"
    """The base of Strava's pages of consent and its token endpoint."""
    strava_revoke: str = "token"
    """How access is revoked: `token` calls `POST /oauth/revoke`; `legacy` `/oauth/deauthorize`, until 2027-06-01."""
    webhook_signing_key: str = field(default="", repr=False)
    """The key with which Strava signs events; where set, an event without a right `X-Strava-Signature` is refused."""
    retention_days: str = ""
    """How many days after its fetch data from Strava's API is deleted; `keep`: never.

    Without it everything is kept on one machine; on AWS the owner has to decide, knowing Strava's terms.
    """
    lake_encodings: str = "safe"
    """`all` makes the lake a quarter smaller with encodings that Athena's engine is not documented to read.

    Objects written before keep theirs until they change; a lake may hold both.
    """
    crawl_every_h: str = "24"
    """How many hours lie between two runs of Glue's crawler, at least; one machine has no crawler.

    It looks for partitions that no run has registered. On one machine this changes nothing: the catalogue's views cover
    every partition there is.
    """
    list_every_h: str = "6"
    """How many hours lie between two looks at an athlete's list while Strava's events arrive; without events, one.

    An edit whose event was lost, or for which Strava sends none, may stay unseen for so long.
    """
    versions_keep_days: str = ""
    """For how many days the bucket keeps earlier versions of objects, as the certificate of an erasure says it.

    Terraform renders this setting and the four below from what its resources do; on one machine there is nothing of
    the kind. Where one is not set, a certificate says that nobody knows an end.
    """
    recovery_keep_days: str = ""
    """For how many days the tables can be recovered, as a certificate says it."""
    logs_keep_days: str = ""
    """For how many days CloudWatch keeps the logs, as a certificate says it."""
    crawler_log_keep_days: str = ""
    """For how many days CloudWatch keeps the crawler's log, as a certificate says it."""
    answers_keep_days: str = ""
    """For how many days answers to Athena's queries are kept, as a certificate says it."""

    @property
    def cookie_keys(self) -> list[str]:
        """The keys of `cookie_key`, oldest first: the last one signs, each verifies."""
        return self.cookie_key.split()[::-1]

    @property
    def webhook_path_secrets(self) -> list[str]:
        """The secrets of `webhook_path_secret`, newest first: the subscription uses the first, and each is accepted."""
        return self.webhook_path_secret.split()

    @property
    def webhook_urls(self) -> list[str]:
        """The addresses at which the webhook answers, newest first; each holds a secret."""
        return [f"{self.public_url}/webhook/{secret}" for secret in self.webhook_path_secrets]

    @property
    def webhook_url(self) -> str:
        """The address for the subscription at Strava; holds a secret."""
        return self.webhook_urls[0]

    @property
    def is_public(self) -> bool:
        """Whether the pages can be reached from other machines."""
        url = urlsplit(self.public_url)
        return url.scheme == "https" and url.hostname not in _LOOPBACK

    @property
    def missing_rules(self) -> tuple[str, ...]:
        """The missing settings about the operator, by their variables."""
        return tuple(name for name in ("OPERATOR_NAME", "CONTACT", "PRIVACY_URL") if not getattr(self, name.lower()))

    @property
    def missing_rules_text(self) -> str:
        """A message to the operator about these settings."""
        return (
            f"The pages do not say who runs this service: set {', '.join(self.missing_rules)} before others than you "
            "use it."
        )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """The settings in `environ`.

        Errors: those of `DispatcherSettings`, and of a public service of nobody's, and of mails that cannot be sent.
        """
        settings = super(Settings, cls).from_environ(environ)
        _check_operator(settings)
        _check_mails(settings)
        return settings
