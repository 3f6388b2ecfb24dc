"""Signing in is not connecting: it changes nothing that is kept, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
import requests

from include.errors import IngestError, StravaUnavailable
from include.lake.query import query
from include.pipeline.reconcile.due import list_athletes
from include.state.accounts.athletes import AthleteStatus
from include.state.links import Link
from include.strava.oauth import OAuthClient
from local.strava_simulator.world.simulation import OlderPair
from local.testbed.installation import Installation

pytestmark = pytest.mark.network
PAULA, REX, STRANGER = 4_100_001, 4_100_002, 4_100_003
ALL = frozenset({"read", "activity:read", "activity:read_all", "activity:write"})
STORED = {
    "read": frozenset({"read", "activity:read"}),
    "write": frozenset({"read", "activity:read", "activity:write"}),
    "read_all": frozenset({"read", "activity:read", "activity:read_all"}),
}
HOUR_S = 3600


def status_of(system: Installation) -> AthleteStatus:
    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    return athlete.status


def scopes_of(system: Installation) -> frozenset[str]:
    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    return athlete.scopes


def family(system: Installation, new_browser: Callable[[], Any], stored: frozenset[str]) -> None:
    """Paula and Rex copy to each other what names the other, as far as what they allow reaches."""
    new_browser().connect(PAULA, stored)
    new_browser().connect(REX, ALL)
    for parent_id, child_id, name in ((PAULA, REX, "Rex"), (REX, PAULA, "Paula")):
        link = Link(parent_id, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1)
        system.services.state.links.save(link)
    system.finish(PAULA, "Run with Rex")
    system.clock.advance(HOUR_S)
    system.control.change_visibility(system.finish(PAULA, "Quiet run"), "only_me")
    system.catch_up()
    system.clock.advance(HOUR_S)
    system.finish(REX, "Ride with Paula", "ride")
    work_on(system)


def inspection(system: Installation) -> dict[str, Any]:
    """What is kept of Paula and Rex: what each allowed, rows of the lake, links and copies."""
    services, lake = system.services, system.settings.lake_url
    rows = query("SELECT activity_id, COUNT(*) AS points FROM streams GROUP BY 1 ORDER BY 1", lake).to_pylist()
    seen = query("SELECT activity_id, name, visibility FROM activities ORDER BY 1", lake).to_pylist()
    ids = [row["activity_id"] for row in seen]
    return {
        "scopes": [services.state.athletes.get(athlete_id).scopes for athlete_id in (PAULA, REX)],
        "lake": [rows, seen],
        "links": [*services.state.links.of_parent(PAULA), *services.state.links.of_parent(REX)],
        "copies": [(copy.child_id, copy.state) for one in ids for copy in services.state.copies.of_activity(one)],
        "uploads": system.control.activity_ids(REX) + system.control.activity_ids(PAULA),
    }


def renew(system: Installation) -> None:
    """What a worker does in the background with the token of an athlete that has run out."""
    athlete = system.services.state.athletes.get(PAULA)
    try:
        token = system.services.strava.tokens.access_token(PAULA, scope="activity:read")
        system.services.strava.tokens.reject(PAULA, token)
        system.services.strava.tokens.access_token(PAULA, scope="activity:read")
    except IngestError:
        assert athlete is not None


def work_on(system: Installation) -> None:
    """What reconcile does once an hour, with the look at everybody's list."""
    system.clock.advance(HOUR_S)
    list_athletes(system.services, system.settings)
    system.reconcile()


def sign_in(system: Installation, browser: Any, end: str, renewal: str, rule: OlderPair) -> requests.Response:
    """Sign in a week later; what is done on the last page of Strava's that is shown, and when a worker renews."""
    exchange = OAuthClient.exchange

    def exchange_and_renew(oauth: OAuthClient, code: str) -> Any:
        grant = exchange(oauth, code)
        if renewal == "between":
            renew(system)
        return grant

    if renewal == "before":
        renew(system)
    answer = browser.open("/sign-in")
    with patch.object(OAuthClient, "exchange", autospec=True, side_effect=exchange_and_renew):
        if rule is OlderPair.DIES:
            answer = browser.authorize(answer, PAULA)  # leads on to a second page of Strava's
        if end == "done":
            answer = browser.authorize(answer, PAULA)
        elif end == "declined":
            answer = browser.cancel(answer)
    if renewal == "after":
        renew(system)
    return answer


