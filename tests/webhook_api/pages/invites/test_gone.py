"""An invitation that is gone: used, expired, withdrawn, declined, unknown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from include.errors import RetryLater
from include.state.invites import LIFETIME_S
from include.state.links import Link, Links
from include.store.sqlite import SqliteStore
from include.store.store import Key
from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION

ADA, REX, EVE = 134815, 22, 33
WRITE = "read,activity:write"
FORM = {"names": "Rex, Rexi", "trim_m": "", "heartrate": "1", "power": "1", "temperature": "1", "link_back": "1"}
NewBrowser = Callable[[], Any]


def link_of(links: Links, child_id: int = REX) -> Link:
    link = links.get(ADA, child_id)
    assert link is not None
    return link


def assert_gone(answer: Any) -> None:
    assert answer.status_code == 410
    assert "This invitation can no longer be used" in answer.text


def test_used_invitation_is_gone_for_everybody(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., Any], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex, eve = new_browser(), new_browser()
    page = eve.client.get(path)
    accept(rex, path)

    for browser in (rex, eve, ada):
        assert_gone(browser.client.get(path))
    token = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
    assert_gone(eve.client.post(path, data={"csrf": token}))
    assert links.get(ADA, EVE) is None


def test_one_of_two_who_accept_at_once_is_linked(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex, eve = new_browser(), new_browser()
    rex_leaves, eve_leaves = rex.post(path, page=path), eve.post(path, page=path)

    assert rex.walk(rex_leaves, REX, "Rex", WRITE).status_code == 200
    assert_gone(eve.walk(eve_leaves, EVE, "Eve", WRITE))

    assert [link.child_id for link in links.of_parent(ADA)] == [REX]
    assert eve.client.get("/me").status_code == 200, "Eve has connected all the same"


@pytest.mark.parametrize("path", ["/invite/", "/invite/x", "/invite/" + "x" * 32, "/invite/%F0%9F%90%95"])
def test_unknown_invitation_is_gone(new_browser: NewBrowser, path: str) -> None:
    assert new_browser().client.get(path).status_code == (404 if path == "/invite/" else 410)


def test_invitation_is_gone_when_it_expires_even_on_the_way(
    ada: Any, new_browser: NewBrowser, links: Links, clock: ManualClock, invite: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()
    clock.now_epoch_s += LIFETIME_S - 60
    leaves = rex.post(path, page=path)
    clock.now_epoch_s += 60

    assert_gone(rex.client.get(path))
    assert_gone(rex.walk(leaves, REX, "Rex", WRITE))
    assert links.of_parent(ADA) == []


def test_child_accepts_again_when_the_link_was_lost_in_a_crash(
    app: Flask,
    ada: Any,
    new_browser: NewBrowser,
    links: Links,
    store: SqliteStore,
    invite: Callable[..., Any],
    accept: Callable[..., Any],
) -> None:
    path = invite(ada)
    rex = new_browser()

    class NoLinks:
        """The store, on which no link can be written."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def put(self, key: Key, fields: Any, **options: Any) -> int:
            if key.table == "links":
                raise RetryLater("the store is busy")
            return store.put(key, fields, **options)

    edge = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(edge, store=NoLinks)
    assert accept(rex, path).status_code == 503
    app.extensions[EXTENSION] = edge

    assert_gone(accept(new_browser(), path, EVE, "Eve"))
    assert accept(rex, path).status_code == 200
    assert link_of(links).child_consent_epoch_s is not None


def test_open_invitation_is_shown_with_its_expiry_until_it_is_accepted(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., Any], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    page = ada.client.get("/me").text
    assert "Invitation for <bdi>Rex</bdi>, <bdi>Rexi</bdi>" in page
    assert "Its link works until <time>16 October 2025</time>" in page
    accept(new_browser(), path)
    assert "Invitation for" not in ada.client.get("/me").text


def withdraw_address(page: str) -> str:
    return re.findall(r'href="(/me/invites/[0-9a-f]{64}/withdraw)"', page)[0]


def test_withdrawn_invitation_is_gone_even_on_the_way(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()
    leaves = rex.post(path, page=path)
    address = withdraw_address(ada.client.get("/me").text)

    assert "Withdraw the invitation?" in ada.client.get(address).text
    for _ in range(2):
        assert "You withdrew this invitation." in ada.post(address).text

    assert_gone(rex.client.get(path))
    assert_gone(rex.walk(leaves, REX, "Rex", WRITE))
    assert links.of_parent(ADA) == []


def test_nobody_withdraws_the_invitation_of_another(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., Any]
) -> None:
    path = invite(ada)
    eve = new_browser()
    eve.connect(EVE, "Eve")

    assert eve.post(withdraw_address(ada.client.get("/me").text)).status_code == 404
    assert eve.client.get(path).status_code == 200


def test_invited_athlete_declines_without_connecting(
    ada: Any, new_browser: NewBrowser, athletes: Any, invite: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()

    question = rex.client.get(f"{path}/decline").text
    assert "Say no to the invitation?" in question
    assert "<bdi>Ada</bdi> reads that it was declined." in question
    for _ in range(2):
        assert "You have declined" in rex.post(f"{path}/decline", page=f"{path}").text

    assert_gone(new_browser().client.get(path))
    assert athletes.get(REX) is None
    assert "Invitation for" not in ada.client.get("/me").text
