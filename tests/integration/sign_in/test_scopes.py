"""What connecting again allows, keeps and narrows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from include.state.accounts.athletes import AthleteStatus
from include.state.links import CopyOptions, Link
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


def status_of(system: Installation) -> AthleteStatus:
    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    return athlete.status


def scopes_of(system: Installation) -> frozenset[str]:
    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    return athlete.scopes


def test_connect_button_pressed_in_place_of_sign_in_takes_nothing_away(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    new_browser().connect(PAULA, ALL)
    phone = new_browser()

    answer = phone.connect(PAULA, STORED["read"])  # the button as the page comes: no box is ticked
    if answer.status_code == 303:  # Strava ended the older pair: all of it is asked for again
        assert set(parse_qs(urlsplit(answer.headers["Location"]).query)["scope"][0].split(",")) == ALL
        answer = phone.authorize(answer, PAULA)

    assert "Hello, <bdi>Paula</bdi>" in answer.text
    assert (scopes_of(system), status_of(system)) == (ALL, AthleteStatus.ACTIVE)


def test_athlete_who_allows_more_without_being_signed_in_keeps_the_rest(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    new_browser().connect(PAULA, STORED["read_all"])
    phone = new_browser()

    page = phone.authorize(phone.connect(PAULA, STORED["write"]), PAULA)

    assert "Hello, <bdi>Paula</bdi>" in page.text
    assert scopes_of(system) == ALL


def test_scope_counts_only_as_far_as_it_was_asked_for_and_the_token_proves_it(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    browser = new_browser()
    back = system.control.authorize(browser.open("/connect", private="1").headers["Location"], PAULA)
    assert back.count("scope=read,activity:read,activity:read_all") == 1

    browser.open(back.replace("activity:read_all", "activity:read_all,activity:write"))
    assert scopes_of(system) == STORED["read_all"]

    back = system.control.authorize(
        browser.open("/connect", private="1", receive="1").headers["Location"], PAULA, scopes=STORED["read_all"]
    )
    browser.open(back.replace("activity:read_all", "activity:read_all,activity:write"))
    assert scopes_of(system) == STORED["read_all"]


def test_untick_at_strava_narrows_nothing_before_the_page_was_answered(
    system: Installation, new_browser: Callable[[], Any], rule: OlderPair
) -> None:
    browser = new_browser()
    browser.connect(PAULA, ALL)

    page = browser.authorize(browser.open("/connect", private="1", receive="1"), PAULA, STORED["read"])

    assert "Allow less than before?" in page.text
    assert scopes_of(system) == ALL
    assert ('href="/connect/again"' in page.text) is (rule is OlderPair.DIES)
    browser.authorize(browser.open("/connect/again"), PAULA)
    assert (scopes_of(system), status_of(system)) == (ALL, AthleteStatus.ACTIVE)


def test_wider_grant_shows_the_links_that_it_touches(system: Installation, new_browser: Callable[[], Any]) -> None:
    browser = new_browser()
    browser.connect(PAULA, STORED["read"])
    for child_id, name, trim_m in ((REX, "Rex", None), (STRANGER, "Mia", 0)):
        link = Link(
            PAULA, child_id, (name,), CopyOptions(trim_m=trim_m), parent_consent_epoch_s=1, child_consent_epoch_s=1
        )
        system.services.state.links.save(link)

    page = browser.connect(PAULA, STORED["read_all"]).text

    assert re.findall(r"<li><bdi>(\w+)</bdi>:\s+(.*?)\s+<a", page) == [
        ("Rex", "whatever lies within 200&nbsp;m of the start or the end is left out."),
        ("Mia", "nothing is left out, so tracks show where you live."),
    ]
    assert "Hello, <bdi>Paula</bdi>" in browser.connect(PAULA, STORED["read_all"]).text


@pytest.mark.parametrize(("answer", "unwanted"), [("keep", set()), ("remove", {"activity:read_all"})])
def test_grant_is_narrowed_as_the_athlete_answers(
    system: Installation, new_browser: Callable[[], Any], answer: str, unwanted: set[str]
) -> None:
    browser = new_browser()
    browser.connect(PAULA, ALL)

    page = browser.open("/connect", receive="1")
    assert scopes_of(system) == ALL
    browser.authorize(browser.press(page, "/connect/less", stored=answer), PAULA)

    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    assert (athlete.scopes, athlete.unwanted_scopes) == (STORED["write"], unwanted)
    browser.connect(PAULA, ALL)
    again = system.services.state.athletes.get(PAULA)
    assert again is not None
    assert (again.scopes, again.unwanted_scopes) == (ALL, set())


def test_narrowing_holds_for_the_athlete_who_chose_it_and_no_other(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    new_browser().connect(REX, ALL)
    browser = new_browser()
    browser.connect(PAULA, ALL)

    asked = browser.press(browser.open("/connect", receive="1"), "/connect/less", stored="remove")
    answer = browser.authorize(asked, REX)  # Strava has another account logged in
    if answer.status_code == 303:  # Strava ended the older pair: all of it is asked for again
        answer = browser.authorize(answer, REX)

    assert "Hello, <bdi>Rex</bdi>" in answer.text
    rex = system.services.state.athletes.get(REX)
    assert rex is not None
    assert (rex.scopes, rex.unwanted_scopes) == (ALL, set())
    assert scopes_of(system) == ALL


def test_link_alone_narrows_nothing(system: Installation, new_browser: Callable[[], Any]) -> None:
    browser = new_browser()
    browser.connect(PAULA, ALL)

    for address in ("/connect", "/connect/less?scope=activity:read&stored=remove"):
        assert "Allow less than before?" in browser.open(address).text
    foreign = browser.session.post(
        f"{system.web_url}/connect/less", data={"scope": "activity:read", "stored": "remove"}, allow_redirects=False
    )

    assert foreign.status_code == 403
    assert scopes_of(system) == ALL


def test_child_who_accepts_without_being_signed_in_keeps_what_it_allowed(
    system: Installation, new_browser: Callable[[], Any]
) -> None:
    new_browser().connect(REX, ALL)
    paula = new_browser()
    paula.connect(PAULA, STORED["read"])
    form = {"names": "Rex", "trim_m": "0"}
    token = re.search(r'name="csrf" value="([^"]+)"', paula.open("/me").text)
    assert token is not None
    page = paula.session.post(f"{system.web_url}/me/invites", data={"csrf": token[1], **form})
    (path,) = re.findall(r"(/invite/[\w-]{32})", page.text)
    rex = new_browser()
    token = re.search(r'name="csrf" value="([^"]+)"', rex.open(path).text)
    assert token is not None

    answer = rex.session.post(f"{system.web_url}{path}", data={"csrf": token[1]}, allow_redirects=False)
    answer = rex.authorize(answer, REX)
    while answer.status_code == 303:
        answer = rex.authorize(answer, REX)

    assert "Hello, <bdi>Rex</bdi>" in answer.text
    athlete = system.services.state.athletes.get(REX)
    assert athlete is not None
    assert athlete.scopes == ALL
    assert [link.child_id for link in system.services.state.links.of_parent(PAULA)] == [REX]
