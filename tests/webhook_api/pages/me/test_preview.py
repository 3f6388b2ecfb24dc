"""The form shows what a title becomes, made by the server, before anything is saved."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from include.state.links import Link
from webhook_api.edge import EXTENSION

ADA, REX = 134815, 7


@pytest.fixture
def ada(new_browser: Callable[[], Any]) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return browser


def shown(page: str) -> str:
    found = re.search(r'id="preview">(.*?)</p>', page, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""


def test_form_shows_what_its_title_becomes(ada: Any) -> None:
    assert shown(ada.client.get("/me/invites/new").text) == "“Morning run with Rex” becomes “Morning run with Rex”."


@pytest.mark.parametrize(
    ("title", "becomes"),
    [
        pytest.param("{parent}: {title}", "Ada: Morning run with Mia", id="all"),
        pytest.param("{sport} with {parent}", "run with Ada", id="sport"),
        pytest.param("<b>{title}</b>", "<b>Morning run with Mia</b>", id="markup"),
    ],
)
def test_title_as_it_was_entered_is_shown_and_nothing_saved(ada: Any, app: Flask, title: str, becomes: str) -> None:
    answer = ada.post("/me/invites", page="/me/invites/new", preview="1", names="Mia", title=title, trim_m="30")

    assert answer.status_code == 200
    assert shown(answer.text).casefold() == f"“Morning run with Mia” becomes “{becomes}”.".casefold()
    assert 'value="30"' in answer.text
    assert 'value="Mia"' in answer.text
    assert list(app.extensions[EXTENSION].state.invites.of_parent(ADA)) == []


def test_preview_names_the_problem_of_the_title_alone(ada: Any) -> None:
    page = ada.post("/me/invites", page="/me/invites/new", preview="1", names="", title="{titel}").text

    assert shown(page) == ""
    assert "unknown placeholder {titel}" in html.unescape(page)
    assert "Enter at least one name" not in page


def test_preview_of_a_link_saves_nothing(ada: Any, app: Flask) -> None:
    state = app.extensions[EXTENSION].state
    link = Link(ADA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    state.links.save(link)

    answer = ada.post(
        f"/me/children/{REX}", page=f"/me/children/{REX}", preview="1", names="Rex", title="{parent} and Rex"
    )

    assert "becomes “Ada and Rex”" in shown(answer.text)
    assert state.links.get(ADA, REX) == link


def test_first_button_of_the_form_saves_so_that_enter_does(ada: Any) -> None:
    form = ada.client.get("/me/invites/new").text.partition('<form action="/me/invites"')[2]

    assert re.findall(r"<button([^>]*)>", form)[0].count("name=") == 0
