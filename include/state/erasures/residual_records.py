"""Places that keep records of an athlete after an erasure, and for how long: the certificate lists them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.settings import Settings

QUERY_HISTORY_DAYS = 45
"""Athena's own retention, which cannot be set:
https://docs.aws.amazon.com/athena/latest/ug/queries-viewing-history.html"""

EVENT_HISTORY_DAYS = 90
"""CloudTrail's own retention: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html;
encryption contexts are in it: https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html"""

_BACKUPS = "The people who run this service have to clear the backups that they made."


@dataclass(frozen=True, slots=True)
class ResidualRecord:
    """A place that keeps the athlete's id, or removed data, for a while."""

    place: str
    keep_days: int | None
    """None where a person has to remove the records, or no setting says when they go."""
    because: str

    def to_json(self, finished_at_epoch_s: int) -> dict[str, str | None]:
        """When the records are gone, and why, as the certificate says it."""
        if self.keep_days is None:
            return {"gone_by": None, "because": self.because}
        gone_by = datetime.fromtimestamp(finished_at_epoch_s, UTC) + timedelta(days=self.keep_days)
        return {"gone_by": gone_by.isoformat(), "because": self.because}


def residual_records(settings: Settings) -> list[ResidualRecord]:
    """The places that keep records of an erased athlete in the installation that `settings` describe.

    Terraform renders the retention settings from the variables that its resources use.
    """
    return [*_lake(settings), *_state(settings), *_logs(settings), *_airflow(settings)]


def _lake(settings: Settings) -> Iterator[ResidualRecord]:
    if settings.lake_url.startswith("s3:"):
        yield _set("object_versions", "VERSIONS_KEEP_DAYS", settings.versions_keep_days, "Earlier versions of files")
    else:
        yield ResidualRecord("object_versions", 0, f"The archive keeps no earlier versions of its files. {_BACKUPS}")
    if settings.catalog_url.startswith("glue:"):
        yield _set("query_answers", "ANSWERS_KEEP_DAYS", settings.answers_keep_days, "Answers to analysts' queries")
        why = f"Texts of queries, which name athletes: Athena keeps their history for {QUERY_HISTORY_DAYS} days."
        yield ResidualRecord("query_history", QUERY_HISTORY_DAYS, why)


def _state(settings: Settings) -> Iterator[ResidualRecord]:
    if settings.state_url.startswith("dynamodb:"):
        what = "Earlier states of the tables, for point-in-time recovery"
        yield _set("point_in_time_recovery", "RECOVERY_KEEP_DAYS", settings.recovery_keep_days, what)
    else:
        why = f"The database keeps no history. {_BACKUPS}"
        yield ResidualRecord("point_in_time_recovery", 0, why)
    yield _set(
        "queue",
        "MESSAGES_KEEP_DAYS",
        settings.messages_keep_days,
        "Messages about changes to activities that wait or could not be handled",
    )


def _logs(settings: Settings) -> Iterator[ResidualRecord]:
    if settings.state_url.startswith("dynamodb:"):
        yield _set("logs", "LOGS_KEEP_DAYS", settings.logs_keep_days, "Logs, which hold your number and times")
    else:
        why = (
            "Logs on the machine, and a database of Airflow that was set aside, hold your number until deleted by hand."
        )
        yield ResidualRecord("logs", None, why)
    if settings.catalog_url.startswith("glue:"):
        what = "Lines of the crawler's log, which name folders by your number"
        yield _set("crawler_log", "CRAWLER_LOG_KEEP_DAYS", settings.crawler_log_keep_days, what)
    if settings.key_url.startswith("kms:"):
        why = f"Calls to KMS, which name whose tokens they open: CloudTrail keeps its history for {EVENT_HISTORY_DAYS} "
        yield ResidualRecord("cloudtrail", EVENT_HISTORY_DAYS, f"{why}days; a trail of the account's own, as it says.")


def _airflow(settings: Settings) -> Iterator[ResidualRecord]:
    days = int(settings.runs_keep_days)
    why = f"Records of the program's runs hold your number; they are deleted {days} days after each run."
    yield ResidualRecord("airflow_runs", days + 1, why)
    if settings.airflow_url.startswith("mwaa:"):
        why = "Airflow's audit log, and events of older versions, hold your number until an operator clears them."
        yield ResidualRecord("airflow_audit_log", None, why)
    else:
        why = f"Airflow's audit log holds your number for {days} days, then until the system has run for a day."
        yield ResidualRecord("airflow_audit_log", days + 1, why)


def _set(place: str, variable: str, keep_days: str, what: str) -> ResidualRecord:
    """A place whose retention is a setting."""
    if not keep_days:
        return ResidualRecord(place, None, f"{what}: kept until somebody deletes them, because {variable} is not set.")
    return ResidualRecord(place, int(keep_days), f"{what}: kept for {keep_days} days.")
