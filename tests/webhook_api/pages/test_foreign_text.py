"""A name that somebody else wrote is shown where it stands, as one line that can be seen."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from webhook_api.pages.foreign_text import LONGEST, foreign, plainly

TEMPLATES = Path(__file__).resolve().parents[3] / "webhook_api/templates"

FOREIGN = re.compile(r"\b(?:firstname|lastname|full_name|city|names|each|options\.title|copy\.name|question\.title)\b")
"""What somebody else wrote, by the names under which templates have it."""


def test_every_template_shows_what_others_wrote_by_the_filter() -> None:
    shown = [
        expression
        for template in TEMPLATES.rglob("*.html")
        for expression in re.findall(r"\{\{.*?\}\}", template.read_text(), re.DOTALL)
        if FOREIGN.search(expression)
    ]
    assert len(shown) > 20
    bare = [expression for expression in shown if not re.search(r"\| (?:foreign|plainly)\b", expression)]
    assert [expression for expression in bare if "value=form." not in expression] == [], "but in the author's own form"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Ada", "Ada", id="plain"),
        pytest.param("", "An athlete", id="empty"),
        pytest.param(" \t\n", "An athlete", id="blank"),
        pytest.param("\u200b\u200d\ufeff\u2060", "An athlete", id="zero-width only"),
        pytest.param("\u3164\u2800\u115f", "An athlete", id="letters that show nothing"),
        pytest.param("\u0301\u0301", "An athlete", id="accents without a letter"),
        pytest.param("\u202exeR", "xeR", id="right-to-left override"),
        pytest.param("Rex\u2066\u202d\u200f!", "Rex!", id="isolates and marks"),
        pytest.param("Rex\r\n\x00Byron", "Rex Byron", id="lines and controls"),
        pytest.param("\ud800Rex", "Rex", id="half a character"),
        pytest.param("עדה", "עדה", id="a name that is written from right to left"),
        pytest.param("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", id="joined emoji"),
        pytest.param("x" * 500, "x" * (LONGEST - 1) + "…", id="500 characters"),
    ],
)
def test_foreign_text_is_one_line_that_can_be_seen(text: str, shown: str) -> None:
    assert plainly(text) == shown
    assert foreign(text) == Markup("<bdi>{}</bdi>").format(shown)


def test_markup_in_a_name_is_text() -> None:
    assert foreign("<b>Ada</b>") == "<bdi>&lt;b&gt;Ada&lt;/b&gt;</bdi>"


@given(st.text(max_size=300) | st.text("a \u202e\u2066\u200f\x00\n\u0301", max_size=20))
def test_no_text_turns_its_surroundings_breaks_the_line_or_shows_nothing(text: str) -> None:
    shown = plainly(text)
    assert 0 < len(shown) <= LONGEST
    assert not any(
        unicodedata.bidirectional(each) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        for each in shown
    )
    assert len(shown.splitlines()) == 1
    assert plainly(shown) == shown
