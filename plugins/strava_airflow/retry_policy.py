"""Which of the domain's errors Airflow retries, and which it fails at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

if TYPE_CHECKING:
    from airflow.sdk import Context


LONGEST_DELAY_S = 900
"""The most that Strava's wish delays a try; what takes longer the ledger waits for."""


class StravaRetryPolicy(RetryPolicy):
    """Sorts real faults: passing ones are retried as Strava asks or the task backs off, refusals fail at once.

    A spent quota never gets here: live work steps aside into the ledger, backfill is rescheduled.
    Anything that is no `IngestError` keeps Airflow's ordinary retries.
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
            return RetryDecision.retry(reason=f"passing fault: {type(exception).__name__}")
        if isinstance(exception, (Refused, SettingsError)):
            return RetryDecision.fail(reason=f"will not get better by itself: {type(exception).__name__}")
        return RetryDecision.default()
