"""Each query's rows are those that plain Python finds in the answers of Strava."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from include.lake import cookbook
from include.lake.rows.freshness import Month
from include.state.copies.ledger import NOT_MADE_STATES, CopyState
from include.strava.stream_types import BY_KEY
from local.docs.lake import example_lake

Row = tuple[Any, ...]
Held = Sequence[Any]


def rounded(value: float | None, digits: int) -> float | None:
    """Half away from zero, as SQL rounds."""
    if value is None:
        return None
    return math.copysign(math.floor(abs(value) * 10**digits + 0.5) / 10**digits, value)


def began(activity: Any) -> datetime:
    text = activity.detail["start_date_local"] or activity.detail["start_date"]
    return datetime.fromisoformat(text.removesuffix("Z"))


def chosen(held: Held, values: Mapping[str, Any]) -> list[Any]:
    ending = values["sport_type"].removeprefix("%")
    return [
        activity
        for activity in held
        if activity.detail["sport_type"].endswith(ending)
        and ("%" in values["sport_type"] or activity.detail["sport_type"] == ending)
        and values.get("since", date.min) <= began(activity).date() <= values.get("until", date.max)
    ]


def field(activity: Any, name: str) -> float:
    return activity.detail.get(name) or 0


def samples(activity: Any) -> list[dict[str, Any]]:
    """The samples that have a time."""
    streams = {name: stream["data"] for name, stream in (activity.streams or {}).items()}
    count = max(map(len, streams.values()), default=0)
    rows = [{name: data[index] for name, data in streams.items()} for index in range(count)]
    return [row for row in rows if row["time"] is not None]


def plausible(row: dict[str, Any], stream: str) -> Any:
    """The sample, or None where it is none or a slip of the sensor."""
    value, bounds = row.get(stream), BY_KEY[stream].plausible
    return value if value is not None and bounds.low <= value <= bounds.high else None


def steps(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any], int]]:
    """Each sample with the one before it, where no pause is between them."""
    for before, row in pairwise(rows):
        gap_s = row["time"] - before["time"]
        if 1 <= gap_s <= 10:
            yield before, row, gap_s


def moves(before: dict[str, Any] | None, row: dict[str, Any]) -> bool:
    """Whether the athlete moves, as the sample says; else as fast as the step to it was."""
    told, metres = row.get("moving"), row.get("distance")
    if told is not None or before is None or metres is None or before.get("distance") is None:
        return told is not False
    return bool(metres - before["distance"] >= 0.3 * (row["time"] - before["time"]))


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


def best_efforts_by_distance(held: Held, values: Mapping[str, Any]) -> list[Row]:
    rows = []
    for target_m in (400, 1000, 1609.344, 5000, 10000, 21097.5, 42195):
        efforts = []
        for activity in chosen(held, values):
            points = [(row["distance"], row["time"]) for row in samples(activity) if row["distance"] is not None]
            start = 0
            for distance_m, time_s in points:
                while start + 1 < len(points) and points[start + 1][0] <= distance_m - target_m:
                    start += 1
                if points[start][0] <= distance_m - target_m:
                    efforts.append((time_s - points[start][1], activity.activity_id, began(activity).date()))
        if efforts:
            elapsed_s, activity_id, day = min(efforts)
            rows.append((target_m, elapsed_s, rounded(elapsed_s / target_m * 1000, 1), activity_id, day))
    return rows


def best_efforts_by_duration(held: Held, values: Mapping[str, Any]) -> list[Row]:
    rows = []
    for duration_s in (5, 15, 30, 60, 300, 1200, 3600):
        efforts = []
        for activity in chosen(held, values):
            points = samples(activity)
            times = [row["time"] for row in points]
            if all(plausible(row, "watts") is None for row in points) or times[-1] - times[0] < duration_s:
                continue
            held_s = {row["time"]: gap_s for _, row, gap_s in steps(points)}
            work, covered = [0], [0]
            for row in points:
                gap_s = held_s.get(row["time"], 0)
                work.append(work[-1] + (plausible(row, "watts") or 0) * gap_s)
                covered.append(covered[-1] + gap_s)
            for last, time_s in enumerate(times, start=1):
                first = bisect_left(times, time_s - duration_s + 1)
                mean = (work[last] - work[first]) / max(covered[last] - covered[first], duration_s)
                efforts.append((-mean, activity.activity_id, activity))
        if efforts:
            mean, activity_id, activity = min(efforts, key=lambda effort: effort[:2])
            day, from_meter = began(activity).date(), activity.detail.get("device_watts")
            rows.append((duration_s, rounded(-mean, 1), activity_id, day, from_meter))
    return rows


def heartrate_zones(held: Held, values: Mapping[str, Any]) -> list[Row]:
    seconds: Counter[int] = Counter()
    beats: Counter[int] = Counter()
    for activity in chosen(held, values):
        for _, row, gap_s in steps(samples(activity)):
            if plausible(row, "heartrate") not in (None, 255):
                share = row["heartrate"] / values["max_heartrate_bpm"]
                zone = 1 + sum(share >= limit for limit in (0.6, 0.7, 0.8, 0.9))
                seconds[zone] += gap_s
                beats[zone] += gap_s * row["heartrate"]
    return [
        (
            zone,
            rounded(seconds[zone] / 60, 1),
            rounded(100 * seconds[zone] / seconds.total(), 1),
            rounded(beats[zone] / seconds[zone], 1),
        )
        for zone in sorted(seconds)
    ]


def grade_adjusted_pace(held: Held, values: Mapping[str, Any]) -> list[Row]:
    rows = []
    for activity in chosen(held, values):
        metres = flat_m = moving_s = 0.0
        placed = [row for row in samples(activity) if row["distance"] is not None]
        for before, row, gap_s in steps(placed):
            step_m = row["distance"] - before["distance"]
            if not moves(before, row) or step_m < 0:
                continue
            grade = max(-45.0, min(45.0, row.get("grade_smooth") or 0.0)) / 100
            cost = 3.6 + grade * (19.5 + grade * (46.3 + grade * (-43.3 + grade * (-30.4 + grade * 155.4))))
            metres, flat_m, moving_s = metres + step_m, flat_m + step_m * cost / 3.6, moving_s + gap_s
        if metres:
            rows.append(
                (
                    began(activity).date(),
                    activity.activity_id,
                    rounded(metres / 1000, 2),
                    rounded(1000 * moving_s / metres, 1),
                    rounded(1000 * moving_s / flat_m, 1),
                    rounded(activity.detail["total_elevation_gain"], 0),
                )
            )
    return sorted(rows)


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


def route_heat_grid(held: Held, values: Mapping[str, Any]) -> list[Row]:
    side = values["cell_deg"]
    points: Counter[tuple[int, int]] = Counter()
    visitors: dict[tuple[int, int], set[int]] = defaultdict(set)
    for activity in chosen(held, values):
        for position in (activity.streams or {}).get("latlng", {}).get("data", ()):
            if position:
                cell = (math.floor(position[0] / side), math.floor(position[1] / side))
                points[cell] += 1
                visitors[cell].add(activity.activity_id)
    rows = [
        (rounded((lat + 0.5) * side, 6), rounded((lon + 0.5) * side, 6), len(visitors[lat, lon]), points[lat, lon])
        for lat, lon in points
    ]
    return sorted(rows, key=lambda row: (-row[2], -row[3], row[0], row[1]))


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


def pauses(held: Held, values: Mapping[str, Any]) -> list[Row]:
    rows = []
    for activity in chosen(held, values):
        placed = samples(activity)
        in_motion = [row for before, row in zip([None, *placed], placed, strict=False) if moves(before, row)]
        for before, row in pairwise(in_motion):
            paused_s = row["time"] - before["time"]
            if paused_s >= values["min_pause_s"]:
                metres = before.get("distance")
                lat, lon = before.get("latlng") or (None, None)
                distance_km = None if metres is None else rounded(metres / 1000, 2)
                rows.append(
                    (began(activity).date(), activity.activity_id, before["time"], paused_s, distance_km, lat, lon)
                )
    return sorted(rows, key=lambda row: row[:3])


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


def began_utc(copy: Any) -> date:
    return datetime.fromtimestamp(copy.activity_start_epoch_s, UTC).date()


REFERENCES: Mapping[str, Callable[[Held, Mapping[str, Any]], list[Row]]] = {
    reference.__name__: reference
    for reference in (
        *(weekly_volume, year_against_year, best_efforts_by_distance, best_efforts_by_duration, heartrate_zones),
        *(grade_adjusted_pace, climbing, route_heat_grid, eddington_number, pauses, habits, gear_distance),
        *(copy_outcomes, copy_reasons, freshness),
    )
}


def check(lake: Any, name: str, given: Mapping[str, str]) -> int:
    """Compare the query's rows with the reference's; how many there are."""
    values = cookbook.load(name).values({"athlete_id": "1"} | dict(given))
    expected = REFERENCES[name](lake.activities, values)
    answer = lake.ask(name, **given)
    nearly = [tuple(pytest.approx(v, abs=1e-9) if isinstance(v, float) else v for v in row) for row in expected]
    assert [tuple(row.values()) for row in answer.to_pylist()] == nearly
    return len(expected)


def test_every_query_has_its_rows_computed_another_way() -> None:
    assert sorted(REFERENCES) == cookbook.names()
    assert len(REFERENCES) >= 10


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in REFERENCES])
def test_rows_are_those_found_another_way(sample: Any, name: str) -> None:
    assert check(sample, name, {}) > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        pytest.param("weekly_volume", {"sport_type": "Ride"}, id="volume-of-one-sport"),
        pytest.param("year_against_year", {"sport_type": "%Run"}, id="years-of-runs"),
        pytest.param("best_efforts_by_distance", {"sport_type": "%Ride"}, id="efforts-of-rides"),
        pytest.param("best_efforts_by_distance", {"since": "2025-01-07", "until": "2025-01-07"}, id="efforts-of-a-day"),
        pytest.param("best_efforts_by_duration", {"until": "2025-01-01", "sport_type": "Ride"}, id="power-of-a-time"),
        pytest.param("best_efforts_by_duration", {"since": "2025-01-01", "until": "2025-01-01"}, id="power-of-a-day"),
        pytest.param("heartrate_zones", {"max_heartrate_bpm": "150"}, id="lower-zones"),
        pytest.param("heartrate_zones", {"since": "2025-01-01", "until": "2025-01-01"}, id="zones-of-a-day"),
        pytest.param("grade_adjusted_pace", {"sport_type": "TrailRun"}, id="trails"),
        pytest.param("grade_adjusted_pace", {"since": "2024-11-09", "until": "2024-11-16"}, id="paces-of-a-week"),
        pytest.param("route_heat_grid", {"since": "2024-11-09", "until": "2024-11-16"}, id="cells-of-a-week"),
        pytest.param("pauses", {"since": "2024-11-09", "until": "2024-11-16"}, id="pauses-of-a-week"),
        pytest.param("climbing", {"sport_type": "%Ride"}, id="climbs-of-rides"),
        pytest.param("route_heat_grid", {"cell_deg": "0.01", "sport_type": "%Ride"}, id="coarser-cells"),
        pytest.param("eddington_number", {"unit_m": "1609.344"}, id="miles"),
        pytest.param("eddington_number", {"unit_m": "100", "sport_type": "%"}, id="short-units"),
        pytest.param("eddington_number", {"unit_m": "100000"}, id="nothing-long-enough"),
        pytest.param("pauses", {"min_pause_s": "2"}, id="shorter-pauses"),
        pytest.param("pauses", {"min_pause_s": "300"}, id="long-pauses"),
        pytest.param("habits", {"sport_type": "Run"}, id="habits-of-runs"),
    ],
)
def test_parameters_choose_the_rows(sample: Any, name: str, given: dict[str, str]) -> None:
    assert check(sample, name, given) > 0


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in REFERENCES])
@pytest.mark.parametrize(
    "index", [pytest.param(1, id="ride"), pytest.param(3, id="indoors"), pytest.param(4, id="swim")]
)
def test_rows_of_a_single_activity(sample: Any, lake_of: Callable[..., Any], name: str, index: int) -> None:
    parameters = [parameter.name for parameter in cookbook.load(name).parameters]
    check(lake_of(sample.activities[index]), name, {"sport_type": "%"} if "sport_type" in parameters else {})


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        pytest.param("heartrate", "heartrate_zones", id="heart rate"),
        pytest.param("watts", "best_efforts_by_duration", id="power"),
    ],
)
def test_rows_leave_out_the_slips_of_a_sensor(sample: Any, lake_of: Callable[..., Any], stream: str, name: str) -> None:
    ride, bounds = sample.activities[1], BY_KEY[stream].plausible
    data = list(ride.streams[stream]["data"])
    data[10:80:10] = [bounds.low - 1, bounds.low, bounds.high, bounds.high + 1, 30_000, 255, 65_535]
    slipped = replace(ride, streams={**ride.streams, stream: {"data": data}})

    assert check(lake_of(slipped), name, {"sport_type": "%"}) > 0


@pytest.mark.parametrize("name", ["pauses", "grade_adjusted_pace"])
def test_standing_is_decided_by_the_step_where_nothing_says_whether_the_athlete_moves(
    sample: Any, lake_of: Callable[..., Any], name: str
) -> None:
    ride = sample.activities[1]
    metres = list(ride.streams["distance"]["data"])
    metres[100:200] = [metres[100]] * 100
    streams = {key: stream for key, stream in ride.streams.items() if key != "moving"}
    stood = replace(ride, streams={**streams, "distance": {"data": metres}})
    values = {"sport_type": "%"}

    assert check(lake_of(stood), name, values) > 0


@pytest.mark.parametrize("name", ["year_against_year", "climbing", "weekly_volume"])
def test_empty_months_and_years_take_nothing_from_those_after_them(
    sample: Any, lake_of: Callable[..., Any], name: str
) -> None:
    days = ("2021-02-03", "2021-02-27", "2021-06-01", "2022-12-31", "2025-01-01", "2025-03-31")
    ride = sample.activities[1]
    times = [{"start_date": f"{day}T08:00:00Z", "start_date_local": f"{day}T09:00:00Z"} for day in days]
    far_between = [
        replace(ride, detail={**ride.detail, **time, "id": number}) for number, time in enumerate(times, start=1)
    ]
    lake = lake_of(*far_between)

    check(lake, name, {})
    if name == "year_against_year":
        rows = {(row["calendar_year"], row["calendar_month"]): row for row in lake.ask(name).to_pylist()}
        assert (rows[2021, 3]["activities"], rows[2021, 3]["year_to_date_km"]) == (0, rows[2021, 2]["year_to_date_km"])
        assert rows[2022, 7]["last_year_to_date_km"] == rows[2021, 12]["year_to_date_km"] > 0
        assert {(2021, 1), (2024, 6), (2025, 4)} & rows.keys() == set()


def test_mean_time_of_copies_that_may_still_be_made_is_none(sample: Any) -> None:
    means = {row["state"]: row["mean_s"] for row in sample.ask("copy_outcomes").to_pylist()}
    assert means["done"] is not None
    assert {state for state, mean_s in means.items() if mean_s is None} == set(means) - {"done", "duplicate"}


def test_eddington_number_counts_a_day_of_exactly_its_length(sample: Any, lake_of: Callable[..., Any]) -> None:
    rides = [activity for activity in sample.activities if activity.detail["sport_type"] == "Ride"][:3]
    metres = (1000.0, 2000.0, 3000.0)
    exact = [replace(ride, detail={**ride.detail, "distance": m}) for ride, m in zip(rides, metres, strict=True)]

    assert lake_of(*exact).ask("eddington_number").to_pylist() == [
        {"eddington": 2, "next_number": 3, "days_so_far": 1, "days_missing": 2}
    ]


def test_climb_for_each_kilometre_is_null_without_distance(sample: Any, lake_of: Callable[..., Any]) -> None:
    ride = replace(sample.activities[1], detail={**sample.activities[1].detail, "distance": 0.0})

    assert lake_of(ride).ask("climbing")["gain_m_per_km"].to_pylist() == [None]


def test_sample_lake_holds_what_a_query_may_stumble_over(sample: Any) -> None:
    channels = [set(activity.streams or ()) for activity in sample.activities]
    assert set() in channels
    assert any("heartrate" not in names for names in channels if names)
    assert any("latlng" not in names for names in channels if names)
    assert any(
        began(activity).year == 2025 for activity in sample.activities if "2024-12" in activity.detail["start_date"]
    )
