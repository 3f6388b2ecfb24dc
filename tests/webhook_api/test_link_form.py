"""Which names and options a parent can enter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.copying.matching import match
from include.state.links import Carried
from webhook_api.link_form import LinkForm


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("Rex", ("Rex",), id="one"),
        pytest.param(" Rex ,\n Uncle   Bob,,Rex ", ("Rex", "Uncle Bob"), id="many"),
        pytest.param("太郎, Zoë O'Brien 🐕", ("太郎", "Zoë O'Brien 🐕"), id="of the world"),
        pytest.param("<b>Rex</b>", ("<b>Rex</b>",), id="markup is a name like any other"),
        pytest.param("x" * 50, ("x" * 50,), id="longest"),
        pytest.param(",".join("abcdefghij"), tuple("abcdefghij"), id="ten"),
    ],
)
def test_names_are_taken_as_entered(text: str, names: tuple[str, ...]) -> None:
    form = LinkForm.parse({"names": text, "trim_m": "0"})

    assert form is not None
    assert form.names == names


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" , \n", id="only separators"),
        pytest.param("🐕", id="never in a title"),
        pytest.param("Rex, !!", id="one of them never in a title"),
        pytest.param("x" * 51, id="too long"),
        pytest.param(",".join("abcdefghijk"), id="eleven"),
        pytest.param("Rex\x1b[31m", id="control character"),
    ],
)
def test_names_are_refused_when_one_is_of_no_use(text: str) -> None:
    assert LinkForm.parse({"names": text, "trim_m": "0"}) is None


@pytest.mark.parametrize("metres", ["", "-1", "2001", "1e3", "12.5", "٣", "9" * 5000])
def test_trim_is_refused_when_it_is_no_length(metres: str) -> None:
    assert LinkForm.parse({"names": "Rex", "trim_m": metres}) is None


def test_options_are_what_is_ticked() -> None:
    ticked = LinkForm.parse({"names": "Rex", "trim_m": "2000", "power": "1", "allow_private": "1"})
    bare = LinkForm.parse({"names": "Rex", "trim_m": " 0 "})

    assert ticked is not None
    assert ticked.carried == Carried(False, True, False, 2000, allow_private=True)
    assert bare is not None
    assert bare.carried == Carried(False, False, False, 0, allow_private=False)


@given(text=st.text(max_size=200))
def test_every_name_that_is_taken_can_be_found_in_a_title(text: str) -> None:
    form = LinkForm.parse({"names": text, "trim_m": "0"})

    assert form is None or all(match(f"Run with {name}", [name]) for name in form.names)
