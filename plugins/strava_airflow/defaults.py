"""The tags, the lake's asset and the default arguments of all DAGs."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from airflow.sdk import Asset

from strava_airflow.retry_policy import StravaRetryPolicy

LAKE: Final = Asset(name="strava_lake", uri="x-strava://lake/tables")
"""The lake's tables as one asset: its event means that partitions wait for the catalogue, as rows of the state."""


class Tag(StrEnum):
    """Tags for the urgency of a DAG's failure and the kind of its runs."""

    TIER_1 = "tier/1"
    """Athletes notice: look at it today."""
    TIER_2 = "tier/2"
    """Analysts or operators notice: look at it this week."""
    NOW = "kind/now"
    """Works on the present state; it is always right to run it again."""
    INTERVAL = "kind/interval"
    """Works on the time span in its parameters; run the same span again after a failure."""


DEFAULT_ARGS: Final[dict[str, Any]] = {
    "owner": "data-engineering",
    "retries": 6,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": StravaRetryPolicy(),
    "execution_timeout": timedelta(minutes=30),
}
