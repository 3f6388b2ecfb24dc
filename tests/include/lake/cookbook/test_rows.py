"""Each query's rows are those that plain Python finds in the answers of Strava."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from include.lake import cookbook
from include.state.copies.ledger import CopyState, Original
from include.strava.stream_types import BY_KEY
from local.docs.lake import example_lake
from tests.include.lake.cookbook.references import of_activities, of_samples
from tests.include.lake.cookbook.references.values import Held, Row, began

REFERENCES: Mapping[str, Callable[[Held, Mapping[str, Any]], list[Row]]] = {
    reference.__name__: reference
    for reference in (
        *(
            of_activities.weekly_volume,
            of_activities.year_against_year,
            of_samples.best_efforts_by_distance,
            of_samples.best_efforts_by_duration,
            of_samples.heartrate_zones,
        ),
        *(
            of_samples.grade_adjusted_pace,
            of_activities.climbing,
            of_samples.route_heat_grid,
            of_activities.eddington_number,
            of_samples.pauses,
            of_activities.habits,
            of_activities.gear_distance,
        ),
        *(of_activities.copy_outcomes, of_activities.copy_reasons, of_activities.freshness),
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
    assert sorted(REFERENCES) == cookbook.names(), (
        "write a function for each query in a module of tests/include/lake/cookbook/references, list it in REFERENCES"
    )
    assert len(REFERENCES) >= 10


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in REFERENCES])
def test_rows_are_those_found_another_way(sample: Any, name: str) -> None:
    assert check(sample, name, {}) > 0


GIVEN = [
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
    pytest.param("pauses", {"sport_type": "%Ride"}, id="pauses-of-rides"),
    pytest.param("heartrate_zones", {"sport_type": "Run"}, id="zones-of-runs"),
    pytest.param("pauses", {"min_pause_s": "300"}, id="long-pauses"),
    pytest.param("habits", {"sport_type": "Run"}, id="habits-of-runs"),
]


def test_every_optional_parameter_of_a_query_is_given_in_a_case() -> None:
    given = {(case.values[0], name) for case in GIVEN for name in case.values[1]}  # type: ignore[attr-defined]
    optional = {
        (query, parameter.name)
        for query in cookbook.names()
        for parameter in cookbook.load(query).parameters
        if parameter.default is not None
    }
    assert optional - given == set(), "give these in a case of GIVEN"


@pytest.mark.parametrize(("name", "given"), GIVEN)
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


def test_lost_samples_are_no_pause_where_the_athlete_went_on(sample: Any, lake_of: Callable[..., Any]) -> None:
    ride = sample.activities[1]
    without = {key: {"data": stream["data"][:100] + stream["data"][200:]} for key, stream in ride.streams.items()}
    lost = replace(ride, streams=without)
    metres = without["distance"]["data"]
    stopped = [*metres[:100], *(metre - metres[100] + metres[99] + 20 for metre in metres[100:])]
    paused = replace(ride, streams={**without, "distance": {"data": stopped}}, detail={**ride.detail, "id": 5})
    at_s, back_s = (without["time"]["data"][index] for index in (99, 100))
    lake = lake_of(lost, paused)

    check(lake, "pauses", {"min_pause_s": "90"})

    assert [
        (row["activity_id"], row["after_s"], row["paused_s"])
        for row in lake.ask("pauses", min_pause_s="90").to_pylist()
    ] == [(5, at_s, back_s - at_s)]


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


def test_mean_time_of_copies_does_not_grow_when_an_original_is_marked(sample: Any, lake_of: Callable[..., Any]) -> None:
    done = [copy for copy in example_lake.copies(sample.activities) if copy.state is CopyState.DONE]
    marked, made = done[0], [copy for copy in done[1:] if copy.child_id == done[0].child_id]
    late = replace(marked, original=Original.RENAMED, updated_at_epoch_s=marked.updated_at_epoch_s + 30 * 86_400)
    lake = lake_of(sample.activities[4])
    lake = lake_of()
    example_lake.fill_copies(lake.url, [late, *made])

    told = {(row["child_id"], row["state"]): row for row in lake.ask("copy_outcomes").to_pylist()}

    mean_s = sum(copy.updated_at_epoch_s - copy.planned_at_epoch_s for copy in made) / len(made)
    assert told[marked.child_id, "done"]["copies"] == 1 + len(made)
    assert told[marked.child_id, "done"]["mean_s"] == pytest.approx(mean_s, abs=0.05)


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
