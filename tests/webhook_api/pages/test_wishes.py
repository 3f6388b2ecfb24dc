"""Erasing, disconnecting and allowing more need Strava's word that it is the athlete; a doubt destroys nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from include.errors import OutcomeUnknown, StravaUnavailable
from include.queue.sqlite import SqliteQueue
from include.state.accounts.athletes import Athletes, AthleteStatus
from include.state.accounts.wishes import WishKind
from include.state.erasures.ledger import Erasures
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock

ADA, EVE = 134815, 33
NewBrowser = Callable[[], Any]
WIDE = "read,activity:read,activity:read_all"


@pytest.fixture
def ada(new_browser: NewBrowser) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return browser


def wish_for(browser: Any, kind: WishKind) -> Any:
    """Press the button of that wish; the answer leads to Strava."""
    if kind is WishKind.ERASE:
        return browser.post("/me/erase", page="/me/erase", confirm="erase")
    if kind is WishKind.DISCONNECT:
        return browser.post("/me/disconnect", page="/me/disconnect")
    return browser.post("/connect", page="/", private="1")


def scope_of(kind: WishKind) -> str:
    return WIDE if kind is WishKind.WIDEN else "read"


def asked_of_strava(answer: Any) -> dict[str, str]:
    assert answer.status_code == 303
    assert answer.location.startswith("https://www.strava.com/oauth/authorize?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def assert_nothing_was_done(athletes: Athletes, store: SqliteStore, queue: SqliteQueue, clock: ManualClock) -> None:
    row = athletes.get(ADA)
    assert row is not None
    assert (row.status, row.scopes) == (AthleteStatus.ACTIVE, {"read", "activity:read"})
    assert Erasures(store, clock).get(ADA) is None
    assert queue.depth() == 0


def was_done(kind: WishKind, athletes: Athletes, store: SqliteStore, clock: ManualClock) -> bool:
    row = athletes.get(ADA)
    assert row is not None
    return {
        WishKind.ERASE: Erasures(store, clock).forbid_writing(ADA),
        WishKind.DISCONNECT: row.status is AthleteStatus.REVOKED,
        WishKind.WIDEN: "activity:read_all" in row.scopes,
    }[kind]


@pytest.mark.parametrize("kind", WishKind)
def test_wish_is_noted_and_leads_to_strava_before_anything_is_done(
    ada: Any, athletes: Athletes, store: SqliteStore, queue: SqliteQueue, clock: ManualClock, kind: WishKind
) -> None:
    asked = asked_of_strava(wish_for(ada, kind))

    assert asked["scope"] == ",".join(sorted(scope_of(kind).split(",")))
    assert_nothing_was_done(athletes, store, queue, clock)
    row = athletes.get(ADA)
    assert row is not None
    assert row.wish is not None
    assert (row.wish.kind, row.wish.asked_at_epoch_s) == (kind, int(clock()))


@pytest.mark.parametrize("kind", WishKind)
def test_wish_is_fulfilled_once_strava_says_that_it_is_the_athlete(
    ada: Any, athletes: Athletes, store: SqliteStore, clock: ManualClock, kind: WishKind
) -> None:
    ada.walk(wish_for(ada, kind), ADA, "Ada", scope_of(kind))

    assert was_done(kind, athletes, store, clock)
    row = athletes.get(ADA)
    assert row is not None
    assert row.wish is None


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"fault": StravaUnavailable("503")}, id="5xx"),
        pytest.param({"fault": OutcomeUnknown("cut off")}, id="timeout"),
        pytest.param({"status": 200, "document": []}, id="a page that is not the api's"),
        pytest.param({"status": 429, "document": {"message": "Rate Limit Exceeded", "errors": []}}, id="throttled"),
    ],
)
@pytest.mark.parametrize("kind", WishKind)
def test_wish_stays_noted_and_is_asked_again_when_strava_does_not_answer(
    ada: Any,
    athletes: Athletes,
    store: SqliteStore,
    queue: SqliteQueue,
    strava: Any,
    clock: ManualClock,
    *,
    kind: WishKind,
    trouble: dict[str, Any],
) -> None:
    answer = wish_for(ada, kind)
    well = {"fault": None, "status": strava.status, "document": dict(strava.document)}
    state = asked_of_strava(answer)["state"]
    for name, value in trouble.items():
        setattr(strava, name, value)

    query = {"state": state, "code": "code-of-strava", "scope": scope_of(kind)}
    page = ada.client.get("/callback", query_string=query)

    assert (page.status_code, "We could not confirm that it is you" in page.text) == (503, True)
    assert_nothing_was_done(athletes, store, queue, clock)
    for name, value in well.items():
        setattr(strava, name, value)
    text = " ".join(ada.client.get("/me").text.split())
    assert "You asked on <time>9 October 2025, 08:53 UTC</time>" in text
    assert "Strava has not confirmed yet that it is you, so nothing has been done" in text
    ada.walk(ada.post("/me/wish", answer="again"), ADA, "Ada", scope_of(kind))
    assert was_done(kind, athletes, store, clock)


@pytest.mark.parametrize("kind", WishKind)
def test_wish_is_shown_when_the_athlete_never_comes_back_from_strava_and_can_be_dropped(
    ada: Any, athletes: Athletes, store: SqliteStore, queue: SqliteQueue, clock: ManualClock, *, kind: WishKind
) -> None:
    answer = wish_for(ada, kind)
    assert "I no longer want this" in ada.client.get("/me").text

    assert "I no longer want this" not in ada.post("/me/wish", answer="drop").text

    # The walk that began before is brought to its end all the same.
    ada.walk(answer, ADA, "Ada", scope_of(kind) if kind is not WishKind.WIDEN else "read,activity:read")
    assert_nothing_was_done(athletes, store, queue, clock)
    assert "<bdi>Ada</bdi>" in ada.client.get("/me").text


@pytest.mark.parametrize("kind", WishKind)
def test_cancelling_at_strava_leads_to_the_page_that_asks_again(
    ada: Any, athletes: Athletes, store: SqliteStore, queue: SqliteQueue, clock: ManualClock, *, kind: WishKind
) -> None:
    state = asked_of_strava(wish_for(ada, kind))["state"]

    answer = ada.client.get("/callback", query_string={"state": state, "error": "access_denied"})

    assert (answer.status_code, answer.location) == (303, "/me")
    assert "Try again" in ada.client.get("/me").text
    assert_nothing_was_done(athletes, store, queue, clock)


@pytest.mark.parametrize("knows_eve", [pytest.param(False, id="newcomer"), pytest.param(True, id="connected too")])
@pytest.mark.parametrize("kind", WishKind)
def test_another_athletes_word_fulfils_no_wish_and_changes_nothing_of_either(
    new_browser: NewBrowser,
    ada: Any,
    athletes: Athletes,
    store: SqliteStore,
    queue: SqliteQueue,
    strava: Any,
    clock: ManualClock,
    *,
    kind: WishKind,
    knows_eve: bool,
) -> None:
    if knows_eve:
        new_browser().connect(EVE, "Eve")
    before = athletes.get(EVE)
    calls = len(strava.forms)

    page = ada.walk(wish_for(ada, kind), EVE, "Eve", scope_of(kind))

    assert (page.status_code, "You are logged in to another account on Strava" in page.text) == (403, True)
    assert_nothing_was_done(athletes, store, queue, clock)
    after = athletes.get(EVE)
    assert (after.status if after else None) == (before.status if before else None)
    assert any("token" in form for form in strava.forms[calls:]) is not knows_eve
    assert "<bdi>Ada</bdi>" in ada.client.get("/me").text


@pytest.mark.parametrize("kind", [WishKind.ERASE, WishKind.DISCONNECT])
def test_callback_of_a_wish_that_is_loaded_twice_does_nothing_more(
    ada: Any, athletes: Athletes, strava: Any, kind: WishKind
) -> None:
    answer = wish_for(ada, kind)
    ada.walk(answer, ADA, "Ada", "read")
    ada.connect(ADA, "Ada")
    calls = len(strava.forms)

    again = ada.walk(answer, ADA, "Ada", "read")

    assert again.status_code == 400
    assert len(strava.forms) == calls
    row = athletes.get(ADA)
    assert row is not None
    assert row.status is AthleteStatus.ACTIVE


@pytest.mark.parametrize("kind", WishKind)
def test_every_browser_is_signed_out_once_the_wish_is_fulfilled(
    new_browser: NewBrowser, ada: Any, kind: WishKind
) -> None:
    phone = new_browser()
    phone.walk(phone.client.get("/sign-in"), ADA, "Ada", "read")
    assert phone.client.get("/me").status_code == 200

    ada.walk(wish_for(ada, kind), ADA, "Ada", scope_of(kind))

    assert phone.client.get("/me").status_code == 303
    assert ada.client.get("/me").status_code == (200 if kind is WishKind.WIDEN else 303)


def test_address_alone_notes_no_wish(ada: Any, athletes: Athletes) -> None:
    ada.client.get("/connect", query_string={"private": "1"})
    ada.client.get("/me/erase")
    ada.client.get("/me/disconnect")

    row = athletes.get(ADA)
    assert row is not None
    assert row.wish is None


def test_wish_of_a_browser_is_forgotten_when_all_are_signed_out(ada: Any, athletes: Athletes) -> None:
    wish_for(ada, WishKind.ERASE)

    ada.post("/sign-out", everywhere="1")

    row = athletes.get(ADA)
    assert row is not None
    assert row.wish is None


def test_pages_say_beforehand_that_strava_is_asked(ada: Any) -> None:
    for page in ("/me/erase", "/me/disconnect"):
        assert "First, Strava has to tell us that it is you" in re.sub(r"\s+", " ", ada.client.get(page).text)
