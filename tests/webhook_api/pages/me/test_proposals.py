"""What a parent wants beyond what was agreed waits on the child's page, and each reads what the other did."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from include.copying.eligibility import ineligible_reason
from include.linking.links import agree
from include.state.links import CopyOptions, Link, Links
from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION

ADA, REX, EVE = 134815, 22, 33
LINK = Link(ADA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
FORM = {"title": "{title}", "heartrate": "1", "power": "1", "temperature": "1", "link_back": "1"}


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:time|bdi)>", "", page)).split())


def stored(links: Links) -> Link:
    link = links.get(ADA, REX)
    assert link is not None
    return link


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_both_versions_stand_side_by_side_until_the_child_says_yes(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    page = text_of(ada.post(f"/me/children/{REX}", names="Rex, Bello", allow_private="1", **FORM).text)
    assert "waits for the child's yes" in page
    asked = rex.client.get("/me").text
    assert "Ada would like to change what is copied to you." in text_of(asked)
    assert (
        "Now Asked for Names in the title Rex Rex or Bello First day none: past activities too "
        "none: past activities too Private activities not copied copied too "
        "Title of the copy the same as the original the same as the original Sports all all"
    ) in text_of(asked)
    assert asked.count('<tr class="differs">') == 2
    assert (stored(links).names, stored(links).options.allow_private) == (("Rex",), False)
    assert 'value="Rex, Bello"' in ada.client.get(f"/me/children/{REX}").text, "the parent's form shows the wish"

    rex.post(f"/me/parents/{ADA}/accept", seen=seen(asked))

    assert (stored(links).names, stored(links).options.allow_private) == (("Rex", "Bello"), True)
    assert "Rex said yes to your change." in text_of(ada.client.get("/me").text)
    assert "would like to change what is copied to you." not in text_of(rex.client.get("/me").text)


def test_yes_to_a_page_that_is_out_of_date_changes_nothing_and_says_so(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    ada.post(f"/me/children/{REX}", names="Rex, Bello", **FORM)
    old = seen(rex.client.get("/me").text)
    ada.post(f"/me/children/{REX}", names="Rex, Everybody", **FORM)

    for answer in (
        rex.post(f"/me/parents/{ADA}/accept", seen=old),
        rex.post(f"/me/parents/{ADA}/decline", seen=old),
        rex.post(f"/me/parents/{ADA}/accept"),
    ):
        assert (answer.status_code, "no longer as you saw it" in answer.text) == (409, True)
    assert stored(links).names == ("Rex",)
    assert "Rex or Everybody" in text_of(rex.client.get("/me").text)


def test_no_is_asked_once_told_to_the_parent_and_can_be_undone_for_a_day(
    ada: Any, rex: Any, links: Links, clock: ManualClock
) -> None:
    links.save(LINK)
    ada.post(f"/me/children/{REX}", names="Rex, Bello", **FORM)
    waiting = stored(links)
    address = re.findall(r'href="(/me/parents/\d+/decline[^"]+)"', rex.client.get("/me").text)[0]
    question = rex.client.get(address).text
    assert "Say no to the change that Ada would like?" in text_of(question)
    assert "<bdi>Ada</bdi> reads that you said no." in question
    page = text_of(rex.post(f"/me/parents/{ADA}/decline", seen=seen(question)).text)
    assert "You said no to the change." in page
    assert "Rex said no to your change: what was agreed stays." in text_of(ada.client.get("/me").text)
    assert ada.post(f"/me/children/{REX}/undo-withdraw").status_code == 409

    clock.now_epoch_s += 86_399
    rex.post(f"/me/parents/{ADA}/undo-decline")
    assert stored(links) == waiting
    rex.post(f"/me/parents/{ADA}/decline", seen=seen(question))
    clock.now_epoch_s += 86_400
    assert rex.post(f"/me/parents/{ADA}/undo-decline").status_code == 409
    assert "You can undo" not in rex.client.get("/me").text


def test_parent_cannot_ask_again_for_a_week_after_a_no_and_both_pages_say_so(
    ada: Any, rex: Any, links: Links, clock: ManualClock
) -> None:
    links.save(LINK)
    ada.post(f"/me/children/{REX}", names="Rex, Bello", **FORM)
    question = rex.client.get(f"/me/parents/{ADA}/decline", query_string={"seen": seen(rex.client.get("/me").text)})
    assert "Ada cannot ask you for another change for a week." in text_of(question.text)
    rex.post(f"/me/parents/{ADA}/decline", seen=seen(question.text))
    before = stored(links)

    refused = ada.post(f"/me/children/{REX}", names="Rex, Bella", **FORM)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(7 * 86_400))
    assert "It is too soon to ask again" in refused.text
    assert "Try again in 7 days." in refused.text
    assert stored(links) == before
    assert "You can ask for another one from 16 October 2025" in text_of(ada.client.get("/me").text)
    assert "Ada cannot ask you for another change before 16 October 2025" in text_of(rex.client.get("/me").text)
    assert ada.post(f"/me/children/{REX}", names="Rex", **FORM | {"power": ""}).status_code == 200
    clock.now_epoch_s += 7 * 86_400
    assert ada.post(f"/me/children/{REX}", names="Rex, Bella", **FORM).status_code == 200
    assert "Rex or Bella" in text_of(rex.client.get("/me").text)
    assert "You can ask for another one" not in ada.client.get("/me").text


def test_parent_withdraws_the_change_and_undoes_that(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    ada.post(f"/me/children/{REX}", names="Rex, Bello", **FORM)
    waiting = stored(links)
    question = ada.client.get(f"/me/children/{REX}/withdraw").text
    assert "You withdrew the change." in ada.post(f"/me/children/{REX}/withdraw", seen=seen(question)).text
    assert "Ada withdrew the change" in text_of(rex.client.get("/me").text)
    assert ada.client.get(f"/me/children/{REX}/withdraw").status_code == 409
    ada.post(f"/me/children/{REX}/undo-withdraw")
    assert stored(links) == waiting


def test_narrowing_holds_at_once_and_is_told(ada: Any, rex: Any, links: Links) -> None:
    links.save(replace(LINK, names=("Rex", "Rexi"), options=CopyOptions(allow_private=True)))
    ada.post(f"/me/children/{REX}", names="Rex", **FORM)
    assert (stored(links).names, stored(links).options.allow_private, stored(links).proposal) == (("Rex",), False, None)
    page = text_of(rex.client.get("/me").text)
    assert "Ada changed the names and whether private activities are copied." in page
    assert "What the others did" not in ada.client.get("/me").text, "nobody is told of the own doings"


@pytest.mark.parametrize("who", ["parent", "child"])
def test_end_is_asked_once_told_to_the_other_and_undone_by_the_one_who_did_it(
    ada: Any, rex: Any, links: Links, clock: ManualClock, who: str
) -> None:
    links.save(LINK)
    one, other = (ada, rex) if who == "parent" else (rex, ada)
    end, undo, others_undo = {
        "parent": (f"/me/children/{REX}/remove", f"/me/children/{REX}/undo", f"/me/parents/{ADA}/undo"),
        "child": (f"/me/parents/{ADA}/end", f"/me/parents/{ADA}/undo", f"/me/children/{REX}/undo"),
    }[who]
    name = "Ada" if who == "parent" else "Rex"
    assert one.client.get(end).status_code == 200
    assert stored(links).makes_copies, "asking ends nothing"
    one.post(end)
    anything: Any = None
    assert ineligible_reason(anything, None, stored(links), is_copy=True) == "The link to this child has ended."
    assert f"{name} ended the link." in text_of(other.client.get("/me").text)
    assert other.post(others_undo).status_code == 409
    clock.now_epoch_s += 86_399
    assert one.post(undo).status_code == 200
    assert stored(links) == LINK
    feed = text_of(other.client.get("/me").text).partition("What the others did")[2]
    assert f"{name} undid the end of the link" in feed
    clock.now_epoch_s += 1
    one.post(end)
    one.post(undo)
    feed = text_of(other.client.get("/me").text).partition("What the others did")[2]
    assert feed.index("undid the end") < feed.index("ended the link"), "of one second too, the latest comes first"
    one.post(end)
    clock.now_epoch_s += 86_400
    assert one.post(undo).status_code == 409
    assert "You can undo this" not in one.client.get("/me").text


def test_end_is_not_undone_once_the_other_has_disconnected(ada: Any, rex: Any, links: Links) -> None:
    links.save(LINK)
    assert "You can undo this" in ada.post(f"/me/children/{REX}/remove").text
    rex.walk(rex.post("/me/disconnect"), REX, "Rex", "read")
    assert "You can undo this" not in ada.client.get("/me").text
    answer = ada.post(f"/me/children/{REX}/undo")
    assert (answer.status_code, "can no longer be undone" in answer.text) == (409, True)


def test_link_that_the_operator_made_says_so_on_both_pages_and_needs_no_yes(
    app: Any, ada: Any, rex: Any, links: Links
) -> None:
    edge = app.extensions[EXTENSION]
    agree(edge, edge.settings, ADA, REX, ("Rex",), lambda link: link)
    assert "answer for the yes of both sides" in ada.client.get("/me").text
    page = text_of(rex.client.get("/me").text)
    assert "made this link and answer for your yes" in page
    assert "Ada: the people who run this service made the link." in page
    ada.post(f"/me/children/{REX}", names="Rex, Bello", **FORM)
    assert (stored(links).names, stored(links).proposal) == (("Rex", "Bello"), None)


def test_nobody_answers_or_undoes_for_others(ada: Any, new_browser: Any, links: Links) -> None:
    links.save(LINK)
    ada.post(f"/me/children/{REX}", names="Rex, Bello", **FORM)
    before = stored(links)
    assert before.proposal is not None
    eve = new_browser()
    eve.connect(EVE, "Eve")
    mark = before.proposal.fingerprint
    for step in ("accept", "decline", "undo", "undo-decline", "end"):
        assert eve.post(f"/me/parents/{ADA}/{step}", seen=mark).status_code == 404
    ada.post(f"/me/parents/{ADA}/accept", seen=mark)
    assert (stored(links), stored(links).version) == (before, before.version)


def test_feed_shows_the_latest_twenty_of_all_links(ada: Any, rex: Any, links: Links, clock: ManualClock) -> None:
    links.save(LINK)
    for turn in range(15):
        clock.now_epoch_s += 60
        ada.post(f"/me/children/{REX}/{'pause' if turn % 2 == 0 else 'resume'}")
    links.save(replace(LINK, parent_id=EVE, version=0))
    page = rex.client.get("/me").text
    assert page.count("paused the link.") + page.count("resumed the link") == 15
    assert text_of(page).count("Ada paused the link.") == 8
