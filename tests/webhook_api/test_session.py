"""Who is signed in, for how long, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from itsdangerous import URLSafeSerializer

from include.state.accounts.athletes import Athletes, AthleteStatus
from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION
from webhook_api.session import COOKIE, IDLE_S, LONGEST_S

ADA = 134815
HOST_COOKIE = f"__Host-{COOKIE}"
DAY_S = 86_400
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


def at(app: Flask, public_url: str) -> None:
    edge = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(edge, settings=replace(edge.settings, public_url=public_url))


@pytest.mark.parametrize(
    ("public_url", "name", "secure"),
    [
        pytest.param("https://ingest.example.org", HOST_COOKIE, True, id="https"),
        pytest.param("http://127.0.0.1:8080", COOKIE, False, id="http on one machine"),
    ],
)
def test_cookie_is_out_of_reach_of_scripts_and_other_sites(
    app: Flask, new_browser: NewBrowser, public_url: str, name: str, secure: bool
) -> None:
    at(app, public_url)
    browser = new_browser()

    headers = browser.connect(ADA, "Ada").history[0].headers.getlist("Set-Cookie")
    (cookie,) = [header for header in headers if header.startswith(f"{name}=")]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie.split("; ")
    assert "Domain" not in cookie
    assert f"Max-Age={IDLE_S}" in cookie
    assert ("Secure" in cookie) is secure


def use(browser: Any, clock: ManualClock, after_s: int) -> bool:
    """Look at one's page after that time, in a browser that ignores how long a cookie lasts."""
    cookie = browser.client.get_cookie(HOST_COOKIE)
    clock.now_epoch_s += after_s
    if cookie:
        browser.client.set_cookie(HOST_COOKIE, cookie.value, secure=True)
    return is_signed_in(browser)


@pytest.mark.parametrize(
    ("passed_s", "lasts"),
    [pytest.param(IDLE_S - 1, True, id="just in time"), pytest.param(IDLE_S, False, id="too late")],
)
def test_session_that_nobody_uses_ends_after_30_days(
    new_browser: NewBrowser, clock: ManualClock, passed_s: int, lasts: bool
) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")

    assert use(browser, clock, passed_s) is lasts


def test_session_that_is_used_slides_and_ends_after_180_days_all_the_same(
    new_browser: NewBrowser, clock: ManualClock
) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")

    assert [use(browser, clock, 29 * DAY_S) for _ in range(6)] == [True] * 6
    remaining_s = LONGEST_S - 6 * 29 * DAY_S
    assert use(browser, clock, remaining_s - 1)
    assert not use(browser, clock, 1)


def test_cookie_is_not_sent_anew_at_every_page(new_browser: NewBrowser, clock: ManualClock) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")

    clock.now_epoch_s += 3_599
    assert "Set-Cookie" not in browser.client.get("/me").headers
    clock.now_epoch_s += 1
    assert f"Max-Age={IDLE_S}" in browser.client.get("/me").headers["Set-Cookie"]


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param([ADA, 1_760_000_000, "nonce"], id="before there were series"),
        pytest.param([None, 1_760_000_000, "nonce"], id="a visitor's"),
    ],
)
@pytest.mark.parametrize("name", [COOKIE, HOST_COOKIE])
def test_cookie_of_an_older_version_asks_to_sign_in_again(
    new_browser: NewBrowser, athletes: Athletes, settings: Any, cookie: list[Any], name: str
) -> None:
    new_browser().connect(ADA, "Ada")
    browser = new_browser()
    browser.client.set_cookie(
        name, URLSafeSerializer(settings.cookie_key, salt="session").dumps(cookie), secure=name == HOST_COOKIE
    )

    answer = browser.client.get("/me")

    assert (answer.status_code, answer.location) == (303, "/")
    assert "Sign in with Strava" in browser.client.get("/").text


@pytest.mark.parametrize(
    ("keys", "stays"),
    [
        pytest.param("new-key cookie-key-that-nobody-may-see", True, id="changed"),
        pytest.param("cookie-key-that-nobody-may-see new-key", True, id="before all processes have the new one"),
        pytest.param("new-key", False, id="the old one was dropped"),
    ],
)
def test_session_outlives_a_change_of_the_key(app: Flask, new_browser: NewBrowser, keys: str, stays: bool) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    edge = app.extensions[EXTENSION]

    app.extensions[EXTENSION] = replace(edge, settings=replace(edge.settings, cookie_key=keys))

    assert is_signed_in(browser) is stays
    if stays:
        assert "Sign in with Strava" in browser.post("/sign-out").text


def test_new_key_signs_once_there_are_two(app: Flask, new_browser: NewBrowser) -> None:
    edge = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(edge, settings=replace(edge.settings, cookie_key="new-key old-key"))
    browser = new_browser()
    browser.connect(ADA, "Ada")

    app.extensions[EXTENSION] = replace(edge, settings=replace(edge.settings, cookie_key="new-key"))

    assert is_signed_in(browser)


