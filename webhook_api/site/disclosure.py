"""The data that the service keeps about an athlete, where and for how long, from the code's tables and the settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from include.setting_values import SES_URL, SMTP_URL
from include.settings import Settings
from include.state import events, histories, invites
from include.state.accounts import notices
from include.state.erasures.ledger import KEPT_S as ERASURES_KEPT_S
from include.state.erasures.residual_records import ResidualRecord, residual_records
from include.store.store import TABLES
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_READ_ALL, ACTIVITY_WRITE, READ

_DAY_S = 86_400

SCOPES: Mapping[str, tuple[str, str]] = {
    READ: ("Your public profile", "To know who you are when you sign in, and to name you to those you link with."),
    ACTIVITY_READ: (
        "Activities that your followers or everyone can see, without the parts inside your privacy zones",
        "To store them, and to copy those that name one of your children. Always part of connecting, except for an "
        "account that only receives copies.",
    ),
    ACTIVITY_READ_ALL: (
        "“Only You” activities, and tracks up to your front door",
        "To store and copy those too. Only if you tick it.",
    ),
    ACTIVITY_WRITE: (
        "Uploading activities to your account",
        "To put copies of a parent's activities into it. Only if you tick it, or accept an invitation.",
    ),
}
"""Each of Strava's scopes: the data that it opens, and the reason for the request."""

FILES: Mapping[str, str] = {
    "activities": "One row for each activity as Strava describes it: title, sport, times, distance, totals, gear.",
    "streams": "The recorded points: time, position, elevation, speed, distance, heart rate, cadence, power, "
    "temperature.",
    "laps": "The laps of activities.",
    "copies": "Which activity was copied to whom, when, and what became of it.",
    "freshness": "How many activities Strava lists for a month, and how many are stored.",
    "raw": "Strava's answers as they came, so that a mistake of ours can be put right without asking again.",
    "gpx": "The files from which copies are uploaded.",
    "certificates": "The certificates of erasures: numbers and times, no names.",
}
"""The contents of the archive's files, by the first part of their names."""

ROWS_KEPT_S: Mapping[str, int | None] = {
    "brakes": None,
    "events": events.KEPT_S,
    "invites": invites.CLOSED_KEPT_S,
    "histories": histories.KEPT_S,
    "erasures": ERASURES_KEPT_S,
    "certificates": None,
    "notices": notices.KEPT_S,
    "mail_addresses": None,
}
"""For each table about athletes whose rows expire: how long a row is kept, from its end if it has one.

None where the table's own description says it.
"""


@dataclass(frozen=True, slots=True)
class KeptRecords:
    """One kind of record: its name in the code, its contents, and the days after which it expires."""

    name: str
    holds: str
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The contents of the page on data protection."""

    scopes: Mapping[str, tuple[str, str]]
    rows: tuple[KeptRecords, ...]
    files: tuple[KeptRecords, ...]
    places: tuple[str, ...]
    retention_days: int | None
    """After how many days data from Strava is deleted; None if it is kept until the athlete is erased."""
    residual_records: tuple[ResidualRecord, ...]
    """Records that remain for a while after an erasure, as its certificate lists them."""


def disclose(settings: Settings) -> Disclosure:
    """The data that the installation with these settings keeps."""
    days = settings.retention_days
    retention_days = int(days) if days.isdigit() else None
    return Disclosure(
        scopes=SCOPES,
        rows=tuple(KeptRecords(name, table.holds, _days(name)) for name, table in TABLES.items() if table.holds),
        files=tuple(KeptRecords(name, holds) for name, holds in FILES.items()),
        places=(*_places(settings), *_mail_provider(settings)),
        retention_days=retention_days,
        residual_records=tuple(residual_records(settings)),
    )


def _days(table: str) -> int | None:
    kept_s = ROWS_KEPT_S[table] if TABLES[table].expires else None
    return None if kept_s is None else kept_s // _DAY_S


def _mail_provider(settings: Settings) -> tuple[str, ...]:
    """Who delivers mails; nobody where none are sent."""
    if smtp := SMTP_URL.fullmatch(settings.mail_url):
        return (
            f"If you give us an email address: whoever runs the mail server {smtp['host']}, which delivers our emails.",
        )
    if ses := SES_URL.fullmatch(settings.mail_url):
        return (
            f"If you give us an email address: Amazon SES in its region {ses['region']}, which delivers our emails.",
        )
    return ()


def _places(settings: Settings) -> tuple[str, ...]:
    if not settings.lake_url.startswith("s3:"):
        return ("On one machine of the people who run this service: in a database file and a folder of files.",)
    match = re.search(r"//sqs\.([a-z0-9-]+)\.amazonaws\.com", settings.queue_url)
    region = f", in its region {match[1]}" if match else ""
    return (
        f"At Amazon Web Services, which stores and computes for this service{region}: tables in DynamoDB, the "
        "archive's files in S3, tokens under a key of KMS.",
    )