@pytest.mark.parametrize("renewal", ["before", "between", "after"])
@pytest.mark.parametrize("end", ["done", "abandoned", "declined"])
@pytest.mark.parametrize("stored", [pytest.param(scopes, id=f"stored-{name}") for name, scopes in STORED.items()])
def test_signing_in_changes_nothing_that_is_kept(
    system: Installation,
    new_browser: Callable[[], Any],
    rule: OlderPair,
    stored: frozenset[str],
    end: str,
    renewal: str,
) -> None:
    family(system, new_browser, stored)
    kept = inspection(system)
    system.clock.advance(7 * 24 * HOUR_S)
    phone = new_browser()

    answer = sign_in(system, phone, end, renewal, rule)
    if end == "declined":
        says = "Connect again" if rule is OlderPair.DIES else "Nothing was connected"
        assert says in answer.text
    is_signed_in = end == "done" or rule is OlderPair.DIES  # there, the first page of Strava's was passed
    page = phone.open("/me")
    assert ("Hello, <bdi>Paula</bdi>" in page.text) is is_signed_in
    work_on(system)

    assert inspection(system) == kept
    is_alive = end == "done" or rule is OlderPair.LIVES
    assert status_of(system) is (AthleteStatus.ACTIVE if is_alive else AthleteStatus.NEEDS_REAUTH)
    if not is_alive:
        assert phone.open("/me").text.count('href="/connect/again"') == 1
        phone.authorize(phone.open("/connect/again"), PAULA)
        work_on(system)
        assert inspection(system) == kept
        assert status_of(system) is AthleteStatus.ACTIVE


def test_matrix_stands_on_something(system: Installation, new_browser: Callable[[], Any]) -> None:
    family(system, new_browser, STORED["read_all"])

    kept = inspection(system)

    assert [row["visibility"] for row in kept["lake"][1] if row["name"] == "Quiet run"] == ["only_me"]
    assert (REX, "done") in kept["copies"]


def test_stored_pair_is_neither_replaced_nor_ended_when_it_is_alive(
    system: Installation, new_browser: Callable[[], Any], rule: OlderPair
) -> None:
    if rule is OlderPair.DIES:
        pytest.skip("it is never alive then")
    new_browser().connect(PAULA, ALL)
    token = system.services.strava.tokens.access_token(PAULA, scope="activity:read")
    before = system.services.state.athletes.get(PAULA)
    phone = new_browser()

    phone.authorize(phone.open("/sign-in"), PAULA)

    after = system.services.state.athletes.get(PAULA)
    assert before is not None
    assert after is not None
    assert after.authorised_at_epoch_s == before.authorised_at_epoch_s
    assert system.services.strava.tokens.access_token(PAULA, scope="activity:read") == token
    assert "POST /oauth/revoke" not in {call["route"] for call in system.control.calls()}


def test_refusal_that_a_worker_saw_is_lifted_by_signing_in(
    system: Installation, new_browser: Callable[[], Any], rule: OlderPair
) -> None:
    new_browser().connect(PAULA, ALL)
    system.services.state.athletes.mark(PAULA, AthleteStatus.NEEDS_REAUTH)
    phone = new_browser()

    answer = phone.authorize(phone.open("/sign-in"), PAULA)
    if rule is OlderPair.DIES:
        answer = phone.authorize(answer, PAULA)

    assert "Connect again" not in answer.text
    assert (scopes_of(system), status_of(system)) == (ALL, AthleteStatus.ACTIVE)


