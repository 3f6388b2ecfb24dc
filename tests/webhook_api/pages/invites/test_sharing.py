"""An invitation's link is handed on by copying, mail, SMS, WhatsApp or a QR code, from a page that can be reloaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import unquote

import pytest
import segno
from flask import Flask

from include.state.invites import Invites
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION

ADA, REX, EVE = 134815, 22, 33
FORM = {"names": "Rex, Rexi", "trim_m": "", "heartrate": "1", "power": "1", "temperature": "1", "link_back": "1"}
NewBrowser = Callable[[], Any]


@pytest.fixture
def invites(store: SqliteStore, clock: ManualClock) -> Invites:
    return Invites(store, clock)


def send(browser: Any, **changes: str) -> Any:
    """The answer to the form, not followed."""
    page = browser.client.get("/me/invites/new").text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page))
    return browser.client.post("/me/invites", data=fields | FORM | changes)


def links_on(page: str) -> list[str]:
    page = page[page.index("<main>") : page.index("</main>")]
    return [unescape(address) for address in re.findall(r'href="([^"]+)"', page)]


def address_on(page: str) -> str:
    found = re.search(r'<input id="invitation"[^>]* readonly value="([^"]+)"', page)
    assert found is not None
    return found[1]


def path_of(browser: Any, location: str) -> str:
    """The path of the invitation whose page is at the location."""
    return address_on(browser.client.get(location).text).removeprefix("https://ingest.example.org")


def test_page_of_a_new_invitation_can_be_loaded_again_and_creates_no_other(ada: Any, invites: Invites) -> None:
    answer = send(ada)
    assert answer.status_code == 303
    first, again = (ada.client.get(answer.location).text for _ in range(2))
    assert address_on(first) == address_on(again)
    assert len(invites.open_of_parent(ADA)) == 1
    assert answer.location in links_on(ada.client.get("/me").text), "the link can be shown again as long as it is good"


def test_form_that_is_sent_twice_creates_one_invitation_and_a_changed_one_another(ada: Any, invites: Invites) -> None:
    page = ada.client.get("/me/invites/new").text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page))
    answers = [ada.client.post("/me/invites", data=fields | FORM | names) for names in ({}, {}, {"names": "Bello"})]
    assert [answer.status_code for answer in answers] == [303] * 3
    assert len({answer.location for answer in answers}) == len(invites.open_of_parent(ADA)) == 2


def test_link_is_handed_on_by_plain_links_and_a_drawing(ada: Any) -> None:
    page = ada.client.get(send(ada).location).text
    address = address_on(page)
    assert re.fullmatch(r"https://ingest\.example\.org/invite/[\w-]{32}", address)
    ways = {link.partition(":")[0]: link for link in links_on(page) if not link.startswith("/")}
    assert ways["mailto"].startswith("mailto:?subject=An%20invitation&body=")
    assert ways["sms"].startswith("sms:?&body=")
    assert ways["https"].startswith("https://wa.me/?text=")
    for way in ways.values():
        text = unquote(re.split(r"(?:body|text)=", way)[1])
        assert text.startswith("Ada invites you")
        assert text.endswith(address)
    drawing = segno.make(address, error="m", micro=False).svg_inline(border=4, dark="#000", light="#fff", omitsize=True)
    assert drawing in page
    assert re.findall(r"<script| style=", page) == []


def test_name_cannot_change_what_is_handed_on(ada: Any) -> None:
    ada.connect(ADA, "\u202eAda&body=x\n")
    page = ada.client.get(send(ada).location).text
    [mail] = [link for link in links_on(page) if link.startswith("mailto:")]
    assert mail.count("&body=") == 1
    assert unquote(mail).split("&body=", 1)[1].startswith("Ada&body=x invites you")


def test_nobody_sees_the_invitation_of_another(ada: Any, new_browser: NewBrowser) -> None:
    location = send(ada).location
    eve = new_browser()
    eve.connect(EVE, "Eve")
    answers = [eve.client.get(path) for path in (location, f"{location}/withdraw", "/me/invites/unknown")]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("keeps_the_older", [True, False])
def test_link_is_shown_as_long_as_the_key_is_kept_and_stays_good_after_that(
    app: Flask, ada: Any, new_browser: NewBrowser, keeps_the_older: bool
) -> None:
    location = send(ada).location
    path = path_of(ada, location)
    edge = app.extensions[EXTENSION]
    keys = f"another-key {edge.settings.cookie_key}" if keeps_the_older else "another-key"
    app.extensions[EXTENSION] = replace(edge, settings=replace(edge.settings, cookie_key=keys))
    ada.connect(ADA, "Ada")
    page = ada.client.get(location).text
    assert ("We can no longer show the link" in page) is not keeps_the_older
    assert (path in page) is keeps_the_older
    assert new_browser().client.get(path).status_code == 200


def test_page_says_what_has_become_of_the_invitation(
    ada: Any, new_browser: NewBrowser, accept: Callable[..., Any]
) -> None:
    accepted, declined = send(ada).location, send(ada, names="Mia").location
    paths = [path_of(ada, each) for each in (accepted, declined)]
    accept(new_browser(), paths[0])
    new_browser().post(f"{paths[1]}/decline", page=paths[1])
    assert "This invitation has been accepted" in ada.client.get(accepted).text
    assert "This invitation was declined on" in ada.client.get(declined).text
    assert "The invitation for <bdi>Mia</bdi> was declined." in ada.client.get("/me").text


def test_withdrawn_invitation_is_open_again_after_undo(ada: Any, new_browser: NewBrowser, clock: ManualClock) -> None:
    location = send(ada).location
    path = path_of(ada, location)
    for late in (False, True):
        ada.post(f"{location}/withdraw")
        assert new_browser().client.get(path).status_code == 410
        clock.now_epoch_s += 86_400 if late else 86_399
        assert ada.post(f"{location}/undo").status_code == (409 if late else 200)
        assert new_browser().client.get(path).status_code == (410 if late else 200)


def test_child_undoes_declining_in_the_same_browser_within_a_day(
    ada: Any, new_browser: NewBrowser, clock: ManualClock
) -> None:
    path = path_of(ada, send(ada).location)
    rex, other = new_browser(), new_browser()
    rex.post(f"{path}/decline", page=path)
    second = path_of(ada, send(ada, names="Mia").location)
    assert other.post(f"{path}/undo", page=second).status_code == 409
    clock.now_epoch_s += 86_399
    assert "Ada</bdi> invites you" in rex.post(f"{path}/undo", page=path).text
    assert "was declined" not in ada.client.get("/me").text
    assert other.client.get(path).status_code == 200
