"""A parent who invites, and the links that come of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from include.state.links import Links
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock

WRITE = "read,activity:write"

FORM = {"names": "Rex, Rexi", "trim_m": "", "heartrate": "1", "power": "1", "temperature": "1", "link_back": "1"}

ADA, REX, EVE = 134815, 22, 33
NewBrowser = Callable[[], Any]


@pytest.fixture
def ada(new_browser: NewBrowser) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return browser


@pytest.fixture
def links(store: SqliteStore, clock: ManualClock) -> Links:
    return Links(store, clock)


@pytest.fixture
def invite() -> Callable[..., str]:
    """The path of a new invitation's link."""

    def invite(ada: Any, **changes: str) -> str:
        page = ada.post("/me/invites", **FORM | changes)
        assert page.status_code == 200
        return re.findall(r"https://ingest\.example\.org(/invite/[\w-]{32})", page.text)[0]

    return invite


@pytest.fixture
def accept() -> Callable[..., Any]:
    """Accept an invitation."""

    def accept(browser: Any, path: str, athlete_id: int = REX, name: str = "Rex", scope: str = WRITE) -> Any:
        return browser.walk(browser.post(path, page=path), athlete_id, name, scope)

    return accept
