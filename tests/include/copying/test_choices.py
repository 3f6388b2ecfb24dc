"""What a parent can choose for a link."""

from __future__ import annotations

import pytest

from include.copying.choices import choice_problems
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


def test_every_problem_is_told_at_once() -> None:
    assert set(choice_problems([], CopyOptions(trim_m=-1, title="", sports=("?",)))) == {
        "names",
        "trim_m",
        "title",
        "sports",
    }


def test_sports_are_those_that_the_simulated_strava_knows() -> None:
    assert set(SPORT_TYPES) == sports.SPORT_TYPES


@pytest.mark.parametrize(
    ("sport_type", "words"),
    [("Run", "Run"), ("TrailRun", "Trail Run"), ("EMountainBikeRide", "E-Mountain Bike Ride"), ("", "Activity")],
)
def test_sport_is_spoken_as_words(sport_type: str, words: str) -> None:
    assert sport_in_words(sport_type) == words
