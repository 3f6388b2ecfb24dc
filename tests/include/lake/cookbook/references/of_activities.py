"""The rows of queries over activities and copies, found by plain Python."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from include.lake.rows.freshness import Month
from include.state.copies.ledger import NOT_MADE_STATES, CopyState
from local.docs.lake import example_lake
from tests.include.lake.cookbook.references.values import (
    Held,
    Row,
    began,
    began_utc,
    chosen,
    field,
    rounded,
)


def weekly_volume(held: Held, values: Mapping[str, Any]) -> list[Row]:
    weeks: dict[date, list[Any]] = defaultdict(list)
    for activity in chosen(held, values):
        day = began(activity).date()
        weeks[day - timedelta(days=day.weekday())].append(activity)

    def metres(monday: date, *weeks_ago: int) -> float:
        past = [activity for ago in weeks_ago for activity in weeks.get(monday - timedelta(weeks=ago), [])]
        return math.fsum(field(activity, "distance") for activity in past)

    rows = []
    for monday, made in sorted(weeks.items()):
        now, before = metres(monday, 0, 1, 2, 3), metres(monday, 4, 5, 6, 7)
        rows.append(
            (
                monday,
                len(made),
                rounded(metres(monday, 0) / 1000, 1),
                rounded(sum(field(activity, "moving_time") for activity in made) / 3600, 2),
                rounded(sum(field(activity, "total_elevation_gain") for activity in made), 0),
                rounded(now / 4000, 1),
                rounded(100 * (now / before - 1), 1) if before else None,
            )
        )
    return rows


def year_against_year(held: Held, values: Mapping[str, Any]) -> list[Row]:
    metres: Counter[tuple[int, int]] = Counter()
    counts: Counter[tuple[int, int]] = Counter()
    for activity in chosen(held, values):
        month = (began(activity).year, began(activity).month)
        metres[month] += field(activity, "distance")
        counts[month] += 1

    def to_date(year: int, month: int) -> float | None:
        return rounded(sum(metres[year, earlier] for earlier in range(1, month + 1)) / 1000, 1)

    first, last = min(counts, default=(1, 1)), max(counts, default=(0, 0))
    years = {later for year, _ in counts for later in (year, year + 1)}
    span = [(year, month) for year in sorted(years) for month in range(1, 13) if first <= (year, month) <= last]
    return [
        (
            year,
            month,
            counts[year, month],
            rounded(metres[year, month] / 1000, 1),
            to_date(year, month),
            to_date(year - 1, month),
        )
        for year, month in span
    ]


def climbing(held: Held, values: Mapping[str, Any]) -> list[Row]:
    months: dict[date, list[Any]] = defaultdict(list)
    for activity in chosen(held, values):
        months[began(activity).date().replace(day=1)].append(activity)
    gains = {month: [field(activity, "total_elevation_gain") for activity in made] for month, made in months.items()}
    rows = []
    for month, made in sorted(months.items()):
        metres = sum(field(activity, "distance") for activity in made)
        highs = [high for activity in made if (high := activity.detail.get("elev_high")) is not None]
        this_year = [gain for past in gains if past.year == month.year and past <= month for gain in gains[past]]
        rows.append(
            (
                month,
                len(made),
                rounded(sum(gains[month]), 0),
                rounded(1000 * sum(gains[month]) / metres, 1) if metres else None,
                rounded(max(gains[month]), 0),
                rounded(max(highs, default=None), 0),
                rounded(sum(this_year), 0),
            )
        )
    return rows


def eddington_number(held: Held, values: Mapping[str, Any]) -> list[Row]:
    days: Counter[date] = Counter()
    for activity in chosen(held, values):
        days[began(activity).date()] += field(activity, "distance") / values["unit_m"]

    def long_enough(number: int) -> int:
        return sum(units >= number for units in days.values())

    number = 0
    while long_enough(number + 1) >= number + 1:
        number += 1
    return [(number, number + 1, long_enough(number + 1), number + 1 - long_enough(number + 1))] if days else []


def habits(held: Held, values: Mapping[str, Any]) -> list[Row]:
    starts: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for activity in chosen(held, values):
        if activity.detail["start_date_local"] and not activity.detail["start_date"].endswith("T00:00:01Z"):
            starts[began(activity).isoweekday(), began(activity).hour].append(activity)
    return [
        (*start, len(made), rounded(sum(field(activity, "moving_time") for activity in made) / 3600, 2))
        for start, made in sorted(starts.items())
    ]


def gear_distance(held: Held, values: Mapping[str, Any]) -> list[Row]:
    used: dict[str, list[Any]] = defaultdict(list)
    for activity in held:
        if activity.detail.get("gear_id"):
            used[activity.detail["gear_id"]].append(activity)
    rows = [
        (
            gear_id,
            len(made),
            rounded(math.fsum(field(activity, "distance") for activity in made) / 1000, 1),
            rounded(sum(field(activity, "moving_time") for activity in made) / 3600, 2),
            min(began(activity).date() for activity in made),
            max(began(activity).date() for activity in made),
        )
        for gear_id, made in used.items()
    ]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def copy_outcomes(held: Held, values: Mapping[str, Any]) -> list[Row]:
    endings: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for copy in example_lake.copies(list(held)):
        endings[copy.child_id, str(copy.state)].append(copy)
    return [
        (
            *ending,
            len(made),
            rounded(sum(copy.updated_at_epoch_s - copy.planned_at_epoch_s for copy in made) / len(made), 1)
            if ending[1] in ("done", "duplicate")
            else None,
            min(map(began_utc, made)),
            max(map(began_utc, made)),
        )
        for ending, made in sorted(endings.items())
    ]


def copy_reasons(held: Held, values: Mapping[str, Any]) -> list[Row]:
    lacking: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for copy in example_lake.copies(list(held)):
        if copy.state in {*NOT_MADE_STATES, CopyState.WAITING_FOR_ACCESS}:
            lacking[str(copy.state), copy.reason].append(copy)
    rows = [
        (*why, len(missed), len({copy.child_id for copy in missed}), max(map(began_utc, missed)))
        for why, missed in lacking.items()
    ]
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))


def freshness(held: Held, values: Mapping[str, Any]) -> list[Row]:
    months = Counter(
        Month(start.year, start.month)
        for start in (datetime.fromisoformat(activity.detail["start_date"]) for activity in held)
    )
    rows = []
    for month, count in sorted(months.items()):
        told = example_lake.compared(month, count)
        at = datetime.fromtimestamp(told.compared_at_epoch_s, UTC).replace(tzinfo=None)
        is_newest = month == max(months)
        rows.append(
            (*month, *((None, None) if is_newest else (told.listed, told.held)), count, None if is_newest else at)
        )
    return rows
