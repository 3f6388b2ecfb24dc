"""A task that ran out of quota comes back when the window opens: no worker slot held, no try used."""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowRescheduleException

log = logging.getLogger(__name__)


@contextmanager
def back_when_quota_opens(context: MutableMapping[str, Any] | None = None) -> Iterator[None]:
    """Turns a `QuotaSpent` of the body into a reschedule of the task to the opening of the window.

    The log says why and until when, and so does the `label` of a mapped task's context, which the UI shows.
    """
    from include.errors import QuotaSpent

    try:
        yield
    except QuotaSpent as spent:
        opening = datetime.fromtimestamp(spent.until_epoch_s + 1, UTC)
        log.info("%s This task comes back at %s.", spent, opening.isoformat(timespec="seconds"))
        if context is not None:
            context["label"] = f"{context['label']} · waits for Strava's quota until {opening:%H:%M} UTC"
        raise AirflowRescheduleException(opening) from spent  # type: ignore[no-untyped-call] # Airflow's is untyped
