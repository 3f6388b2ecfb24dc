"""Checks the choices of a link, for the web form and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from include.copying.matching import match
from include.copying.sports import SPORT_TYPES
from include.copying.title import template_problem
from include.state.links import CopyOptions

MOST_NAMES = 10
LONGEST_NAME = 50
LONGEST_TRIM_M = 2000
FARTHEST_DAYS = 366
"""How far ahead the first day may lie: one beyond is a typing mistake."""


def choice_problems(names: Sequence[str], options: CopyOptions) -> Mapping[str, str]:
    """The problems of a link with these names and options, by field, in words; empty where there are none."""
    found = {
        "names": _names_problem(names),
        "trim_m": _trim_problem(options.trim_m),
        "title": template_problem(options.title),
        "sports": _sports_problem(options.sports),
    }
    return {field: problem for field, problem in found.items() if problem}


def first_day(text: str) -> date | None:
    """The first day that a link copies, from a date in ISO 8601, as browsers send it; None for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year >= 1970 else None


def first_day_problem(text: str, now_epoch_s: float) -> str | None:
    """The problem of an entered first day, in words; None where there is none."""
    day = first_day(text)
    if day is None:
        return "Enter the first day as a date, such as 2026-06-01."
    if (day - datetime.fromtimestamp(now_epoch_s, UTC).date()).days > FARTHEST_DAYS:
        return "The first day is more than a year ahead. Choose an earlier one: until then, nothing would be copied."
    return None


def first_day_epoch_s(day: date) -> int:
    """When the day begins, which is a day in UTC for everybody."""
    return int(datetime.combine(day, time(), UTC).timestamp())


def _names_problem(names: Sequence[str]) -> str | None:
    if not names:
        return "Enter at least one name."
    if len(names) > MOST_NAMES:
        return f"Enter at most {MOST_NAMES} names; there are {len(names)}."
    for name in names:
        if len(name) > LONGEST_NAME:
            return f"A name is longer than {LONGEST_NAME} characters: {name[:LONGEST_NAME]}…"
        if not name.isprintable():
            return "A name contains a character that cannot be printed."
        if match(name, [name]) is None:
            return f"No title can match {name}: a name needs letters or digits."
    return None


def _trim_problem(trim_m: int | None) -> str | None:
    if trim_m is None or 0 <= trim_m <= LONGEST_TRIM_M:
        return None
    return f"Enter the metres hidden around both ends as a number from 0 to {LONGEST_TRIM_M}, or leave it empty."


def _sports_problem(sports: Sequence[str]) -> str | None:
    unknown = [sport for sport in sports if sport not in SPORT_TYPES]
    return f"{unknown[0][:40]} is not one of Strava's sports; TrailRun is one, for example." if unknown else None
