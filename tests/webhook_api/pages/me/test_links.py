"""What a parent and a child do with their links on their own pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.copying.eligibility import ineligible_reason
from include.copying.waking import wake_for_links
from include.state.copies.ledger import CopyLedger, CopyState
from include.state.links import SETTLED_S, CopyOptions, Link, Links, LinkStatus
from include.strava.quota import Limits
from local.testbed.manual_clock import ManualClock

ADA, REX, EVE = 134815, 22, 33
NewBrowser = Callable[[], Any]
LINK = Link(ADA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:time|bdi)>", "", page)).split())


def test_page_is_empty_but_complete_when_nothing_has_happened(ada: Any) -> None:
    page = text_of(ada.client.get("/me").text)

    assert "Hello, Ada" in page
    assert "No children yet." in page
    assert "Nobody copies activities to your account." in page
    assert "None yet. They appear here" in page
    assert "Change what you allow" in page
    assert "What the others did" not in page


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        pytest.param("activity:read", "Leave empty to hide no more than Strava does", id="cropped by Strava"),
        pytest.param(
            "activity:read,activity:read_all", "Leave empty for 200 m, since you allow full tracks", id="full tracks"
        ),
    ],
)
def test_form_leaves_to_the_grant_what_is_hidden_and_says_what_that_is_and_what_is_not(
    new_browser: NewBrowser, scope: str, words: str
) -> None:
    browser = new_browser()

    browser.connect(ADA, "Ada", scope)
    page = browser.client.get("/me/invites/new").text
    assert re.search(r'name="trim_m"[^>]* value=""', page)
    assert words in page
    assert "Not hidden: when the copy begins and ends; heart rate" in page


@pytest.mark.parametrize(
    ("entered", "trim_m", "words"),
    [
        pytest.param("", None, "All sports", id="nothing"),
        pytest.param("0", 0, "; the whole track", id="the whole track"),
        pytest.param("70", 70, "; nothing within 70 m of the start or the end", id="a length"),
    ],
)
def test_parent_chooses_what_is_hidden_or_leaves_it_to_the_grant(
    ada: Any, links: Links, entered: str, trim_m: int | None, words: str
) -> None:
    links.save(LINK)
    page = ada.post(f"/me/children/{REX}", names="Rex", title="{title}", trim_m=entered).text
    link = links.get(ADA, REX)
    assert link is not None
    assert link.options.trim_m == trim_m
    assert words in text_of(page)
    assert re.search(rf'name="trim_m"[^>]* value="{entered}"', ada.client.get(f"/me/children/{REX}").text)


def test_paused_link_makes_no_copies_until_it_is_resumed(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    anything: Any = None

    assert "paused, nothing is copied" in ada.post(f"/me/children/{REX}/pause").text
    paused = links.get(ADA, REX)
    assert paused is not None
    assert ineligible_reason(anything, None, paused, is_copy=True) == "The link to this child is paused."
    assert "has paused the link" in rex.client.get("/me").text

    assert "copies are made" in ada.post(f"/me/children/{REX}/resume").text
    assert links.get(ADA, REX) == LINK


def test_parent_changes_names_and_options(ada: Any, rex: Any, links: Links) -> None:
    links.save(replace(LINK, made_by_operator=True))

    chosen = {
        "names": "Rexi\nRex",
        "trim_m": "150",
        "power": "1",
        "title": "{sport} of {parent}",
        "start": "2026-06-01",
    }
    page = ada.post(f"/me/children/{REX}", **chosen, sports="TrailRun").text

    link = links.get(ADA, REX)
    assert link is not None
    options = CopyOptions(False, True, False, 150, title="{sport} of {parent}", link_back=False, sports=("TrailRun",))
    assert (link.names, link.options, link.starts_at_epoch_s) == (("Rexi", "Rex"), options, 1_780_272_000)
    assert link.parent_consent_epoch_s == 1
    assert "Trail Run, from 1 June 2026 on; with power; nothing within 150 m of the start or the end" in text_of(page)
    assert "titled “{sport} of {parent}”." in text_of(page)


def test_form_comes_back_with_what_was_entered_and_what_is_wrong(ada: Any, links: Links) -> None:
    links.save(LINK)

    answer = ada.post(f"/me/children/{REX}", names="Rex", trim_m="far", title="{child} & co", start="2026-06-01")

    assert answer.status_code == 400
    assert "unknown placeholder {child}" in answer.text
    assert 'value="{child} &amp; co"' in answer.text
    assert 'value="far"' in answer.text
    assert 'value="2026-06-01"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    stored = links.get(ADA, REX)
    assert stored is not None
    assert (stored, stored.version) == (LINK, 1)


def test_form_shows_what_the_link_carries(ada: Any, links: Links) -> None:
    links.save(
        replace(LINK, options=CopyOptions(power=False, trim_m=70, sports=("Run",)), starts_at_epoch_s=1_780_272_005)
    )

    page = ada.client.get(f"/me/children/{REX}").text

    assert re.search(r'name="start"[^>]* value="2026-06-01"', page)
    ticked = set(re.findall(r'name="(\w+)" value="(\w+)" checked', page))
    assert ticked == {("heartrate", "1"), ("temperature", "1"), ("link_back", "1"), ("sports", "Run")}
    assert ada.client.get(f"/me/children/{EVE}").status_code == 404


def test_copies_that_waited_for_access_are_due_when_the_child_connects(
    new_browser: Any, copies: CopyLedger, clock: ManualClock, copy: Callable[..., Any]
) -> None:
    copy(copies, 1, CopyState.WAITING_FOR_ACCESS, reason="Not connected.", next_try_epoch_s=2_000_000_000)

    new_browser().connect(REX, "Rex", "read,activity:write")

    assert [due.parent_activity_id for due in copies.due(clock.now_epoch_s)] == [1]


def test_resumed_link_makes_what_it_skipped_meanwhile(
    ada: Any, links: Links, copies: CopyLedger, clock: ManualClock, copy: Callable[..., Any]
) -> None:
    links.save(LINK)
    ada.post(f"/me/children/{REX}/pause")
    copy(copies, 1, CopyState.SKIPPED, reason="The link to this child is paused.")

    ada.post(f"/me/children/{REX}/resume")

    clock.now_epoch_s += SETTLED_S
    assert wake_for_links(copies, links, Limits(), clock.now_epoch_s) == 1
    assert [(due.parent_activity_id, due.state) for due in copies.due(clock.now_epoch_s)] == [(1, CopyState.PLANNED)]


def test_removed_child_makes_no_copies_and_cannot_be_resumed(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    assert "Remove Rex?" in text_of(ada.client.get(f"/me/children/{REX}/remove").text)

    for _ in range(2):
        assert "You removed this child" in ada.post(f"/me/children/{REX}/remove").text

    assert ada.post(f"/me/children/{REX}/resume").status_code == 404
    assert "Nobody copies activities" in rex.client.get("/me").text


def test_child_ends_the_link_and_the_parent_cannot_take_it_up_again(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    assert "End the link with Ada?" in text_of(rex.client.get(f"/me/parents/{ADA}/end").text)

    for _ in range(2):
        assert "You ended the link" in rex.post(f"/me/parents/{ADA}/end").text

    link = links.get(ADA, REX)
    assert link is not None
    assert link.status is LinkStatus.ENDED
    for step in ("confirm", "resume", "pause"):
        assert ada.post(f"/me/children/{REX}/{step}").status_code == 404
    assert ada.post(f"/me/children/{REX}/undo").status_code == 409


def test_parent_cannot_give_the_childs_consent(ada: Any, links: Links) -> None:
    links.save(replace(LINK, parent_consent_epoch_s=None, child_consent_epoch_s=None))

    ada.post(f"/me/children/{REX}/confirm")

    link = links.get(ADA, REX)
    assert link is not None
    assert (link.parent_consent_epoch_s, link.child_consent_epoch_s) == (None, None)


def test_nobody_touches_a_link_of_others(new_browser: NewBrowser, links: Links) -> None:
    links.save(LINK)
    eve = new_browser()
    eve.connect(EVE, "Eve")

    addresses = [
        f"/me/children/{REX}/remove",
        f"/me/children/{ADA}/remove",
        f"/me/parents/{ADA}/end",
        f"/me/parents/{REX}/end",
    ]
    assert [eve.post(address).status_code for address in addresses] == [404] * 4
    assert eve.post(f"/me/children/{REX}", names="Eve", trim_m="0").status_code == 404
    stored = links.get(ADA, REX)
    assert stored is not None
    assert (stored, stored.version) == (LINK, 1)


def test_page_is_readable_by_everyone(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    for path in ("/me", "/me/disconnect", "/me/invites/new", f"/me/children/{REX}", f"/me/children/{REX}/remove"):
        page = ada.client.get(path).text
        fields = re.findall(r'<input (?!type="hidden")', page)
        assert len(fields) == page.count("<label")
        assert set(re.findall(r'label for="(\w+)"', page)) == set(re.findall(r'<input id="(\w+)"', page))
        ids = re.findall(r' id="([\w-]+)"', page)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'aria-(?:labelledby|describedby)="([\w-]+)', page)) <= set(ids)
        assert page.count("<h1>") == 1
        assert re.findall(r"<script| style=| on\w+=", page) == []
