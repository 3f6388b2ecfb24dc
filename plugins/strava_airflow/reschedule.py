"""Reschedules a task that ran out of quota to the next window: no worker slot is held, no try is used."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from airflow.sdk.exceptions import AirflowRescheduleException

log = logging.getLogger(__name__)


@contextmanager
def reschedule_on_spent_quota() -> Iterator[None]:
    """Turns a `QuotaSpent` of the body into a reschedule of the task, to the time when the window opens.

    The log says why and until when.
    """
    from include.errors import QuotaSpent

    try:
        yield
    except QuotaSpent as spent:
        opening = datetime.fromtimestamp(spent.until_epoch_s + 1, UTC)
        log.info("%s This task runs again at %s.", spent, opening.isoformat(timespec="seconds"))
        raise AirflowRescheduleException(opening) from spent  # type: ignore[no-untyped-call] # Airflow's is untyped
