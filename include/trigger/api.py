"""The protocol by which the edge calls Airflow's REST API, and the form of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Method = Literal["GET", "PATCH", "POST"]

_LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """What Airflow itself answered, its status and its document; a document that is no JSON object is empty."""

    status: int
    document: Mapping[str, Any]

    @property
    def words(self) -> str:
        """What Airflow says; of a validation error only place and message, for it quotes what was sent as well."""
        said = self.document.get("detail") or "no reason given"
        if isinstance(said, list):
            said = "; ".join(f"{error.get('loc')}: {error.get('msg')}" for error in said if isinstance(error, dict))
        return str(said)[:_LONGEST_WORDS]


class AirflowApi(Protocol):
    """Airflow 3's REST API v2, for a caller who has the right credential."""

    def call(self, method: Method, path: str, body: Mapping[str, Any] | None = None) -> ApiResponse:
        """Airflow's answer to one call, made once; `path` has no prefix, for example `/dags/strava_ingest`.

        Errors: `TriggerUnavailable` when Airflow cannot be reached, or does not let this caller in: an operator
        repairs that. Whether the call took effect is then unknown.
        """
        ...
