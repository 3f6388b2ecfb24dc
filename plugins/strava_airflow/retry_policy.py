"""Decides which of the domain's errors Airflow retries, and which fail at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

if TYPE_CHECKING:
    from airflow.sdk import Context


LONGEST_DELAY_S = 900
"""The longest delay before a retry, if Strava asks to wait; the ledger handles longer waits."""


class StravaRetryPolicy(RetryPolicy):
    """Retries temporary faults after Strava's delay or the task's backoff; refusals fail at once.

    A spent quota never gets here: live work and backfills wait in the ledgers, an erasure is rescheduled. An error that
    is no `IngestError` has Airflow's ordinary retries.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """The decision for one failed try, with the reason that the Airflow UI shows."""
        from include.errors import Refused, RetryLater, SettingsError

        if isinstance(exception, RetryLater) and exception.retry_after_s > 0:
            delay = timedelta(seconds=min(exception.retry_after_s, LONGEST_DELAY_S))
            return RetryDecision.retry(delay, reason=f"Strava asks to wait: {type(exception).__name__}")
        if isinstance(exception, RetryLater):
            return RetryDecision.retry(reason=f"temporary fault: {type(exception).__name__}")
        if isinstance(exception, (Refused, SettingsError)):
            return RetryDecision.fail(reason=f"a retry does not help: {type(exception).__name__}")
        return RetryDecision.default()
