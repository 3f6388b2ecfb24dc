"""Only forms of our own pages, in the same session, change anything."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from include.state.links import Link, Links
from include.store.sqlite import SqliteStore

ADA, REX = 134815, 22
NewBrowser = Callable[[], Any]
ENDED = f"/me/children/{REX}/remove"


def token_of(browser: Any, page: str = "/me") -> str:
    return re.findall(r'name="csrf" value="([^"]+)"', browser.client.get(page).text)[0]


@pytest.fixture
def ada(new_browser: NewBrowser, store: SqliteStore) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    Links(store, time.time).save(Link(ADA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    return browser


def assert_refused(answer: Any, store: SqliteStore) -> None:
    assert answer.status_code == 403
    assert "This form can no longer be used" in answer.text
    link = Links(store, time.time).get(ADA, REX)
    assert link is not None
    assert link.version == 1


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda token: {}, id="missing"),
        pytest.param(lambda token: {"csrf": ""}, id="empty"),
        pytest.param(lambda token: {"csrf": token[:-1]}, id="cut"),
        pytest.param(lambda token: {"csrf": token.swapcase()}, id="changed"),
        pytest.param(lambda token: {"csrf": "🐕\0"}, id="not ascii"),
    ],
)
def test_form_is_refused_when_its_token_is_not_ours(
    ada: Any, store: SqliteStore, spoil: Callable[[str], dict[str, str]]
) -> None:
    assert_refused(ada.client.post(ENDED, data=spoil(token_of(ada))), store)


def test_form_is_refused_when_its_token_belongs_to_another_session(
    ada: Any, new_browser: NewBrowser, store: SqliteStore
) -> None:
    other = new_browser()
    other.connect(33, "Mallory")

    assert_refused(ada.client.post(ENDED, data={"csrf": token_of(other)}), store)


def test_form_is_refused_when_the_athlete_signed_in_again_meanwhile(ada: Any, store: SqliteStore) -> None:
    token = token_of(ada)
    ada.connect(ADA, "Ada")

    assert_refused(ada.client.post(ENDED, data={"csrf": token}), store)


def test_token_in_the_address_does_not_count(ada: Any, store: SqliteStore) -> None:
    assert_refused(ada.client.post(ENDED, query_string={"csrf": token_of(ada)}), store)


def test_form_is_taken_when_its_token_is_ours(ada: Any, store: SqliteStore) -> None:
    assert ada.client.post(ENDED, data={"csrf": token_of(ada)}).status_code == 303
    link = Links(store, time.time).get(ADA, REX)
    assert link is not None
    assert link.status == "ended"


def changing_routes(app: Flask) -> list[tuple[str, str]]:
    return [
        (
            rule.endpoint,
            app.url_map.bind("x").build(rule.endpoint, {a: "pause" if a == "step" else 1 for a in rule.arguments}),
        )
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "webhook.receive" and "POST" in (rule.methods or ())
    ]


def test_every_page_that_changes_something_is_guarded_and_answers_to_no_get_but_its_own(app: Flask, ada: Any) -> None:
    addresses = changing_routes(app)

    assert len(addresses) >= 8
    assert {endpoint: ada.client.post(address).status_code for endpoint, address in addresses} == {
        endpoint: 403 for endpoint, _ in addresses
    }


def test_every_form_that_posts_carries_a_token(ada: Any) -> None:
    for page in ("/me", "/me/disconnect"):
        text = ada.client.get(page).text
        forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL)
        assert forms
        assert all('name="csrf"' in form for form in forms)
