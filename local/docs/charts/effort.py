"""Charts of pace, power and heart rate."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import altair as alt

from local.docs.charts.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    RED,
    YEARS,
    colours,
    data,
    days,
    paces,
    sized,
    years,
)
from local.docs.lake.queries_lake import TrainingLake

_QUARTERS = [date(year, month, 1) for year in YEARS[1:] for month in (1, 4, 7, 10)][:7]
_DURATIONS = "datum.value < 60 ? datum.value + ' s' : datum.value < 3600 ? datum.value / 60 + ' min' : '1 h'"
_DISTANCES = (
    "datum.value == 1609.344 ? '1 mile' : datum.value < 1000 ? datum.value + ' m' : round(datum.value / 1000) + ' km'"
)


def best_efforts_by_distance(lake: TrainingLake) -> dict[str, Any]:
    """The pace over each distance in each year."""
    rows = _each_year(lake, "best_efforts_by_distance")
    targets = sorted({row["target_m"] for row in rows})
    chart = alt.Chart(data(rows)).encode(
        x=alt.X(
            "target_m:Q",
            title="distance (logarithmic)",
            scale=alt.Scale(type="log", domain=[0.9 * targets[0], 1.1 * targets[-1]], nice=False),
            axis=alt.Axis(values=targets, labelExpr=_DISTANCES, labelOverlap=False),
        ),
        y=paces("pace_s_per_km", [row["pace_s_per_km"] for row in rows], 30),
        color=years("year"),
    )
    return sized(
        chart.mark_line(point=True), "Best efforts", "The fastest pace over each distance, asked once for each year."
    )


def best_efforts_by_duration(lake: TrainingLake) -> dict[str, Any]:
    """The power curve of each year."""
    rows = _each_year(lake, "best_efforts_by_duration")
    durations = sorted({row["duration_s"] for row in rows})
    chart = alt.Chart(data(rows)).encode(
        x=alt.X(
            "duration_s:Q",
            title="duration (logarithmic)",
            scale=alt.Scale(type="log", domain=[4.5, 4200], nice=False),
            axis=alt.Axis(values=durations, labelExpr=_DURATIONS, labelOverlap=False),
        ),
        y=alt.Y("mean_watts:Q", title="highest mean power (W)"),
        color=years("year"),
    )
    return sized(
        chart.mark_line(point=True),
        "Power curve",
        "The highest mean power held for each duration, asked once for each year.",
    )


def heartrate_zones(lake: TrainingLake) -> dict[str, Any]:
    """The zones of each quarter, stacked."""
    names = ("5: from 90 %", "4: 80-90 %", "3: 70-80 %", "2: 60-70 %", "1: below 60 %")
    rows = [
        {"quarter": f"{first.year} Q{first.month // 3 + 1}", "zone": names[5 - row["zone"]], "rank": row["zone"]}
        | {"hours": row["minutes"] / 60}
        for first, after in pairwise(_QUARTERS)
        for row in lake.ask(
            "heartrate_zones", since=str(first), until=str(date.fromordinal(after.toordinal() - 1))
        ).to_pylist()
    ]
    bars = (
        alt.Chart(data(rows))
        .mark_bar()
        .encode(
            x=alt.X("quarter:N", title=None, axis=alt.Axis(labelAngle=0), scale=alt.Scale(paddingInner=0.25)),
            y=alt.Y("hours:Q", title="time (h a quarter)"),
            color=alt.Color(
                "zone:N", title="of the highest pulse", scale=colours(names, (RED, ORANGE, GREEN, BLUE, PURPLE))
            ),
            order=alt.Order("rank:Q"),
        )
    )
    return sized(bars, "Heart-rate zones", "Asked once for each quarter; the highest pulse is 190 beats a minute.")


def grade_adjusted_pace(lake: TrainingLake) -> dict[str, Any]:
    """Each run's pace, and its grade-adjusted pace."""
    answer = lake.ask("grade_adjusted_pace", since="2025-10-01")
    runs = alt.Chart(data(answer)).encode(x=days("local_day"))
    real_s, flat_s = (answer[name].to_pylist() for name in ("pace_s_per_km", "grade_adjusted_pace_s_per_km"))
    axis = paces("grade_adjusted_pace_s_per_km", [*real_s, *flat_s], 60)
    gap = runs.mark_rule(strokeWidth=1.2).encode(y=axis, y2="pace_s_per_km:Q")
    real = runs.mark_point(filled=False, size=34, color=INK, strokeWidth=1.4).encode(y="pace_s_per_km:Q")
    flat = runs.mark_point(size=40).encode(
        y=axis,
        color=alt.Color("elevation_gain_m:Q", title="climb (m)", scale=alt.Scale(range=[BLUE, GREEN, ORANGE])),
    )
    subtitle = "Ring: the pace as it was. Dot: the pace on the flat at equal effort. Asked since October 2025."
    return sized(gap + real + flat, "Grade-adjusted pace", subtitle)


def _each_year(lake: TrainingLake, name: str) -> list[dict[str, Any]]:
    return [
        {**row, "year": year}
        for year in YEARS
        for row in lake.ask(name, since=f"{year}-01-01", until=f"{year}-12-31").to_pylist()
    ]
