"""Whoever is not signed in gets nothing of an athlete's own, whatever they ask for and send."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from include.state.invites import Invites
from include.state.links import CopyOptions
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock

ADA = 134815
NewBrowser = Callable[[], Any]


@pytest.fixture
def stranger(new_browser: NewBrowser, store: SqliteStore, clock: ManualClock) -> tuple[FlaskClient, str]:
    """A visitor's browser and the token of its forms, which every visitor of an invitation gets."""
    new_browser().connect(ADA, "Ada")
    Invites(store, clock).create("secret", ADA, ("Rex",), CopyOptions())
    browser = new_browser()
    token = re.search(r'name="csrf" value="([^"]+)"', browser.client.get("/invite/secret").text)
    assert token is not None
    return browser.client, token[1]


def test_page_of_an_athletes_own_leads_a_stranger_to_the_start(app: Flask, stranger: tuple[FlaskClient, str]) -> None:
    client, token = stranger
    build = app.url_map.bind("x").build
    routes = [
        (method, build(rule.endpoint, {name: "pause" if name == "step" else 1 for name in rule.arguments}))
        for rule in app.url_map.iter_rules()
        if rule.rule == "/me" or rule.rule.startswith("/me/")
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]

    answers = {
        (method, path): client.open(path, method=method, data={"csrf": token} if method == "POST" else None)
        for method, path in routes
    }

    assert len(answers) >= 30
    found = {route: (answer.status_code, answer.location) for route, answer in answers.items()}
    assert found == dict.fromkeys(found, (303, "/"))
