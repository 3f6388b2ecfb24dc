"""The protocol with which the edge calls Airflow's REST API, and Airflow's response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Method = Literal["GET", "PATCH", "POST"]

_LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """Airflow's own response: its status and its JSON object, which is empty for any other body."""

    status: int
    document: Mapping[str, Any]

    @property
    def message(self) -> str:
        """Airflow's message; of a validation error only place and text, because it also quotes the request."""
        said = self.document.get("detail") or "no reason given"
        if isinstance(said, list):
            said = "; ".join(f"{error.get('loc')}: {error.get('msg')}" for error in said if isinstance(error, dict))
        return str(said)[:_LONGEST_WORDS]


class AirflowApi(Protocol):
    """Airflow 3's REST API v2, with this process's credentials."""

    def call(self, method: Method, path: str, body: Mapping[str, Any] | None = None) -> ApiResponse:
        """Airflow's response to one call, made once; `path` has no prefix, for example `/dags/strava_ingest`.

        Errors: `TriggerUnavailable` when Airflow cannot be reached, or refuses this caller, which an operator has to
        repair. Whether the call took effect is then unknown.
        """
        ...
