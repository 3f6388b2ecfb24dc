"""An operator's actions in Airflow: start a run with a form, and watch runs until they end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from local.stack.airflow.home import Login

TIMEOUT_S = 30


class AirflowOperator:
    """An operator who is logged in to Airflow, through its REST API."""

    def __init__(self, base_url: str, login: Login) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False
        answer = self._session.post(
            f"{base_url}/auth/token",
            json={"username": login.username, "password": login.password},
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def start(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a run with this form and return its id."""
        answer = self._session.post(
            f"{self._base_url}/api/v2/dags/{dag_id}/dagRuns",
            json={"logical_date": None, "conf": dict(conf)},
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The latest hundred runs of a DAG, each with `dag_run_id` and `state`."""
        return list(self._get(f"dags/{dag_id}/dagRuns", {"limit": "100", "order_by": "-run_after"})["dag_runs"])

    def asset_events(self) -> list[dict[str, Any]]:
        """The latest hundred events of assets, each with its `timestamp`."""
        return list(self._get("assets/events", {"limit": "100", "order_by": "-timestamp"})["asset_events"])

    def make_asset_event(self, asset_id: int) -> None:
        """Say that the asset has changed, as a task does that has it as an outlet."""
        answer = self._session.post(
            f"{self._base_url}/api/v2/assets/events", json={"asset_id": asset_id}, timeout=TIMEOUT_S
        )
        answer.raise_for_status()

    def state(self, dag_id: str, run_id: str) -> str:
        """The state of one run."""
        return str(self._get(f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def count_runs_under_way(self) -> int:
        """How many runs of all DAGs are running or queued."""
        return int(self._get("dags/~/dagRuns", {"state": ["queued", "running"], "limit": "1"})["total_entries"])

    def count_tasks(self, dag_id: str = "~", run_id: str = "~") -> int:
        """How many task instances a run has, or all runs of all DAGs have."""
        return int(self._get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", {"limit": "1"})["total_entries"])

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """The return value of a run's task, or None."""
        answer = self._session.get(
            f"{self._base_url}/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value",
            params={"deserialize": "true"},
            timeout=TIMEOUT_S,
        )
        return answer.json()["value"] if answer.ok else None

    def _get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = self._session.get(f"{self._base_url}/api/v2/{path}", params=params, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return dict(answer.json())
