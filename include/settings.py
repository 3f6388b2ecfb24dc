"""Everything that is configured, read once from the environment into one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self
from urllib.parse import urlsplit

from include.errors import SettingsError
from include.setting_values import EXAMPLES, LOOPBACK, MAIL_FOLDER_URL, SES_URL, SMTP_URL, check_values


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
    """Where events wait for a run: a file of SQLite, or a queue of SQS (`https://…`)."""
    airflow_url: str
    """Where runs are started: Airflow itself (`http://…`, `https://…`), or an environment of Amazon MWAA (`mwaa://strava-prod`)."""
    airflow_username: str = ""
    """The user as whom the dispatcher starts runs through Airflow's API; MWAA takes the AWS role instead."""
    airflow_password: str = field(default="", repr=False)
    """The password of that user."""
    messages_keep_days: str = "28"
    """For how many days an event that cannot be delivered is kept, first in the queue and then as a dead letter.

    On AWS each of the two keeps it for half of these days.
    """
    runs_keep_days: str = "30"
    """For how many days Airflow keeps a run after its end: more than an event is kept.

    A repeated event finds its run by the run's id; if Airflow had deleted the run, it would be started again.
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
        check_values(values)
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
    """Where athletes reach the operator: a mail address, or a page with an https address."""
    privacy_url: str = ""
    """The operator's own statement on data protection, to which every page leads.

    `/privacy` of the installation itself says what the code and these settings do, and may be enough.
    """
    mail_url: str = ""
    """The sender of mails, which come from `CONTACT`: an SMTP server, Amazon SES (`ses://eu-central-1`), or a folder.

    Athletes can then enter an address, and get a mail when an access has ended, when a copy waits for access, and when
    an erasure is done. Empty: no mails.
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
        return url.scheme == "https" and url.hostname not in LOOPBACK

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
