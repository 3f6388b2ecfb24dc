"""Which of Airflow's rows are deleted, and what is asked for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from include.errors import TriggerUnavailable
from include.trigger.api import ApiResponse
from include.trigger.finished_runs import DAGS, PAGE, Page, delete_finished_runs

NOW = 1_798_761_600.0  # 2027-01-01
ROOT = Path(__file__).parents[3]


@dataclass
class Airflow:
    """Gives these answers, one after the other."""

    answers: list[ApiResponse]
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None) -> ApiResponse:
        self.asked.append((method, path, body))
        return self.answers.pop(0)


def listed(count: int) -> ApiResponse:
    """As Airflow lists runs, with much that is not asked for."""
    runs = [{"dag_id": "strava_ingest", "dag_run_id": f"{n}.create.1", "conf": {}} for n in range(count)]
    return ApiResponse(200, {"dag_runs": runs, "total_entries": 1000})


def deleted(*errors: int) -> ApiResponse:
    refused = [{"error": "cannot be deleted in running state", "status_code": status} for status in errors]
    return ApiResponse(200, {"create": None, "update": None, "delete": {"success": [], "errors": refused}})


def test_runs_of_every_dag_of_ours_are_deleted() -> None:
    assert sorted(DAGS) == sorted(path.stem for path in (ROOT / "dags").glob("*.py"))


def test_nothing_is_deleted_when_no_run_is_old_enough() -> None:
    airflow = Airflow([listed(0)])

    assert delete_finished_runs(airflow, NOW, keep_days=30) == Page(0, 0)
    assert airflow.asked == [
        (
            "POST",
            "/dags/~/dagRuns/list",
            {
                "dag_ids": list(DAGS),
                "states": ["success", "failed"],
                "end_date_lt": "2026-12-02T00:00:00+00:00",
                "order_by": "end_date",
                "page_offset": 0,
                "page_limit": PAGE,
            },
        )
    ]


def test_listed_runs_are_deleted_by_one_call_whose_path_names_none() -> None:
    airflow = Airflow([listed(2), deleted()])

    page = delete_finished_runs(airflow, NOW, keep_days=30, skipped=4)

    assert (page, page.is_last) == (Page(2, 0), True)
    assert airflow.asked[0][2]["page_offset"] == 4
    entities = [{"dag_id": "strava_ingest", "dag_run_id": f"{n}.create.1"} for n in range(2)]
    action = {"action": "delete", "entities": entities, "action_on_non_existence": "skip"}
    assert airflow.asked[1] == ("PATCH", "/dags/~/dagRuns", {"actions": [action]})
    assert all(len(path) <= 64 for _, path, _ in airflow.asked), "MWAA takes no longer path"


def test_page_tells_what_airflow_kept_and_that_more_may_wait_when_it_is_full() -> None:
    page = delete_finished_runs(Airflow([listed(PAGE), deleted(409, 409)]), NOW, keep_days=30)

    assert (page, page.is_last) == (Page(PAGE - 2, 2), False)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ApiResponse(200, {}), id="another-form"),
        pytest.param(ApiResponse(200, {"dag_runs": "none"}), id="no-list"),
        pytest.param(ApiResponse(404, {"detail": "Not Found"}), id="route-unknown"),
        pytest.param(ApiResponse(422, {"detail": [{"loc": ["body"], "msg": "no"}]}), id="form-unknown"),
        pytest.param(ApiResponse(503, {}), id="starting"),
    ],
)
def test_deletion_is_unavailable_when_airflow_answers_otherwise(answer: ApiResponse) -> None:
    with pytest.raises(TriggerUnavailable, match=str(answer.status)):
        delete_finished_runs(Airflow([answer]), NOW, keep_days=30)
    with pytest.raises(TriggerUnavailable, match=str(answer.status)):
        delete_finished_runs(Airflow([listed(1), answer]), NOW, keep_days=30)
