"""Titles of copies: what a template may hold, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.copying.title import template_problem, written_title
from include.strava.models import Activity

Make = Callable[..., Activity]


@pytest.mark.parametrize(
    ("template", "title"),
    [
        pytest.param("{title}", "Hills with Rex", id="the original's"),
        pytest.param("{sport} with {parent}: {title}", "Trail Run with Ann: Hills with Rex", id="all of them"),
        pytest.param("{title} {title}", "Hills with Rex Hills with Rex", id="twice"),
        pytest.param("  Walkies 🐕 ", "Walkies 🐕", id="none of them"),
        pytest.param("x" * 100, "x" * 100, id="longest"),
    ],
)
def test_title_has_the_placeholders_filled_in(make_activity: Make, template: str, title: str) -> None:
    activity = make_activity(name="Hills with Rex", sport_type="TrailRun")
    assert template_problem(template) is None
    assert written_title(template, activity, "Ann") == title


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("   ", "is empty", id="blank"),
        pytest.param("{child}", "unknown placeholder {child}. It may contain {sport}, {title}", id="unknown"),
        pytest.param("{Title}", "placeholder {Title}.", id="in another case"),
        pytest.param("{}", "placeholder {}.", id="nothing in the braces"),
        pytest.param("{0}", "placeholder {0}.", id="a position"),
        pytest.param("{title.__class__}", "placeholder {title.__class__}.", id="an attribute"),
        pytest.param("{title!r:>9999999}", "unknown placeholder", id="a conversion and a width"),
        pytest.param("{title", "an unpaired brace", id="never closed"),
        pytest.param("{{title}}", "an unpaired brace", id="doubled"),
        pytest.param("a\nb", "cannot be printed", id="two lines"),
        pytest.param("x" * 101, "longer than 100", id="too long"),
    ],
)
def test_template_is_refused_in_words_when_it_cannot_be_used(template: str, expected: str) -> None:
    problem = template_problem(template)
    assert problem is not None
    assert expected in problem


def test_placeholder_that_only_another_version_knows_stays_as_it_is(make_activity: Make) -> None:
    assert written_title("{title} of {child}", make_activity(name="Hills"), "Ann") == "Hills of {child}"


def test_what_is_filled_in_stays_text(make_activity: Make) -> None:
    activity = make_activity(name="{parent} {0} {title.__class__}")
    assert written_title("{title} by {parent}", activity, "{sport}") == "{parent} {0} {title.__class__} by {sport}"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        pytest.param("", "Ride", id="no title"),
        pytest.param("\x00 \n", "Ride", id="nothing that can be seen"),
        pytest.param("x" * 255, "x" * 255, id="longest"),
        pytest.param("x" * 256, "x" * 254 + "…", id="too long"),
    ],
)
def test_title_is_one_that_strava_takes(make_activity: Make, name: str, title: str) -> None:
    assert written_title("{title}", make_activity(name=name), "") == title


@given(template=st.text(alphabet="{}atilespornc !.", max_size=40), name=st.text(max_size=300))
def test_every_template_that_is_taken_gives_a_title(make_activity: Make, template: str, name: str) -> None:
    if template_problem(template) is None:
        title = written_title(template, make_activity(name=name), "Ann")
        assert 0 < len(title) <= 255
