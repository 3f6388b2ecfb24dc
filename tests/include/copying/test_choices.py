"""What a parent can choose for a link."""

from __future__ import annotations

from datetime import date

import pytest

from include.copying.choices import choice_problems, first_day, first_day_epoch_s, first_day_problem
from include.copying.sports import SPORT_TYPES, sport_in_words
from include.state.links import CopyOptions
from local.strava_simulator.recordings import sports


@pytest.mark.parametrize("trim_m", [None, 0, 2000])
def test_nothing_stands_in_the_way_of_a_plain_link(trim_m: int | None) -> None:
    assert choice_problems(["Rex"], CopyOptions(trim_m=trim_m)) == {}


@pytest.mark.parametrize(
    ("names", "options", "field", "words"),
    [
        pytest.param([], CopyOptions(), "names", "at least one name", id="no name"),
        pytest.param(list("abcdefghijk"), CopyOptions(), "names", "there are 11", id="eleven names"),
        pytest.param(["Rex", "🐕"], CopyOptions(), "names", "No title can match 🐕", id="only an emoji"),
        pytest.param(["x" * 51], CopyOptions(), "names", "longer than 50", id="long name"),
        pytest.param(["Rex\x1b[31m"], CopyOptions(), "names", "cannot be printed", id="control character"),
        pytest.param(["Rex"], CopyOptions(trim_m=-1), "trim_m", "from 0 to 2000", id="less than nothing"),
        pytest.param(["Rex"], CopyOptions(trim_m=2001), "trim_m", "from 0 to 2000", id="too much"),
        pytest.param(
            ["Rex"], CopyOptions(title="{child}"), "title", "unknown placeholder {child}", id="unknown placeholder"
        ),
        pytest.param(
            ["Rex"],
            CopyOptions(sports=("Run", "run")),
            "sports",
            "run is not one of Strava",
            id="unknown sport",
        ),
    ],
)
def test_problem_names_the_field_and_what_to_do(names: list[str], options: CopyOptions, field: str, words: str) -> None:
    problems = choice_problems(names, options)
    assert list(problems) == [field]
    assert words in problems[field]


@pytest.mark.parametrize(
    "names", [pytest.param(list("abcdefghij"), id="ten names"), pytest.param(["x" * 50], id="fifty characters")]
)
def test_names_are_taken_up_to_the_bounds(names: list[str]) -> None:
    assert choice_problems(names, CopyOptions()) == {}


def test_entered_text_is_quoted_no_longer_than_a_name_or_a_sport_can_be() -> None:
    problems = choice_problems(["x" * 51], CopyOptions(sports=("y" * 41,)))

    assert problems == {
        "names": f"A name is longer than 50 characters: {'x' * 50}…",
        "sports": f"{'y' * 40} is not one of Strava's sports; TrailRun is one, for example.",
    }


def test_every_problem_is_told_at_once() -> None:
    assert set(choice_problems([], CopyOptions(trim_m=-1, title="", sports=("?",)))) == {
        "names",
        "trim_m",
        "title",
        "sports",
    }


NOON_EPOCH_S = 1_780_315_200  # 2026-06-01T12:00:00Z


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("2026-06-01", date(2026, 6, 1), id="a day"),
        pytest.param("1970-01-01", date(1970, 1, 1), id="the first that there is"),
        pytest.param("1969-12-31", None, id="the day before it"),
        pytest.param("2026-06-31", None, id="no day of the calendar"),
        pytest.param("01.06.2026", None, id="another form"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_first_day_is_read_in_the_form_that_browsers_send(text: str, day: date | None) -> None:
    assert first_day(text) == day


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("1970-01-01", None, id="long ago"),
        pytest.param("2027-06-02", None, id="366 days ahead"),
        pytest.param(
            "2027-06-03",
            "The first day is more than a year ahead. Choose an earlier one: until then, nothing would be copied.",
            id="367 days ahead",
        ),
        pytest.param("tomorrow", "Enter the first day as a date, such as 2026-06-01.", id="no date"),
    ],
)
def test_problem_of_a_first_day_says_what_to_enter(text: str, problem: str | None) -> None:
    assert first_day_problem(text, NOON_EPOCH_S) == problem


def test_first_day_begins_at_midnight_in_utc() -> None:
    assert first_day_epoch_s(date(2026, 6, 1)) == NOON_EPOCH_S - 12 * 3600


def test_sports_are_those_that_the_simulated_strava_knows() -> None:
    assert set(SPORT_TYPES) == sports.SPORT_TYPES


@pytest.mark.parametrize(
    ("sport_type", "words"),
    [("Run", "Run"), ("TrailRun", "Trail Run"), ("EMountainBikeRide", "E-Mountain Bike Ride"), ("", "Activity")],
)
def test_sport_is_spoken_as_words(sport_type: str, words: str) -> None:
    assert sport_in_words(sport_type) == words
