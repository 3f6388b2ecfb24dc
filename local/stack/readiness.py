"""Readiness checks of the parts of a local system, through the interfaces of their clients."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol

import requests

from local.stack.airflow.home import Login
from local.stack.processes import Processes, StackFailed
from local.stack.progress import Progress

DEADLINE_S = 180.0
POLL_S = 0.2
ANSWER_S = 15.0


class Readiness(Protocol):
    """The readiness check of one part."""

    def lacks(self) -> str:
        """What is missing, in a few words that complete "it is …"; empty once the part is ready."""
        ...


class PageReadiness:
    """Ready when a page can be fetched."""

    def __init__(self, page: str) -> None:
        self._page = page
        self._session = _session()

    def lacks(self) -> str:
        """What is missing until the page answers, and not with 5xx."""
        try:
            answer = self._session.get(self._page, timeout=ANSWER_S)
        except requests.RequestException:
            return "starting"
        return f"answering {answer.status_code}" if answer.status_code >= 500 else ""


class _TaskApi(Enum):
    """Airflow builds the part of its API that tasks use at the first request, which takes 5 to 30 seconds.

    That request is made here, after `lacks` has announced it, so that no task has to wait for it.
    """

    UNKNOWN = auto()
    COLD = auto()
    READY = auto()


class AirflowReadiness:
    """Ready when tasks of all `dags` can run.

    Nothing older than `since_epoch_s` counts, because Airflow's database knows earlier runs.
    """

    def __init__(self, url: str, login: Login, dags: Collection[str], *, since_epoch_s: float) -> None:
        self._url = url
        self._login = login
        self._dags = frozenset(dags)
        self._since_epoch_s = since_epoch_s
        self._session = _session()
        self._task_api = _TaskApi.UNKNOWN

    def lacks(self) -> str:
        """What is missing, by Airflow's REST API.

        Errors: `StackFailed` when the file of one of the DAGs cannot be imported.
        """
        try:
            return self._lacks()
        except requests.RequestException:
            return "starting its API server"

    def _lacks(self) -> str:
        health = self._get("/api/v2/monitor/health")
        if self._task_api is _TaskApi.UNKNOWN:
            self._task_api = _TaskApi.COLD
            return "preparing its task API"
        if self._task_api is _TaskApi.COLD:
            self._get("/execution/health", answer_s=DEADLINE_S)
            self._task_api = _TaskApi.READY
        for part in ("scheduler", "dag_processor", "triggerer"):
            if not self._is_fresh(health[part].get(f"latest_{part}_heartbeat")):
                return f"starting its {part.replace('_', ' ')}"
        return self._lacking_dags()

    def _lacking_dags(self) -> str:
        if "Authorization" not in self._session.headers:
            self._log_in()
        known = self._get("/api/v2/dags?limit=100")["dags"]
        missing = sorted(self._dags - {dag["dag_id"] for dag in known if self._is_fresh(dag["last_parsed_time"])})
        if missing:
            self._refuse_broken(missing)
        return f"reading {', '.join(missing)}" if missing else ""

    def _refuse_broken(self, missing: Collection[str]) -> None:
        for error in self._get("/api/v2/importErrors")["import_errors"]:
            if Path(error["filename"]).stem in missing and self._is_fresh(error["timestamp"]):
                raise StackFailed(f"Airflow cannot import {error['filename']}; fix it first:\n{error['stack_trace']}")

    def _log_in(self) -> None:
        credentials = {"username": self._login.username, "password": self._login.password}
        answer = self._session.post(f"{self._url}/auth/token", json=credentials, timeout=ANSWER_S)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _get(self, path: str, *, answer_s: float = ANSWER_S) -> Any:
        answer = self._session.get(f"{self._url}{path}", timeout=answer_s)
        answer.raise_for_status()
        return answer.json()

    def _is_fresh(self, time: str | None) -> bool:
        return time is not None and datetime.fromisoformat(time).timestamp() >= self._since_epoch_s


def wait_until_ready(processes: Processes, parts: Mapping[str, Readiness], progress: Progress) -> None:
    """Wait until every part is ready; each part has the name of its process, and is reported with the time it took.

    A process of an external system that ends is announced, and no longer waited for.
    Errors: `StackFailed` when a process of the system ends, or a part is not ready after `DEADLINE_S`.
    """
    started = time.monotonic()
    waiting = dict(parts)
    with progress.waiting():
        while waiting:
            processes.check_inside()
            elapsed_s = time.monotonic() - started
            for name in [name for name in waiting if processes.is_away(name)]:
                del waiting[name]
                progress.say(f"✗ {name.replace('_', ' ')} has ended; {processes.log(name)} says why")
            lacking = {name: part.lacks() for name, part in waiting.items()}
            for name in [name for name, what in lacking.items() if not what]:
                del waiting[name]
                progress.say(f"✓ {name.replace('_', ' ')} is ready after {time.monotonic() - started:.1f} s")
            progress.wait_for({name: what for name, what in lacking.items() if what})
            for name, what in lacking.items():
                if what and elapsed_s > DEADLINE_S:
                    raise processes.failure(name, f"{name} is still {what} after {elapsed_s:.0f} s")
            time.sleep(POLL_S if waiting else 0)


def _session() -> requests.Session:
    """A session that ignores proxies and .netrc."""
    session = requests.Session()
    session.trust_env = False
    return session
