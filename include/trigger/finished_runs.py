"""Deletes Airflow's rows of old finished runs, which Airflow itself keeps for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from include.errors import TriggerUnavailable
from include.trigger.api import AirflowApi, ApiResponse

DAGS = ("strava_backfill", "strava_catalog", "strava_erase", "strava_ingest", "strava_reconcile", "strava_retention")
"""The DAGs whose runs are deleted: an Airflow may have other DAGs too."""

PAGE = 50
"""How many runs one call deletes: Airflow loads each with its tasks, and MWAA's timeout is ten seconds."""

_RUNS = "/dags/~/dagRuns"


@dataclass(frozen=True, slots=True)
class Page:
    """The result of deleting one page of the oldest runs."""

    deleted: int
    refused: int
    """Runs that Airflow did not delete, for example because they were cleared to run again."""

    @property
    def is_last(self) -> bool:
        """Whether no more runs are to be deleted."""
        return self.deleted + self.refused < PAGE


def delete_finished_runs(api: AirflowApi, now_epoch_s: float, *, keep_days: int, skipped: int = 0) -> Page:
    """Delete up to `PAGE` of our DAGs' runs that ended `keep_days` ago or earlier, the oldest first.

    A run's conf, its tasks, their results and labels are deleted too. Makes two calls, without a run in their paths.
    `skipped` is how many runs were refused before: they come first in the list again.
    Errors: `TriggerUnavailable` when Airflow cannot be reached, refuses, or returns an unexpected response.
    Effects: safe to repeat and to run twice at once; a run that is queued or running stays.
    """
    before = datetime.fromtimestamp(now_epoch_s - keep_days * 86_400, UTC)
    wanted = {
        "dag_ids": list(DAGS),
        "states": ["success", "failed"],
        "end_date_lt": before.isoformat(),
        "order_by": "end_date",
        "page_offset": skipped,
        "page_limit": PAGE,
    }
    runs = [
        {"dag_id": run["dag_id"], "dag_run_id": run["dag_run_id"]}
        for run in _listed(api.call("POST", f"{_RUNS}/list", wanted), "dag_runs")
    ]
    if not runs:
        return Page(0, 0)
    action = {"action": "delete", "entities": runs, "action_on_non_existence": "skip"}
    answer = api.call("PATCH", _RUNS, {"actions": [action]})
    refused = len(_listed(answer, "delete", "errors"))
    return Page(len(runs) - refused, refused)


def _listed(answer: ApiResponse, *names: str) -> Sequence[Mapping[str, Any]]:
    """The list at that place of a successful response."""
    found: Any = answer.document if answer.status == 200 else None
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise TriggerUnavailable(
            f"Airflow did not delete finished runs ({answer.status}: {answer.message}). They stay until the next "
            "night; if this repeats, check Airflow's log."
        )
    return found