def test_athlete_is_signed_in_and_nothing_changes_when_the_stored_pair_cannot_be_proved_now(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    new_browser().connect(PAULA, ALL)
    phone = new_browser()
    answer = phone.open("/sign-in")

    with patch.object(OAuthClient, "refresh", autospec=True, side_effect=StravaUnavailable("503")):
        answer = phone.authorize(answer, PAULA)

    assert "Hello, <bdi>Paula</bdi>" in answer.text
    assert (scopes_of(system), status_of(system)) == (ALL, AthleteStatus.ACTIVE)


def test_stranger_who_signs_in_leaves_no_row_and_takes_no_place(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    browser = new_browser()

    page = browser.authorize(browser.open("/sign-in"), STRANGER)

    assert (page.status_code, "This account is not connected" in page.text) == (403, True)
    assert browser.open("/me").url.endswith("/")
    assert system.services.state.athletes.get(STRANGER) is None
    with system.simulation.state.transaction() as db:
        assert db.execute("SELECT COUNT(*) AS count FROM grants").fetchone()["count"] == 0
    system.catch_up()
    assert browser.connect(STRANGER, STORED["read"]).status_code == 200


def test_newcomer_who_connects_while_a_sign_in_is_given_back_allows_it_once_more_and_is_connected(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    one_tab, other_tab = new_browser(), new_browser()
    revoke = OAuthClient.revoke

    def connect_and_revoke(oauth: OAuthClient, athlete_id: int, access_token: str) -> None:
        other_tab.connect(PAULA, STORED["read_all"])
        revoke(oauth, athlete_id, access_token)

    with patch.object(OAuthClient, "revoke", autospec=True, side_effect=connect_and_revoke):
        answer = one_tab.authorize(one_tab.open("/sign-in"), PAULA)
    page = one_tab.authorize(answer, PAULA)

    assert "Hello, <bdi>Paula</bdi>" in page.text
    assert (scopes_of(system), status_of(system)) == (STORED["read_all"], AthleteStatus.ACTIVE)
    assert system.services.strava.tokens.prove(PAULA)


def test_disconnected_athlete_who_signs_in_stays_disconnected_and_keeps_what_is_stored(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    family(system, new_browser, STORED["read"])
    browser = new_browser()
    browser.connect(PAULA, STORED["read"])
    browser.authorize(browser.press(browser.open("/me/disconnect"), "/me/disconnect"), PAULA)
    system.catch_up()
    kept = inspection(system)

    page = browser.authorize(browser.open("/sign-in"), PAULA)
    system.catch_up()

    assert "This account is not connected" in page.text
    assert inspection(system) == kept
    assert status_of(system) is AthleteStatus.REVOKED


@pytest.mark.parametrize("wish", ["/me/disconnect", "/me/erase"])
def test_no_access_is_left_at_strava_once_the_confirmed_wish_is_carried_out(
    system: Installation, new_browser: Callable[[], Any], wish: str
) -> None:
    browser = new_browser()
    browser.connect(PAULA, STORED["read_all"])

    browser.authorize(browser.press(browser.open(wish), wish, confirm="erase"), PAULA)
    system.catch_up()

    with system.simulation.state.transaction() as db:
        assert db.execute("SELECT COUNT(*) AS count FROM grants").fetchone()["count"] == 0
    athlete = system.services.state.athletes.get(PAULA)
    assert (athlete is None) is (wish == "/me/erase")
    assert browser.connect(PAULA, STORED["read"]).status_code == 200


def test_other_athletes_word_at_strava_confirms_no_wish_and_ends_nobodys_access(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    family(system, new_browser, STORED["read"])
    browser = new_browser()
    browser.connect(PAULA, STORED["read"])

    page = browser.authorize(browser.press(browser.open("/me/erase"), "/me/erase", confirm="erase"), REX)
    if page.status_code == 303:  # Strava has ended the other's pair, which is allowed once more
        page = browser.authorize(page, REX)
    system.catch_up()

    assert (status_of(system), system.services.state.erasures.get(PAULA)) == (AthleteStatus.ACTIVE, None)
    assert system.services.strava.tokens.prove(REX)
    assert system.services.strava.tokens.prove(PAULA)
