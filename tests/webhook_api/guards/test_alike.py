"""Another athlete's id and one that nobody has are answered alike: same status, same page, same work."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from include.state.copies.ledger import Copy, CopyLedger, CopyState, external_id
from include.state.invites import Invites, invite_id_of
from include.state.links import CopyOptions, Link, Links
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION

ADA, REX, EVE, NOBODY = 134815, 22, 33, 999_999
CALLS = ("get", "put", "delete", "query", "find", "add")


class Counting:
    """A store that counts the calls made to it."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name in CALLS:
            self.calls.append(name)
        return getattr(self._store, name)


@pytest.fixture
def counting(app: Flask, store: SqliteStore) -> Counting:
    counting = Counting(store)
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], store=lambda: counting)
    return counting


@pytest.fixture
def eve(new_browser: Callable[[], Any], store: SqliteStore, clock: ManualClock) -> Any:
    """An athlete with nothing of her own, beside a parent with a child, an invitation and a copy."""
    for athlete_id, name in ((ADA, "Ada"), (REX, "Rex")):
        new_browser().connect(athlete_id, name, "read,activity:read,activity:write")
    Links(store, clock).save(Link(ADA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    Invites(store, clock).create("secret", ADA, ("Mia",), CopyOptions())
    CopyLedger(store, clock).plan(Copy(1, REX, ADA, CopyState.PLANNED, external_id=external_id(1, REX), matched="Rex"))
    browser = new_browser()
    browser.connect(EVE, "Eve")
    return browser


def routes_with_ids(app: Flask) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Method, endpoint, others' ids and unknown ones, of every route of an athlete's own that names an id."""
    others = {"child_id": REX, "parent_id": ADA, "activity_id": 1, "invite_id": invite_id_of("secret"), "step": "pause"}
    unknown = {"child_id": NOBODY, "parent_id": NOBODY, "activity_id": 7, "invite_id": "f" * 64, "step": "pause"}
    return [
        (method, rule.endpoint, *({name: ids[name] for name in rule.arguments} for ids in (others, unknown)))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/me/") and rule.arguments
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]


def test_others_ids_and_unknown_ones_are_answered_alike_everywhere(app: Flask, eve: Any, counting: Counting) -> None:
    token = re.findall(r'name="csrf" value="([^"]+)"', eve.client.get("/me").text)[0]
    form = {"csrf": token, "names": "Rex", "title": "{title}"}
    routes = routes_with_ids(app)
    build = app.url_map.bind("x").build

    def ask(method: str, endpoint: str, ids: dict[str, Any]) -> tuple[int, str, list[str]]:
        counting.calls.clear()
        answer = eve.client.open(build(endpoint, ids), method=method, data=form if method == "POST" else None)
        return answer.status_code, answer.text, list(counting.calls)

    assert len(routes) >= 15
    for method, endpoint, others, unknown in routes:
        first, second = ask(method, endpoint, others), ask(method, endpoint, unknown)
        assert first[0] in (404, 409), (method, endpoint)
        assert first == second, (method, endpoint)
