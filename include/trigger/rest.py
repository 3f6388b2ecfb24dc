"""Calls Airflow's own REST API, as a user of its simple auth manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from include.errors import TriggerUnavailable
from include.trigger.api import ApiResponse

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 11
"""A second more than Airflow's own ten, so that its own timeout answer is received."""


class RestApi:
    """The Airflow at an address; logs in for the first call, and again when the token is no longer accepted.

    One instance serves one thread at a time.
    """

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._username = username
        self._password = password
        self._token: str | None = None
        self._session = requests.Session()
        # No proxy, and no .netrc entry that would replace the token.
        self._session.trust_env = False

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> ApiResponse:
        """Airflow's response. Errors: `TriggerUnavailable`, also for a user who may not log in or make the call."""
        answer = self._send_as_user(method, f"/api/v2{path}", body)
        if answer.status in {401, 403}:
            raise _not_allowed(f"{method} {path}", answer)
        return answer

    def _send_as_user(self, method: str, path: str, body: Mapping[str, Any] | None) -> ApiResponse:
        if self._token is not None:
            answer = self._send(method, path, body, token=self._token)
            if answer.status != 401:
                return answer
        self._token = self._log_in()
        return self._send(method, path, body, token=self._token)

    def _log_in(self) -> str:
        answer = self._send("POST", "/auth/token", {"username": self._username, "password": self._password})
        if answer.status not in {200, 201}:
            raise _not_allowed("log in", answer)
        token = answer.document.get("access_token")
        if not isinstance(token, str) or not token:
            raise TriggerUnavailable("Airflow returned no token at login: check that AIRFLOW_URL names an Airflow 3.")
        return token

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, *, token: str | None = None) -> ApiResponse:
        try:
            answer = self._session.request(
                method,
                self._base_url + path,
                json=body,
                headers={"Authorization": f"Bearer {token}"} if token else {},
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
            )
        except requests.RequestException as err:
            raise TriggerUnavailable(
                f"Airflow cannot be reached ({type(err).__name__}): try again, and check AIRFLOW_URL if this lasts."
            ) from err
        return ApiResponse(answer.status_code, _fields(answer))


def _not_allowed(what: str, answer: ApiResponse) -> TriggerUnavailable:
    """The error for a refused login: events wait until an operator corrects the password."""
    return TriggerUnavailable(
        f"Airflow refused to {what} ({answer.status}: {answer.message}). "
        "Check AIRFLOW_USERNAME and AIRFLOW_PASSWORD, and that this user may trigger DAGs."
    )


def _fields(answer: requests.Response) -> Mapping[str, Any]:
    try:
        fields = answer.json()
    except requests.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
