"""The proof of the first minute: a newcomer who has read nothing follows the last line that `make up` prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from local.demo import browser as person
from local.proofs.proof import Effort
from local.proofs.stack.family import NotInTime
from local.proofs.stack.stack_process import StackProcess
from local.proofs.verdict import Verdict
from ops.repository import REPOSITORY

COPY_S = 60.0
_PATIENCE_S = 180.0
_LOOK_EVERY_S = 0.5
_COPY = "<td>an upload: a copy</td>"
_ROWS = "select athlete_id from activities"
_SCHEDULED = "/api/v2/dags/~/dagRuns"


def prove_newcomer(effort: Effort) -> list[Verdict]:
    """`make up` in a new directory, one press of the first button, a look at Airflow's home page and at the lake."""
    with tempfile.TemporaryDirectory(prefix="newcomer-") as folder, StackProcess(Path(folder, "state")) as system:
        began = time.monotonic()
        system.launch()
        system.await_ready()
        up_s = time.monotonic() - began
        said = system.said.read_text()
        copied_s = _press(_next_page(said))
        effort.advance(1)
        red = _red(*_airflow(said))
        rows = _asked(system.state_dir)
    within_s = effort.within_s(COPY_S)
    figures = f"up after {up_s:.0f} s, the copy {copied_s:.0f} s after the press: {up_s + copied_s:.0f} s in all"
    return [
        Verdict("newcomer", f"one press brings a copy within {within_s:.0f} s", figures, copied_s <= within_s),
        Verdict("newcomer", "nothing on Airflow's home page is red", "; ".join(red) or "all is well", not red),
        Verdict("newcomer", "`make query` shows both", f"{rows} rows", rows == len(("original", "copy"))),
    ]


def _next_page(said: str) -> str:
    """The first address in the last line."""
    last = said.strip().splitlines()[-1]
    found = re.search(r"http://\S+", last)
    if "Next:" not in last or found is None:
        raise NotInTime(f"The last line names no page: {last}")
    return found[0]


def _press(page_url: str) -> float:
    """Press the first button of the page, with its default values; returns the seconds until a copy is shown."""
    with _session() as browser:
        page = browser.get(page_url, timeout=10)
        action, fields = person.first_form(page.text)
        pressed = time.monotonic()
        page = browser.post(urljoin(page.url, action), data=fields, timeout=10)
        while _COPY not in page.text:
            if time.monotonic() - pressed > _PATIENCE_S:
                raise NotInTime(f"{page.url} shows no copy: {unescape(page.text)[-1500:]}")
            time.sleep(_LOOK_EVERY_S)
            page = browser.get(page.url, timeout=10)
        return time.monotonic() - pressed


def _airflow(said: str) -> tuple[str, Mapping[str, str]]:
    """Airflow's address and login, from the terminal's output."""
    found = re.search(r"Airflow +(\S+) +user (\S+) +password (\S+)", said)
    if found is None:
        raise NotInTime(f"The terminal shows no login of Airflow:\n{said}")
    return found[1], {"username": found[2], "password": found[3]}


def _red(url: str, login: Mapping[str, str]) -> list[str]:
    """Everything that the home page shows in red once no run is under way, each in a few words."""
    with _session() as browser:
        token = browser.post(f"{url}/auth/token", json=login, timeout=15).json()["access_token"]
        browser.headers["Authorization"] = f"Bearer {token}"

        def ask(path: str, **query: str) -> Any:
            answer = browser.get(f"{url}{path}", params=query, timeout=15)
            answer.raise_for_status()
            return answer.json()

        began = time.monotonic()
        while ask(_SCHEDULED, state="running")["total_entries"] or ask(_SCHEDULED, state="queued")["total_entries"]:
            if time.monotonic() - began > _PATIENCE_S:
                raise NotInTime("Airflow's runs do not end.")
            time.sleep(_LOOK_EVERY_S)
        health = ask("/api/v2/monitor/health")
        counts = {
            "import errors": ask("/api/v2/importErrors")["total_entries"],
            "warnings": ask("/api/v2/dagWarnings")["total_entries"],
            "failed runs": ask(_SCHEDULED, state="failed")["total_entries"],
            "failed tasks": ask(f"{_SCHEDULED}/~/taskInstances", state="failed")["total_entries"],
        }
    sick = [f"{part} is {what['status']}" for part, what in health.items() if what["status"] != "healthy"]
    return [*sick, *(f"{count} {what}" for what, count in counts.items() if count)]


def _asked(state_dir: Path) -> int:
    """How many rows `make query` returns."""
    asked = subprocess.run(
        [sys.executable, "-m", "ops.query", _ROWS, "--format", "csv"],
        cwd=REPOSITORY,
        env={**os.environ, "STATE_DIR": str(state_dir)},
        capture_output=True,
        text=True,
        check=True,
    )
    return len(asked.stdout.splitlines()) - 1


def _session() -> requests.Session:
    """A session that ignores proxies and .netrc."""
    session = requests.Session()
    session.trust_env = False
    return session