SALT = "session-of-a-series"


def forged(key: str, salt: str) -> str:
    return str(URLSafeSerializer(key, salt=salt).dumps([ADA, "", 1_760_000_000, 1_760_000_000, "nonce"]))


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda cookie, key: "", id="empty"),
        pytest.param(lambda cookie, key: cookie[:-1], id="cut"),
        pytest.param(lambda cookie, key: forged("guess", SALT), id="key"),
        pytest.param(lambda cookie, key: forged(key, "walk"), id="salt"),
    ],
)
def test_forged_cookie_signs_nobody_in(
    new_browser: NewBrowser, settings: Any, forge: Callable[[str, str], str]
) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    cookie = browser.client.get_cookie(HOST_COOKIE).value

    browser.client.set_cookie(HOST_COOKIE, forge(cookie, settings.cookie_key), secure=True)

    assert not is_signed_in(browser)


def test_signing_out_leaves_the_athlete_connected(new_browser: NewBrowser, athletes: Athletes) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")

    answer = browser.post("/sign-out")

    assert "Connect with Strava" in answer.text
    assert browser.client.get_cookie(HOST_COOKIE) is None
    assert not is_signed_in(browser)
    athlete = athletes.get(ADA)
    assert athlete is not None
    assert athlete.status is AthleteStatus.ACTIVE


def test_every_session_of_an_athlete_ends_when_the_access_is_gone(new_browser: NewBrowser, athletes: Athletes) -> None:
    browser = new_browser()
    browser.connect(ADA, "Ada")

    athletes.mark(ADA, AthleteStatus.REVOKED)

    assert not is_signed_in(browser)


def sign_out_everywhere(browser: Any, athletes: Athletes) -> None:
    assert "Sign in with Strava" in browser.post("/sign-out", everywhere="1").text


def disconnected_and_back(browser: Any, athletes: Athletes) -> None:
    athletes.mark(ADA, AthleteStatus.REVOKED)
    browser.connect(ADA, "Ada")


def erased_and_back(browser: Any, athletes: Athletes) -> None:
    athletes.mark(ADA, AthleteStatus.REVOKED)
    athletes.forget(ADA)
    browser.connect(ADA, "Ada")


def connected_again(browser: Any, athletes: Athletes) -> None:
    browser.connect(ADA, "Ada")


@pytest.mark.parametrize("end", [sign_out_everywhere, disconnected_and_back, erased_and_back, connected_again])
def test_every_other_browser_is_signed_out_for_good_within_the_same_second(
    new_browser: NewBrowser, athletes: Athletes, end: Callable[[Any, Athletes], None]
) -> None:
    phone, desk = new_browser(), new_browser()
    phone.connect(ADA, "Ada")
    desk.walk(desk.client.get("/sign-in"), ADA, "Ada", "read")
    assert is_signed_in(phone)
    assert is_signed_in(desk)

    end(desk, athletes)

    assert not is_signed_in(phone)
    desk.walk(desk.client.get("/sign-in"), ADA, "Ada", "read")
    assert is_signed_in(desk)
    assert not is_signed_in(phone)


def test_signing_out_of_one_browser_leaves_the_others(new_browser: NewBrowser, athletes: Athletes) -> None:
    phone, desk = new_browser(), new_browser()
    phone.connect(ADA, "Ada")
    desk.walk(desk.client.get("/sign-in"), ADA, "Ada", "read")

    desk.post("/sign-out")

    assert is_signed_in(phone)


def test_no_two_sessions_or_sign_ins_share_a_nonce_and_none_can_be_guessed(app: Flask, new_browser: NewBrowser) -> None:
    browser, nonces = new_browser(), []
    for _ in range(3):
        browser.connect(ADA, "Ada")
        signed = browser.client.get_cookie(HOST_COOKIE).value
        nonces.append(URLSafeSerializer("", salt=SALT).loads_unsafe(signed)[1][-1])
        browser.client.get("/sign-in")
        nonces.append(browser.client.get_cookie("__Host-sdi_connecting").value)

    assert len(set(nonces)) == 6
    assert min(map(len, nonces)) * 6 >= 128, "each character of base64 holds six bits"


def test_log_says_who_signed_in_and_out_everywhere_and_no_token(
    new_browser: NewBrowser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    browser = new_browser()
    browser.connect(ADA, "Ada")
    cookie = browser.client.get_cookie(HOST_COOKIE).value

    browser.post("/sign-out", everywhere="1")

    said = [record.getMessage() for record in caplog.records if record.name.startswith("webhook_api")]
    assert said == [f"Athlete {ADA} has signed in", f"Athlete {ADA} has signed out everywhere"]
    assert cookie not in caplog.text
    assert "Ada" not in caplog.text
