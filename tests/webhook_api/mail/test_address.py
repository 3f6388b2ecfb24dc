"""An athlete gives an address, confirms it by a link that works once and for a day, and takes it back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from include.errors import OutcomeUnknown, RetryLater
from include.store.sqlite import SqliteStore
from include.store.store import ABSENT, Key
from local.testbed.manual_clock import ManualClock
from tests.webhook_api.mail.post import ADA, ADDRESS, Post, own_page, told_at
from webhook_api.edge import EXTENSION
from webhook_api.guards.brakes import MAILS_AN_HOUR


def test_address_is_used_only_after_its_link_was_opened_and_the_button_pressed(
    ada: Any, post: Post, stranger: Any, app: Flask
) -> None:
    page = ada.post("/me/mail", mail_address=ADDRESS).text
    state = app.extensions[EXTENSION].state

    assert [mail.to for mail in post.sent] == [ADDRESS]
    assert "not confirmed yet" in page
    assert list(state.mail_addresses.confirmed()) == []
    assert "Confirm the address" in stranger.client.get(post.link).text
    assert list(state.mail_addresses.confirmed()) == []
    assert "Your address is confirmed" in stranger.post(post.link, page=post.link).text
    assert [one.athlete_id for one in state.mail_addresses.confirmed()] == [ADA]
    assert "we write to you there when" in own_page(ada)


def test_link_works_once(ada: Any, post: Post, stranger: Any) -> None:
    ada.post("/me/mail", mail_address=ADDRESS)
    token = re.search(r'name="csrf" value="([^"]+)"', stranger.client.get(post.link).text)
    assert token is not None

    pressed = [stranger.client.post(post.link, data={"csrf": token[1]}).status_code for _ in range(2)]

    assert pressed == [200, 410]
    assert stranger.client.get(post.link).status_code == 410


def test_link_expires_after_a_day_and_the_address_is_forgotten(
    ada: Any, post: Post, stranger: Any, clock: ManualClock
) -> None:
    ada.post("/me/mail", mail_address=ADDRESS)
    clock.now_epoch_s += 86_400

    assert stranger.client.get(post.link).status_code == 410
    assert ADDRESS not in own_page(ada)


def test_link_that_was_changed_or_is_of_an_earlier_address_is_refused(
    ada: Any, post: Post, stranger: Any, clock: ManualClock
) -> None:
    ada.post("/me/mail", mail_address=ADDRESS)
    first = post.link
    clock.now_epoch_s += 61
    ada.post("/me/mail", mail_address="other@example.com")

    assert stranger.client.get(first).status_code == 410
    assert stranger.client.get(post.link.replace("confirm/W", "confirm/X")).status_code == 410
    assert stranger.client.get("/mail/confirm/nothing").status_code == 410
    assert stranger.client.get(post.link).status_code == 200


def test_address_is_taken_back_at_once(ada: Any, post: Post, stranger: Any, app: Flask) -> None:
    ada.post("/me/mail", mail_address=ADDRESS)
    stranger.post(post.link, page=post.link)

    page = ada.post("/me/mail/forget").text

    assert ADDRESS not in page
    assert app.extensions[EXTENSION].state.mail_addresses.get(ADA) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "a b@example.com",
        "ada@example",
        "a@b@example.com",
        "ada@example.com\nBcc: x@y.zz",
        "a" * 250 + "@b.cc",
    ],
)
def test_text_that_is_no_address_is_refused(ada: Any, post: Post, address: str) -> None:
    assert ada.post("/me/mail", mail_address=address).status_code == 400
    assert post.sent == []


def test_second_mail_within_a_minute_is_not_sent(ada: Any, post: Post, clock: ManualClock) -> None:
    ada.post("/me/mail", mail_address=ADDRESS)

    assert ada.post("/me/mail", mail_address="b@example.com").status_code == 429
    clock.now_epoch_s += 61
    ada.post("/me/mail", mail_address="b@example.com")
    assert [mail.to for mail in post.sent] == [ADDRESS, "b@example.com"]


def test_mails_are_counted_for_an_hour_whatever_is_taken_back_in_between(
    ada: Any, post: Post, clock: ManualClock
) -> None:
    clock.now_epoch_s -= clock.now_epoch_s % 3_600
    for number in range(MAILS_AN_HOUR):
        ada.post("/me/mail", mail_address=f"victim{number}@example.com")
        ada.post("/me/mail/forget")
        clock.now_epoch_s += 60

    refused = ada.post("/me/mail", mail_address=ADDRESS)

    left_s = 3_600 - 60 * MAILS_AN_HOUR
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(left_s))
    assert f"Try again in {left_s // 60} minutes." in refused.text
    assert len(post.sent) == MAILS_AN_HOUR
    assert ADDRESS not in own_page(ada)
    clock.now_epoch_s += 3_600
    ada.post("/me/mail", mail_address=ADDRESS)
    assert post.sent[-1].to == ADDRESS


def test_address_to_which_no_link_was_sent_is_not_kept(ada: Any, post: Post) -> None:
    post.fault = RetryLater("full")

    assert ada.post("/me/mail", mail_address=ADDRESS).status_code == 503
    assert ADDRESS not in own_page(ada)


def test_address_that_an_older_version_left_to_be_confirmed_is_confirmed_by_its_link(
    ada: Any, post: Post, stranger: Any, app: Flask, store: SqliteStore
) -> None:
    ada.post("/me/mail", mail_address=ADDRESS)
    item = store.get(Key("mail_addresses", str(ADA), "waiting"))
    assert item is not None
    store.delete(item.key, expected_version=item.version)
    expiry = item.expires_at_epoch_s
    store.put(Key("mail_addresses", str(ADA)), item.fields, expected_version=ABSENT, expires_at_epoch_s=expiry)

    assert "not confirmed yet" in own_page(ada)
    assert told_at(app) == []
    stranger.post(post.link, page=post.link)
    assert told_at(app) == [ADDRESS]


def test_address_is_kept_when_nobody_knows_whether_the_link_went_out(ada: Any, post: Post) -> None:
    post.fault = OutcomeUnknown("broke off")

    assert "not confirmed yet" in ada.post("/me/mail", mail_address=ADDRESS).text


def test_address_is_stored_sealed_and_never_logged(
    ada: Any, post: Post, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ada.post("/me/mail", mail_address=ADDRESS)
    post.fault = RetryLater("full")
    ada.post("/me/mail", mail_address=ADDRESS)

    assert ADDRESS.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("state.sqlite*"))
    assert ADDRESS not in caplog.text


@pytest.fixture
def silent(app: Flask) -> Iterator[None]:
    edge = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(edge, settings=replace(edge.settings, mail_url=""))
    return iter(())


@pytest.mark.usefixtures("confirmed")
def test_page_is_shown_when_the_address_cannot_be_opened(ada: Any, store: SqliteStore) -> None:
    item = store.get(Key("mail_addresses", str(ADA)))
    assert item is not None
    store.put(item.key, {**item.fields, "sealed": "broken"}, expected_version=item.version)

    page = ada.client.get("/me")

    assert (page.status_code, "cannot be shown at the moment" in page.text) == (200, True)
    ada.post("/me/mail/forget")
    assert "cannot be shown at the moment" not in own_page(ada)


def test_page_offers_no_mails_where_the_installation_sends_none(ada: Any, silent: Any) -> None:
    assert 'id="mail"' not in own_page(ada)


def test_stranger_can_neither_give_nor_take_an_address(client: FlaskClient) -> None:
    assert client.post("/me/mail", data={"mail_address": ADDRESS}).status_code in (303, 403)
    assert client.post("/me/mail/forget").status_code in (303, 403)
