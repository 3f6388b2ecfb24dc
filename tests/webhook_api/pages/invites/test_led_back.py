"""Whatever goes wrong on the way to accept an invitation leads back to it, and never to where the own is archived."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from include.errors import StravaUnavailable
from include.state.links import Links

ADA, REX, EVE = 134815, 22, 33
WRITE = "read,activity:write"
NewBrowser = Callable[[], Any]


def state_of(answer: Any) -> str:
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def ways_on(page: str) -> list[str]:
    """Where the page's buttons lead, without our own host."""
    return [
        each.removeprefix("https://ingest.example.org") for each in re.findall(r'class="button" href="([^"]+)"', page)
    ]


def assert_led_back(answer: Any, path: str, status: int) -> None:
    assert answer.status_code == status
    assert ways_on(answer.text) == [path], answer.text
    assert "/connect" not in answer.text


def test_child_who_cancels_at_strava_is_led_back_and_can_accept(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., str], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()
    state = state_of(rex.post(path, page=path))
    answer = rex.client.get("/callback", query_string={"error": "access_denied", "state": state})
    assert "The invitation was not accepted" in answer.text
    assert_led_back(answer, path, 403)
    assert links.of_parent(ADA) == []
    assert accept(rex, path).status_code == 200


@pytest.mark.parametrize("scope", ["read", "read,activity:read", ""])
def test_child_who_unticks_the_upload_is_led_back(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., str], accept: Callable[..., Any], scope: str
) -> None:
    path = invite(ada)
    assert_led_back(accept(new_browser(), path, scope=scope), path, 403)


def test_child_who_unticks_what_was_allowed_before_is_led_back_and_keeps_it(
    ada: Any, new_browser: NewBrowser, athletes: Any, invite: Callable[..., str], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()
    rex.connect(REX, "Rex", "read,activity:read")
    assert_led_back(accept(rex, path, scope=WRITE), path, 403)
    assert athletes.get(REX).scopes == {"read", "activity:read"}


def test_child_who_comes_back_in_another_browser_is_led_to_the_invitation_there(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., str], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    leaves, other = new_browser().post(path, page=path), new_browser()
    assert_led_back(other.walk(leaves, REX, "Rex", WRITE), path, 400)
    assert links.of_parent(ADA) == [], "and nothing is accepted before the child says so there"
    assert accept(other, path).status_code == 200


def test_first_of_two_tabs_is_led_back(ada: Any, new_browser: NewBrowser, invite: Callable[..., str]) -> None:
    path = invite(ada)
    rex = new_browser()
    first, second = rex.post(path, page=path), rex.post(path, page=path)
    assert_led_back(rex.walk(first, REX, "Rex", WRITE), path, 400)
    assert rex.walk(second, REX, "Rex", WRITE).status_code == 200


def test_form_that_is_too_old_is_led_back(ada: Any, new_browser: NewBrowser, invite: Callable[..., str]) -> None:
    path = invite(ada)
    rex = new_browser()
    for address in (path, f"{path}/decline", f"{path}/undo"):
        assert_led_back(rex.client.post(address, data={"csrf": "of yesterday"}), path, 403)


@pytest.mark.parametrize("fault", [StravaUnavailable("503"), None])
def test_child_is_led_back_when_strava_fails(
    ada: Any, new_browser: NewBrowser, strava: Any, invite: Callable[..., str], accept: Callable[..., Any], fault: Any
) -> None:
    path = invite(ada)
    rex = new_browser()
    leaves = rex.post(path, page=path)
    strava.fault, strava.status = fault, 200 if fault else 400
    if not fault:
        good, strava.document = strava.document, {"message": "Bad Request", "errors": [], "athlete": {}}
    assert_led_back(rex.walk(leaves, REX, "Rex", WRITE), path, 503 if fault else 400)
    strava.fault, strava.status = None, 200
    if not fault:
        strava.document = good
    assert accept(rex, path).status_code == 200


def test_parent_who_opens_the_own_invitation_can_hand_the_browser_over(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., str], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    page = ada.client.get(path)
    assert (page.status_code, "This invitation is your own" in page.text) == (409, True)
    assert "is your own" in ada.post(f"{path}/decline", page=path).text
    assert "</bdi> invites you" in ada.post(f"{path}/sign-out", page=path).text
    assert_led_back(accept(ada, path, ADA, "Ada"), path, 409)


def test_child_who_has_accepted_already_is_led_to_the_own_page(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., str], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()
    accept(rex, path)
    assert ways_on(rex.client.get(path).text) == ["/me"]
    assert ways_on(new_browser().client.get(path).text) == ["/sign-in"]


def test_page_of_an_older_version_that_declines_does_not_accept(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., str]
) -> None:
    path = invite(ada)
    assert "Say no to the invitation?" in new_browser().post(path, page=path, answer="decline").text


# --- a child that only receives ------------------------------------------------------------------


def test_child_that_only_receives_is_never_asked_to_let_its_activities_be_read(
    ada: Any, new_browser: NewBrowser, athletes: Any, invite: Callable[..., str], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()
    asked = [rex.post(path, page=path)]
    assert "Your own activities are not read." in accept(rex, path).text
    asked += [rex.client.get(way) for way in ("/sign-in", "/connect/again", "/connect?only=receive")]
    for answer in asked:
        scopes = parse_qs(urlsplit(answer.location).query)["scope"][0].split(",")
        assert not {"activity:read", "activity:read_all"} & set(scopes)
    assert athletes.get(REX).scopes == {"read", "activity:write"}
    rex.walk(asked[-1], REX, "Rex", WRITE)
    rex.walk(rex.client.get("/sign-in"), REX, "Rex", "read")
    assert athletes.get(REX).scopes == {"read", "activity:write"}


def test_child_that_left_connects_again_to_receive_copies_only(
    ada: Any, new_browser: NewBrowser, athletes: Any, invite: Callable[..., str], accept: Callable[..., Any]
) -> None:
    rex = new_browser()
    accept(rex, invite(ada))
    rex.post("/me/disconnect")
    assert "Connect to receive copies only" in rex.client.get("/").text
    assert rex.walk(rex.client.get("/connect?only=receive"), REX, "Rex", WRITE).status_code == 200
    assert athletes.get(REX).scopes == {"read", "activity:write"}


def test_walk_to_receive_only_that_ends_in_another_browser_goes_on_as_such(new_browser: NewBrowser) -> None:
    leaves = new_browser().client.get("/connect?only=receive")
    answer = new_browser().walk(leaves, REX, "Rex", WRITE)
    assert ways_on(answer.text) == ["/connect?only=receive"]


def test_parent_sees_who_accepted_with_city_and_id(
    ada: Any, new_browser: NewBrowser, strava: Any, invite: Callable[..., str], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()
    leaves = rex.post(path, page=path)
    state = state_of(leaves)
    strava.document["athlete"] = {"id": REX, "firstname": "Rex\u202e", "lastname": "", "city": "Zürich\u202e"}
    rex.client.get("/callback", query_string={"state": state, "code": "code-of-strava", "scope": WRITE})
    page = ada.client.get("/me").text
    assert "<strong><bdi>Rex</bdi></strong> from <bdi>Zürich</bdi>" in page
    assert f"athlete {REX} on Strava" in page
    assert f'href="https://www.strava.com/athletes/{REX}"' in page
    assert '<span class="avatar" aria-hidden="true">R</span>' in page
    assert "\u202e" not in page
