"""From an invitation to a link that copies: two people, two browsers."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from include.copying.eligibility import ineligible_reason
from include.state.links import CopyOptions, Link, Links, LinkStatus
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from webhook_api.errors import route

log = logging.getLogger(__name__)
ADA, REX, EVE = 134815, 22, 33
WRITE = "read,activity:write"
FORM = {"names": "Rex, Rexi", "trim_m": "", "heartrate": "1", "power": "1", "temperature": "1", "link_back": "1"}
NewBrowser = Callable[[], Any]


def link_of(links: Links, child_id: int = REX) -> Link:
    link = links.get(ADA, child_id)
    assert link is not None
    return link


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:time|bdi|strong)>", "", page)).split())


def blocked_by(link: Link) -> str:
    """Why the link alone keeps any activity from being copied; empty when it does not."""
    reason = ineligible_reason(_ANY, None, link, is_copy=True) or ""
    return "" if "itself a copy" in reason else reason


_ANY: Any = None  # a link's own reasons come before the activity is looked at


def test_child_accepts_and_parent_confirms_before_anything_is_copied(
    ada: Any,
    new_browser: NewBrowser,
    links: Links,
    clock: ManualClock,
    invite: Callable[..., Any],
    accept: Callable[..., Any],
) -> None:
    path = invite(ada)
    rex = new_browser()
    page = text_of(rex.client.get(path).text)
    assert "Ada invites you" in page
    assert "Byron" not in page
    assert "Names in the title Rex or Rexi First day the day the invitation is confirmed" in page

    clock.now_epoch_s += 3600
    page = text_of(accept(rex, path).text)
    assert "Hello, Rex" in page
    assert "Ada has to confirm that it was you" in page
    waiting = link_of(links)
    assert (waiting.child_consent_epoch_s, waiting.parent_consent_epoch_s) == (int(clock()), None)
    assert "waits until both sides" in blocked_by(waiting)

    clock.now_epoch_s += 3600
    assert f"Rex Byron, athlete {REX} on Strava, has accepted" in text_of(ada.client.get("/me").text)
    page = text_of(ada.post(f"/me/children/{REX}/confirm").text)
    assert "Rex Byron: copies are made." in page
    linked = link_of(links)
    assert linked.parent_consent_epoch_s == linked.starts_at_epoch_s == int(clock())
    assert (linked.names, linked.options) == (("Rex", "Rexi"), CopyOptions())
    assert blocked_by(linked) == ""
    assert "whose title names Rex or Rexi are copied" in text_of(rex.client.get("/me").text)


def test_strava_is_asked_for_uploads_only_when_a_stranger_accepts(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., Any]
) -> None:
    path = invite(ada)

    answer = new_browser().post(path, page=path)

    assert "scope=activity%3Awrite%2Cread&" in answer.location


def test_what_a_child_allowed_before_is_asked_for_again(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()
    rex.connect(REX, "Rex", "read,activity:read,activity:read_all")

    answer = rex.post(path, page=path)

    assert "scope=activity%3Aread%2Cactivity%3Aread_all%2Cactivity%3Awrite%2Cread&" in answer.location


def test_confirming_twice_keeps_the_first_start(
    ada: Any,
    new_browser: NewBrowser,
    links: Links,
    clock: ManualClock,
    invite: Callable[..., Any],
    accept: Callable[..., Any],
) -> None:
    accept(new_browser(), invite(ada))
    ada.post(f"/me/children/{REX}/confirm")
    before = link_of(links)
    clock.now_epoch_s += 60

    assert ada.post(f"/me/children/{REX}/confirm").status_code == 200
    assert link_of(links) == before


def test_parent_cannot_accept_the_own_invitation(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., Any], accept: Callable[..., Any]
) -> None:
    path = invite(ada)

    assert ada.client.get(path).status_code == 409
    answer = accept(new_browser(), path, ADA, "Ada")
    assert (answer.status_code, "is your own" in answer.text) == (409, True)

    assert links.of_parent(ADA) == []
    assert accept(new_browser(), path).status_code == 200, "it is still good for the child"


def test_child_who_unticks_uploads_has_accepted_nothing(
    ada: Any,
    new_browser: NewBrowser,
    links: Links,
    athletes: Any,
    invite: Callable[..., Any],
    accept: Callable[..., Any],
) -> None:
    path = invite(ada)
    rex = new_browser()

    answer = accept(rex, path, scope="read,activity:read")

    assert (answer.status_code, "Upload your activities" in answer.text) == (403, True)
    assert (links.of_parent(ADA), athletes.get(REX)) == ([], None)
    assert accept(rex, path).status_code == 200


def test_child_who_declines_at_strava_can_still_accept_later(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., Any], accept: Callable[..., Any]
) -> None:
    path = invite(ada)
    rex = new_browser()
    rex.post(path, page=path)

    assert rex.client.get("/callback", query_string={"error": "access_denied"}).status_code == 403
    assert accept(rex, path).status_code == 200


def test_linked_child_keeps_the_link_when_invited_again(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., Any], accept: Callable[..., Any]
) -> None:
    accept(new_browser(), invite(ada))
    ada.post(f"/me/children/{REX}/confirm")
    before = link_of(links)
    path = invite(ada, names="Somebody")

    answer = accept(new_browser(), path)

    assert (answer.status_code, "You are already linked" in answer.text) == (409, True)
    assert link_of(links) == before


def test_ended_link_begins_anew_with_a_new_invitation(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., Any], accept: Callable[..., Any]
) -> None:
    accept(new_browser(), invite(ada))
    ada.post(f"/me/children/{REX}/confirm")
    ada.post(f"/me/children/{REX}/remove")
    accept(new_browser(), invite(ada, names="Puppy"))

    link = link_of(links)
    assert (link.status, link.names, link.parent_consent_epoch_s) == (LinkStatus.ACTIVE, ("Puppy",), None)


@pytest.mark.parametrize("field", [{"names": ""}, {"names": "🐕"}, {"trim_m": "far"}])
def test_nothing_is_created_when_the_form_is_of_no_use(ada: Any, store: SqliteStore, field: dict[str, str]) -> None:
    answer = ada.post("/me/invites", **FORM | field)

    assert answer.status_code == 400
    assert "Nothing was saved. Please check" in answer.text
    assert "invitation for" not in ada.client.get("/me").text


def test_hostile_names_are_text_on_every_page(
    ada: Any, new_browser: NewBrowser, invite: Callable[..., Any], accept: Callable[..., Any]
) -> None:
    hostile = "<script>alert(1)</script>"
    ada.connect(ADA, f"Ada{hostile}")
    path = invite(ada, names=f"Rex{hostile}")
    rex = new_browser()
    pages = [rex.client.get(path).text, accept(rex, path, name=f"Rex{hostile}").text]
    pages += [ada.client.get("/me").text, ada.post(f"/me/children/{REX}/confirm").text, rex.client.get("/me").text]

    assert all("<script" not in page for page in pages)
    assert all("&lt;script&gt;" in page for page in pages)


def test_secret_is_on_the_invitations_own_pages_only_and_never_logged_or_stored(
    app: Flask, new_browser: NewBrowser, tmp_path: Path, caplog: pytest.LogCaptureFixture, invite: Callable[..., Any]
) -> None:
    app.after_request(lambda answer: log.info("%s %s", request.method, route()) or answer)
    caplog.set_level("DEBUG")
    ada = new_browser()
    ada.connect(ADA, "Ada")
    path = invite(ada)
    secret = path.removeprefix("/invite/")
    rex = new_browser()
    leaves = rex.post(path, page=path)
    done = rex.walk(leaves, REX, "Rex", WRITE)
    gone = rex.client.get(path)

    seen = caplog.text + leaves.location + done.text + gone.text + ada.client.get("/me").text
    assert "GET /invite/<secret>\n" in caplog.text
    assert secret not in seen
    assert not [file for file in tmp_path.iterdir() if secret.encode() in file.read_bytes()]
    assert not [name for name in ("access-token", "refresh-token", "client-secret", "Byron") if name in caplog.text]


def test_another_browser_cannot_end_the_walk(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., Any]
) -> None:
    path = invite(ada)
    leaves = new_browser().post(path, page=path)

    assert new_browser().walk(leaves, EVE, "Eve", WRITE).status_code == 400
    assert links.of_parent(ADA) == []


def test_chosen_first_day_is_kept_when_the_parent_confirms(
    ada: Any, new_browser: NewBrowser, links: Links, invite: Callable[..., Any], accept: Callable[..., Any]
) -> None:
    path = invite(ada, start="2020-02-01", title="{parent}: {title}")
    rex = new_browser()
    assert "First day 1 February 2020" in text_of(rex.client.get(path).text)
    accept(rex, path)
    ada.post(f"/me/children/{REX}/confirm")

    link = link_of(links)
    assert (link.starts_at_epoch_s, link.options.title) == (1_580_515_200, "{parent}: {title}")
