"""MWAA's one call in front of the local Airflow: `python -m local.aws.mwaa --port 8450 --name strava-demo`.

The user and the address of Airflow's REST API come from the environment: `MWAA_AIRFLOW`, `AIRFLOW_USERNAME`,
`AIRFLOW_PASSWORD`.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import Annotated, Any

import requests
import typer

from local.aws.mwaa_stub import invoke, serving

AIRFLOW = "MWAA_AIRFLOW"
_LONGEST_S = 10
"""MWAA's own timeout for Airflow."""


@dataclass(slots=True)
class LocalAirflow:
    """Airflow's REST API with the token of a user, which is renewed when Airflow refuses it."""

    base_url: str
    username: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Airflow's status and document, for a path below `/api/v2`; 5xx when Airflow does not answer in time."""
        try:
            answer = self._send(method, path, body)
            if answer.status_code == requests.codes.unauthorized:
                self._log_in()
                answer = self._send(method, path, body)
            return answer.status_code, answer.json()
        except requests.Timeout:
            return 504, {"detail": f"Airflow did not answer within {_LONGEST_S} s"}
        except requests.RequestException as err:
            return 502, {"detail": f"Airflow cannot be reached: {type(err).__name__}"}

    def _send(self, method: str, path: str, body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        with _session() as session:
            return session.request(
                method, f"{self.base_url}/api/v2{path}", json=body, headers=headers, timeout=_LONGEST_S
            )

    def _log_in(self) -> None:
        credentials = {"username": self.username, "password": self.password}
        with _session() as session:
            answer = session.post(f"{self.base_url}/auth/token", json=credentials, timeout=_LONGEST_S)
        answer.raise_for_status()
        self.token = answer.json()["access_token"]


def _session() -> requests.Session:
    """A session that ignores proxies from the environment."""
    session = requests.Session()
    session.trust_env = False
    return session


def main(port: Annotated[int, typer.Option()], name: Annotated[str, typer.Option(help="of the environment")]) -> None:
    """Serve until SIGTERM."""
    airflow = LocalAirflow(os.environ[AIRFLOW], os.environ["AIRFLOW_USERNAME"], os.environ["AIRFLOW_PASSWORD"])
    with serving(lambda *request: invoke(airflow, name, *request), port=port):
        threading.Event().wait()


if __name__ == "__main__":
    typer.run(main)
