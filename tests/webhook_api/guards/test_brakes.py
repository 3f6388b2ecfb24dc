"""One client or one athlete cannot use up what all share, and reads when to try again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from include.linking.ceilings import CHILDREN, OPEN_INVITATIONS
from include.state.invites import Invites
from include.state.links import CopyOptions, Link, Links, LinkStatus
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from webhook_api.guards.brakes import SIGN_INS_AN_HOUR, client_address

ADA, REX = 134815, 22
NewBrowser = Callable[[], Any]
FORM = {"names": "Rex", "title": "{title}"}


def come_back(browser: Any, address: str, **headers: str) -> Any:
    """A sign-in from that address of the network, up to our answer."""
    start = browser.client.get("/sign-in")
    browser.client.environ_base["REMOTE_ADDR"] = address
    browser.client.environ_base.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
    return browser.walk(start, ADA, "Ada", "read")


@pytest.fixture
def ada(new_browser: NewBrowser) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return browser


def test_client_is_refused_for_the_rest_of_the_hour_and_no_other_with_it(
    new_browser: NewBrowser, ada: Any, strava: Any, store: SqliteStore, clock: ManualClock, tmp_path: Any
) -> None:
    clock.now_epoch_s = 1_760_000_400.0 - 1_800 + 3_600  # half past an hour
    browser = new_browser()
    answers = [come_back(browser, "198.51.100.7").status_code for _ in range(SIGN_INS_AN_HOUR)]
    calls = len(strava.forms)

    refused = come_back(browser, "198.51.100.7")

    assert set(answers) == {200}
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1800")
    assert "Try again in 30 minutes." in refused.text
    assert len(strava.forms) == calls
    assert come_back(new_browser(), "198.51.100.8").status_code == 200
    assert b"198.51.100.7" not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    clock.now_epoch_s += 1_800
    assert come_back(browser, "198.51.100.7").status_code == 200


def test_callback_that_nobody_began_here_counts_nothing(app: Flask, client: Any) -> None:
    for _ in range(SIGN_INS_AN_HOUR + 5):
        assert client.get("/callback", query_string={"state": "guess", "code": "c"}).status_code == 400


@pytest.mark.parametrize(
    ("remote", "forwarded", "counted"),
    [
        pytest.param("198.51.100.7", "203.0.113.1", "198.51.100.7", id="a header from elsewhere does not count"),
        pytest.param("127.0.0.1", "203.0.113.1, 198.51.100.7", "198.51.100.7", id="what the own proxy appended"),
        pytest.param("::1", "198.51.100.7", "198.51.100.7", id="proxy by ipv6"),
        pytest.param("127.0.0.1", "", "", id="this machine"),
        pytest.param("127.0.0.1", "198.51.100.7, 127.0.0.1", "", id="this machine through a proxy"),
        pytest.param("127.0.0.1", "<script>", "", id="no address"),
        pytest.param("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64", id="a household by ipv6"),
        pytest.param("", "", "", id="nobody knows"),
    ],
)
def test_client_is_who_the_nearest_trusted_machine_saw(app: Flask, remote: str, forwarded: str, counted: str) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": remote}, headers={"X-Forwarded-For": forwarded}):
        assert client_address() == counted


def test_invitation_beyond_the_ceiling_is_refused_until_one_is_withdrawn_or_ends(
    ada: Any, store: SqliteStore, clock: ManualClock
) -> None:
    invites = Invites(store, clock)
    for number in range(OPEN_INVITATIONS):
        invites.create(f"secret {number}", ADA, ("Rex",), CopyOptions())
    clock.now_epoch_s += 5 * 86_400

    refused = ada.post("/me/invites", page="/me/invites/new", **FORM)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(2 * 86_400))
    assert "Try again in 2 days." in refused.text
    assert len(invites.open_of_parent(ADA)) == OPEN_INVITATIONS
    clock.now_epoch_s += 2 * 86_400
    assert ada.post("/me/invites", page="/me/invites/new", **FORM).status_code == 200
    assert len(invites.open_of_parent(ADA)) == 1


def test_child_beyond_the_ceiling_is_neither_invited_nor_accepted(
    new_browser: NewBrowser, ada: Any, store: SqliteStore, clock: ManualClock
) -> None:
    links, invites = Links(store, clock), Invites(store, clock)
    invites.create("secret", ADA, ("Rex",), CopyOptions())
    for child_id in range(1_000, 1_000 + CHILDREN):
        links.save(Link(ADA, child_id, ("Mia",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    rex = new_browser()

    refused = ada.post("/me/invites", page="/me/invites/new", **FORM)
    start = rex.post("/invite/secret", page="/invite/secret")
    answer = rex.walk(start, REX, "Rex", "read,activity:write")

    assert (refused.status_code, answer.status_code) == (409, 409)
    assert "No more children can be linked" in refused.text
    assert "No more children can be linked" in answer.text
    assert links.get(ADA, REX) is None
    one = links.get(ADA, 1_000)
    assert one is not None
    links.save(replace(one, status=LinkStatus.ENDED))
    rex.walk(rex.post("/invite/secret", page="/invite/secret"), REX, "Rex", "read,activity:write")
    assert links.get(ADA, REX) is not None


def test_form_that_is_sent_twice_at_the_ceiling_is_no_further_invitation(
    ada: Any, store: SqliteStore, clock: ManualClock
) -> None:
    invites = Invites(store, clock)
    for number in range(OPEN_INVITATIONS - 1):
        invites.create(f"secret {number}", ADA, ("Rex",), CopyOptions())
    form = {**FORM, "page": "/me/invites/new"}

    answers = [ada.post("/me/invites", form_token=token, **form).status_code for token in ("one", "one", "two")]

    assert answers == [200, 200, 429]
    assert len(invites.open_of_parent(ADA)) == OPEN_INVITATIONS


def test_withdrawn_invitation_stays_so_where_others_have_taken_its_room(
    ada: Any, store: SqliteStore, clock: ManualClock
) -> None:
    invites = Invites(store, clock)
    for number in range(OPEN_INVITATIONS):
        invites.create(f"secret {number}", ADA, ("Rex",), CopyOptions())
    withdrawn = invites.open_of_parent(ADA)[0].invite_id
    ada.post(f"/me/invites/{withdrawn}/withdraw")
    assert ada.post("/me/invites", page="/me/invites/new", **FORM).status_code == 200

    answer = ada.post(f"/me/invites/{withdrawn}/undo")

    assert (answer.status_code, "can no longer be undone" in answer.text) == (409, True)
    assert len(invites.open_of_parent(ADA)) == OPEN_INVITATIONS
