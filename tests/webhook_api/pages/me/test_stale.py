"""What a form does that was opened before something changed: nothing, and it says so with the way on."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from include.state.copies.ledger import CopyLedger
from include.state.links import CopyOptions, Link, Links, LinkStatus

ADA, REX = 134815, 22
LINK = Link(ADA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
FORM = {"names": "Rex", "title": "{title}", "heartrate": "1", "power": "1", "temperature": "1", "link_back": "1"}


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_form_of_a_link_that_was_changed_since_saves_nothing(ada: Any, links: Links) -> None:
    links.save(LINK)
    seen = seen_in(ada.client.get(f"/me/children/{REX}").text)
    first = ada.post(f"/me/children/{REX}", **{**FORM, "heartrate": ""}, trim_m="100", seen=seen)

    stale = ada.post(f"/me/children/{REX}", **FORM, trim_m="90", seen=seen)

    assert (first.status_code, stale.status_code) == (200, 409)
    assert "The link was changed meanwhile" in stale.text
    assert f'href="/me/children/{REX}"' in stale.text
    stored = links.get(ADA, REX)
    assert stored is not None
    assert stored.options.trim_m == 100
    again = seen_in(ada.client.get(f"/me/children/{REX}").text)
    assert ada.post(f"/me/children/{REX}", **FORM, trim_m="90", seen=again).status_code == 200


def test_form_of_a_link_that_is_sent_twice_is_saved_once(ada: Any, links: Links) -> None:
    links.save(LINK)
    seen = seen_in(ada.client.get(f"/me/children/{REX}").text)

    answers = [ada.post(f"/me/children/{REX}", **FORM, trim_m="90", seen=seen).status_code for _ in range(2)]

    assert answers == [200, 200]


@pytest.mark.parametrize("button", [{"preview": "1"}, {"trim_m": "far"}])
def test_form_that_comes_back_is_as_old_as_before(ada: Any, links: Links, button: dict[str, str]) -> None:
    links.save(LINK)
    seen = seen_in(ada.client.get(f"/me/children/{REX}").text)
    links.save(replace(LINK, options=CopyOptions(trim_m=5), version=1))

    page = ada.post(f"/me/children/{REX}", **FORM | button, seen=seen).text

    assert seen_in(page) == seen


@pytest.mark.parametrize(
    "address", [f"/me/children/{REX}/pause", f"/me/children/{REX}", "/me/children/77/pause", "/me/invites/x/undo"]
)
def test_what_is_no_longer_there_leads_to_the_own_page(ada: Any, links: Links, address: str) -> None:
    links.save(replace(LINK, status=LinkStatus.ENDED))

    answer = ada.post(address, **FORM)

    assert answer.status_code == 404
    assert "This is no longer there" in answer.text
    assert 'href="/me">Go to your page' in answer.text


def test_copy_that_is_no_longer_there_is_not_tried_again_and_leads_to_the_own_page(
    ada: Any, copies: CopyLedger
) -> None:
    assert copies.get(1, REX) is None

    assert "Go to your page" in ada.post(f"/me/copies/1/{REX}/again").text


def test_less_is_given_up_only_as_far_as_the_page_has_listed_it(ada: Any, strava: Any) -> None:
    ada.connect(ADA, "Ada", "read,activity:read,activity:read_all")
    listed = {"scope": "activity:read", "lost": "activity:read_all", "stored": "keep"}
    page = "/connect/less?scope=activity:read"
    assert ada.post("/connect/less", page=page, **listed).status_code == 303
    ada.connect(ADA, "Ada", "read,activity:read,activity:read_all,activity:write")

    asked = ada.post("/connect/less", page=page, **listed)

    assert asked.status_code == 200
    assert "receives no more copies" in asked.text
    assert re.findall(r'name="lost" value="([^"]+)"', asked.text) == ["activity:read_all", "activity:write"]
