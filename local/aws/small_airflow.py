"""A small Airflow behind MWAA's one call: it answers the smoke check and the dispatcher, and its runs only plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.pipeline.ingest.events import plan
from include.pipeline.services import open_services
from include.settings import Settings
from include.strava.events import WebhookEvent
from local.aws.mwaa_stub import Answer, invoke
from ops.repository import REPOSITORY


@dataclass(slots=True)
class SmallAirflow:
    """Airflow with every DAG, as the environment `strava-dev`; a run of `strava_ingest` plans its events at once."""

    settings: Settings
    dags: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(_dag_ids(), False))
    """Which is paused."""
    broken: list[str] = field(default_factory=list)
    """Files that cannot be imported."""
    runs: list[str] = field(default_factory=list)
    refusal: Answer | None = None
    """MWAA's answer instead of passing a call on."""

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """MWAA's answer to a request. Effects: the lines of a run's plan in the audit, and no more of its work."""
        return self.refusal or invoke(self._asked, "strava-dev", path, headers, body)

    def _asked(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/importErrors":
            return 200, {"import_errors": [{"filename": name} for name in self.broken]}
        if path == "/dags":
            return 200, {"dags": [{"dag_id": name, "is_paused": paused} for name, paused in self.dags.items()]}
        if (method, path) == ("GET", "/dags/strava_ingest"):
            return 200, {"dag_id": "strava_ingest", "is_paused": False, "has_import_errors": False}
        if (method, path) != ("POST", "/dags/strava_ingest/dagRuns"):
            return 404, {"detail": "Not Found"}
        self.runs.append(body["dag_run_id"])
        with open_services(self.settings) as services:
            plan(services, map(WebhookEvent.from_conf, body["conf"]["events"]))
        return 200, {"dag_run_id": body["dag_run_id"]}


def _dag_ids() -> list[str]:
    return [path.stem for path in Path(REPOSITORY / "dags").glob("*.py")]
