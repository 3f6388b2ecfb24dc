"""Who is signed in, for how long, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from itsdangerous import URLSafeSerializer

from include.state.accounts.athletes import Athletes, AthleteStatus
from webhook_api.edge import EXTENSION
from webhook_api.session import COOKIE, LIFETIME_S

ADA = 134815
NewBrowser = Callable[[], Any]


def is_signed_in(browser: Any) -> bool:
    answer = browser.client.get("/me")
    assert answer.status_code == 200 or (answer.status_code, answer.location) == (303, "/")
    return bool(answer.status_code == 200)


def test_visitor_is_led_to_the_start_page(new_browser: NewBrowser) -> None:
    assert not is_signed_in(new_browser())


def test_athlete_is_signed_in_by_connecting_in_this_browser_only(new_browser: NewBrowser) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")

    assert is_signed_in(browser)
    assert "go to your" in browser.client.get("/").text
    assert not is_signed_in(new_browser())


@pytest.mark.parametrize(
    ("public_url", "secure"),
    [pytest.param("https://ingest.example.org", True, id="https"), pytest.param("http://127.0.0.1", False, id="http")],
)
def test_cookie_is_out_of_reach_of_scripts_and_other_sites(
    app: Flask, new_browser: NewBrowser, public_url: str, secure: bool
) -> None:
    edge = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(edge, settings=replace(edge.settings, public_url=public_url))
    browser = new_browser()

    (cookie,) = browser.connect(ADA, "Ada").history[0].headers.getlist("Set-Cookie")

    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert f"Max-Age={LIFETIME_S}" in cookie
    assert ("Secure" in cookie) is secure


@pytest.mark.parametrize(
    ("passed_s", "lasts"),
    [pytest.param(LIFETIME_S - 1, True, id="just in time"), pytest.param(LIFETIME_S, False, id="too late")],
)
def test_session_ends_after_a_week(new_browser: NewBrowser, now: Any, passed_s: int, lasts: bool) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    cookie = browser.client.get_cookie(COOKIE).value
    now.epoch_s += passed_s
    browser.client.set_cookie(COOKIE, cookie, secure=True)  # a browser that ignores its age

    assert is_signed_in(browser) is lasts


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda cookie, key: "", id="empty"),
        pytest.param(lambda cookie, key: cookie[:-1], id="cut"),
        pytest.param(lambda cookie, key: URLSafeSerializer("guess", salt="session").dumps([ADA, 2e9, "n"]), id="key"),
        pytest.param(lambda cookie, key: URLSafeSerializer(key, salt="consent").dumps([ADA, 2e9, "n"]), id="salt"),
    ],
)
def test_forged_cookie_signs_nobody_in(
    new_browser: NewBrowser, settings: Any, forge: Callable[[str, str], str]
) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    cookie = browser.client.get_cookie(COOKIE).value

    browser.client.set_cookie(COOKIE, forge(cookie, settings.cookie_key), secure=True)

    assert not is_signed_in(browser)


def test_signing_out_leaves_the_athlete_connected(new_browser: NewBrowser, athletes: Athletes) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")

    answer = browser.post("/sign-out")

    assert "Connect with Strava" in answer.text
    assert browser.client.get_cookie(COOKIE) is None
    assert not is_signed_in(browser)
    athlete = athletes.get(ADA)
    assert athlete is not None
    assert athlete.status is AthleteStatus.ACTIVE


def test_every_session_of_an_athlete_ends_when_the_access_is_gone(new_browser: NewBrowser, athletes: Athletes) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")

    athletes.mark(ADA, AthleteStatus.REVOKED)

    assert not is_signed_in(browser)


def test_start_page_remembers_what_a_signed_in_athlete_allows(new_browser: NewBrowser) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada", "activity:read,activity:read_all")

    page = browser.client.get("/").text

    assert page.count(" checked>") == 1
    assert 'aria-describedby="private-hint" checked' in page
