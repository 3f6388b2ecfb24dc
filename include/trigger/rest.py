"""Starting runs through Airflow's own REST API, with a user of its simple auth manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from include.errors import TriggerRefused, TriggerUnavailable
from include.trigger.detail import detail
from include.trigger.trigger import Started

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 11
"""A second more than Airflow's own ten, so that its answer is seen rather than guessed."""


class RestTrigger:
    """Airflow 3's REST API v2; logs in when first needed and again when the token is no longer accepted.

    One instance serves one thread at a time.
    An answer that never arrived may stand for a run that was started: the next attempt with
    the same run id then answers 409, so repeating is always safe.
    """

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._username = username
        self._password = password
        self._token: str | None = None
        self._session = requests.Session()
        # No proxy, and no .netrc entry that would replace the token.
        self._session.trust_env = False

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """Start the run, or notice that one with this id exists already.

        Errors: `TriggerUnavailable` when Airflow is throttled, failing or out of reach, and for a DAG that it does
        not know: it parses the DAG files for half a minute after its start, and nothing may be lost meanwhile.
        So is a user who may not log in or start runs: the operator repairs that, and the events wait.
        `TriggerRefused` for every other refusal, with Airflow's own words.
        Effects: one DAG run; safe to repeat.
        """
        run = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        answer = self._post_as_user(f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns", run)
        if answer.status_code == 200:
            return Started.NOW
        if answer.status_code == 409:
            return Started.BEFORE
        if answer.status_code == 404:
            raise TriggerUnavailable(
                f"Airflow does not know the DAG {dag_id} (yet): {_detail(answer)}. "
                "If this lasts longer than a minute, look for its import errors in Airflow."
            )
        if answer.status_code in {401, 403}:
            raise _not_allowed(f"start {dag_id}", answer)
        raise TriggerRefused(
            f"Airflow refused run {run_id} of {dag_id} with {answer.status_code}: {_detail(answer)}. "
            "Correct the DAG or the event and start the run by hand."
        )

    def _post_as_user(self, path: str, body: Mapping[str, Any]) -> requests.Response:
        if self._token is not None:
            answer = self._post(path, body, token=self._token)
            if answer.status_code != 401:
                return answer
        self._token = self._log_in()
        return self._post(path, body, token=self._token)

    def _log_in(self) -> str:
        answer = self._post("/auth/token", {"username": self._username, "password": self._password})
        if answer.status_code not in {200, 201}:
            raise _not_allowed("log in", answer)
        token = _fields(answer).get("access_token")
        if not isinstance(token, str) or not token:
            raise TriggerRefused("Airflow answered the login without a token: does AIRFLOW_URL name an Airflow 3?")
        return token

    def _post(self, path: str, body: Mapping[str, Any], *, token: str | None = None) -> requests.Response:
        try:
            answer = self._session.post(
                self._base_url + path,
                json=body,
                headers={"Authorization": f"Bearer {token}"} if token else {},
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
            )
        except requests.RequestException as err:
            raise TriggerUnavailable(
                f"Airflow cannot be reached ({type(err).__name__}): try again, and check AIRFLOW_URL if it lasts."
            ) from err
        if answer.status_code == 429 or answer.status_code >= 500:
            raise TriggerUnavailable(f"Airflow answered {answer.status_code} ({answer.reason}): try again later.")
        return answer


def _not_allowed(what: str, answer: requests.Response) -> TriggerUnavailable:
    """A wrong password is repaired by an operator; until then the events wait, since they are not at fault."""
    return TriggerUnavailable(
        f"Airflow did not let us {what} ({answer.status_code}: {_detail(answer)}). "
        "Check AIRFLOW_USERNAME and AIRFLOW_PASSWORD, and that this user may trigger DAGs."
    )


def _detail(answer: requests.Response) -> str:
    return detail(_fields(answer), answer.reason or "no reason given")


def _fields(answer: requests.Response) -> Mapping[str, Any]:
    try:
        fields = answer.json()
    except requests.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
