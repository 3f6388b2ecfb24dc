"""Which names and options a parent can enter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from include.copying.matching import match
from include.state.links import CopyOptions
from webhook_api.pages.linking.link_form import LinkForm

DAY_EPOCH_S = 1_780_272_000  # 2026-06-01, midnight in UTC
NOW_EPOCH_S = DAY_EPOCH_S + 3_600.0


def parse(**fields: Any) -> LinkForm:
    return LinkForm.parse(MultiDict({"names": "Rex", "trim_m": "0", **fields}), NOW_EPOCH_S)


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
    form = parse(names=text)

    assert (form.names, form.problems) == (names, {})


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
    assert list(parse(names=text).problems) == ["names"]


@pytest.mark.parametrize("metres", ["-1", "2001", "1e3", "12.5", "٣", "9" * 5000])
def test_trim_is_refused_when_it_is_no_length(metres: str) -> None:
    form = parse(trim_m=metres)

    assert list(form.problems) == ["trim_m"]
    assert form.trim_text == metres, "it can be corrected"


def test_options_are_what_is_ticked() -> None:
    ticked = parse(trim_m="2000", power="1", allow_private="1", link_back="1", sports=["Run", "Run", "Ride"])
    bare = parse(trim_m=" 0 ")
    unchosen = parse(trim_m=" ")

    assert ticked.options == CopyOptions(False, True, False, 2000, allow_private=True, sports=("Run", "Ride"))
    assert bare.options == CopyOptions(False, False, False, 0, allow_private=False, link_back=False)
    assert unchosen.options.trim_m is None
    assert not {**ticked.problems, **bare.problems, **unchosen.problems}


def test_title_is_taken_or_refused_with_the_reason() -> None:
    assert parse(title=" {sport} with {parent} ").options.title == "{sport} with {parent}"
    assert "unknown placeholder {child}" in parse(title="{child}").problems["title"]
    assert "is empty" in parse(title="").problems["title"]


def test_sport_that_strava_does_not_have_is_refused() -> None:
    assert "Quidditch is not one of Strava's sports" in parse(sports=["Run", "Quidditch"]).problems["sports"]


@pytest.mark.parametrize(
    ("entered", "present", "starts_at"),
    [
        pytest.param("", 0, 0, id="nothing, as before"),
        pytest.param("", DAY_EPOCH_S + 5, DAY_EPOCH_S + 5, id="nothing leaves it as it is"),
        pytest.param("2026-06-01", DAY_EPOCH_S + 5, DAY_EPOCH_S + 5, id="the present day leaves its hour as it is"),
        pytest.param("2026-06-01", 0, DAY_EPOCH_S, id="a first day"),
        pytest.param("2026-06-01", DAY_EPOCH_S + 86_400, DAY_EPOCH_S, id="an earlier day"),
    ],
)
def test_start_is_the_day_that_was_entered(entered: str, present: int, starts_at: int) -> None:
    assert parse(start=entered).starts_at_epoch_s(present) == starts_at


@pytest.mark.parametrize(
    ("entered", "refused"),
    [
        pytest.param("2027-06-02", False, id="a year"),
        pytest.param("2027-06-03", True, id="a day more"),
        pytest.param("9999-12-31", True, id="the last day there is"),
        pytest.param("1970-01-01", False, id="long ago"),
    ],
)
def test_start_is_refused_when_it_lies_more_than_a_year_ahead(entered: str, refused: bool) -> None:
    assert ("start" in parse(start=entered).problems) is refused


@pytest.mark.parametrize("entered", ["soon", "2026-13-01", "1969-12-31", "01.06.2026", "9" * 5000])
def test_start_is_refused_when_it_is_no_day(entered: str) -> None:
    assert list(parse(start=entered).problems) == ["start"]


@pytest.mark.parametrize("trim_m", [None, 0, 150])
def test_form_of_a_link_means_the_link_again(trim_m: int | None) -> None:
    options = CopyOptions(False, True, False, trim_m, title="{parent}", link_back=False, sports=("Run",))
    form = LinkForm.of(("Rex", "Rexi"), options, DAY_EPOCH_S + 5)
    again = parse(
        names=", ".join(form.names),
        trim_m=form.trim_text,
        start=form.start_text,
        title=form.options.title,
        power="1",
        sports="Run",
    )

    assert again == form
    assert again.starts_at_epoch_s(DAY_EPOCH_S + 5) == DAY_EPOCH_S + 5


@given(text=st.text(max_size=200))
def test_every_name_that_is_taken_can_be_found_in_a_title(text: str) -> None:
    form = parse(names=text)

    assert form.problems or all(match(f"Run with {name}", [name]) for name in form.names)
