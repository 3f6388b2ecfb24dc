"""A confirmed address stays in force while another one waits to be confirmed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from include.errors import MailRefused, RetryLater
from include.state.erasures.entry import EraseReason
from include.store.sqlite import SqliteStore
from include.store.store import Key
from local.testbed.manual_clock import ManualClock
from tests.webhook_api.mail.post import ADA, ADDRESS, Post, own_page, told_at
from webhook_api.edge import EXTENSION


@pytest.mark.usefixtures("confirmed")
def test_confirmed_address_stays_in_force_until_the_new_one_is_confirmed(
    ada: Any, post: Post, stranger: Any, app: Flask, clock: ManualClock
) -> None:
    page = ada.post("/me/mail", mail_address="new@example.com").text

    assert page.index(ADDRESS) < page.index("new@example.com") < page.index("and the confirmed one stays")
    assert told_at(app) == [ADDRESS]
    stranger.post(post.link, page=post.link)
    assert told_at(app) == ["new@example.com"]
    assert ADDRESS not in own_page(ada)
    clock.now_epoch_s += 86_401
    assert told_at(app) == ["new@example.com"]


@pytest.mark.usefixtures("confirmed")
@pytest.mark.parametrize("fault", [RetryLater("full"), MailRefused("none there")])
def test_confirmed_address_stays_when_no_link_can_be_sent_to_the_new_one(
    ada: Any, post: Post, app: Flask, fault: Exception
) -> None:
    post.fault = fault

    refused = ada.post("/me/mail", mail_address="new@example.com")

    assert (refused.status_code, "one that you confirmed before stays" in refused.text) == (503, True)
    assert told_at(app) == [ADDRESS]
    assert "new@example.com" not in own_page(ada)


@pytest.mark.usefixtures("confirmed")
def test_confirmed_address_stays_when_the_new_one_is_never_confirmed(
    ada: Any, app: Flask, clock: ManualClock, store: SqliteStore
) -> None:
    ada.post("/me/mail", mail_address="new@example.com")
    clock.now_epoch_s += 86_400

    assert told_at(app) == [ADDRESS]
    assert "new@example.com" not in own_page(ada)
    assert [item.key.sort for item in store.query("mail_addresses", str(ADA))] == ["-"]


@pytest.mark.usefixtures("confirmed")
def test_no_address_is_kept_of_an_athlete_who_is_to_be_erased(
    ada: Any, post: Post, app: Flask, store: SqliteStore
) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', own_page(ada))
    assert token is not None
    app.extensions[EXTENSION].state.erasures.ask_now(ADA, EraseReason.ATHLETE)

    answer = ada.client.post("/me/mail", data={"csrf": token[1], "mail_address": "new@example.com"})

    assert answer.status_code >= 400
    assert post.sent[1:] == []
    assert store.get(Key("mail_addresses", str(ADA), "waiting")) is None
    assert told_at(app) == [ADDRESS]


@pytest.mark.usefixtures("confirmed")
def test_both_addresses_are_taken_back_together(ada: Any, post: Post, stranger: Any, app: Flask) -> None:
    ada.post("/me/mail", mail_address="new@example.com")

    page = ada.post("/me/mail/forget").text

    assert ADDRESS not in page
    assert "new@example.com" not in page
    assert told_at(app) == []
    assert stranger.client.get(post.link).status_code == 410


def test_minute_between_two_links_outlives_a_failure_and_an_address_that_is_taken_back(
    ada: Any, post: Post, clock: ManualClock
) -> None:
    post.fault = RetryLater("full")
    ada.post("/me/mail", mail_address=ADDRESS)
    post.fault = None
    clock.now_epoch_s += 59

    assert ada.post("/me/mail", mail_address=ADDRESS).status_code == 429
    clock.now_epoch_s += 1
    ada.post("/me/mail", mail_address=ADDRESS)
    ada.post("/me/mail/forget")
    assert ada.post("/me/mail", mail_address=ADDRESS).status_code == 429
    assert len(post.sent) == 1
