"""Charts of the athlete's training volume."""

from __future__ import annotations

from datetime import date
from typing import Any

import altair as alt

from local.docs.charts.style import BLUE, GREEN, HEAT, INK, ORANGE, YEARS, colours, data, days, sized, years
from local.docs.lake.queries_lake import TrainingLake

_MONTHS = "['', 'Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']"
_DAYS = "['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']"

# The lake is one athlete's.
_DAYS_RIDDEN = """
    SELECT sum(distance_m) / 1000 AS km FROM activities
    WHERE sport_type LIKE '%Ride' GROUP BY CAST(start_ts_local AS date)
"""


def weekly_volume(lake: TrainingLake) -> dict[str, Any]:
    """Bars, and the trend as a line over them."""
    weeks = alt.Chart(data(lake.ask("weekly_volume"))).encode(x=days("week_start"))
    km = alt.Y("distance_km:Q", title="distance (km a week)")
    bars = weeks.mark_bar(width=3.4, opacity=0.55).encode(y=km)
    trend = weeks.mark_line(color=ORANGE, interpolate="monotone").encode(y="mean_4_weeks_km:Q")
    return sized(bars + trend, "Weekly volume", "Bars: each week. Line: mean of the last four weeks.")


def year_against_year(lake: TrainingLake) -> dict[str, Any]:
    """One cumulative line for each year."""
    answer = lake.ask("year_against_year")
    january = [{"calendar_year": year, "calendar_month": 0, "year_to_date_km": 0} for year in YEARS]
    month = alt.X(
        "calendar_month:Q",
        title=None,
        scale=alt.Scale(domain=[0, 12], nice=False),
        axis=alt.Axis(values=list(range(1, 13)), labelExpr=f"{_MONTHS}[datum.value]", grid=False),
    )
    lines = (
        alt.Chart(data([*january, *answer.to_pylist()]))
        .mark_line(point=True)
        .encode(
            x=month,
            y=alt.Y("year_to_date_km:Q", title="distance since January (km)"),
            color=years("calendar_year"),
        )
    )
    return sized(lines, "Year against year", "Distance from January to the end of each month.")


def climbing(lake: TrainingLake) -> dict[str, Any]:
    """The climb of each month; hillier ones have warmer colours."""
    bars = (
        alt.Chart(data(lake.ask("climbing")))
        .mark_bar()
        .encode(
            x=alt.X(
                "month_start:T",
                title=None,
                timeUnit="utcyearmonth",
                axis=alt.Axis(grid=False, format="%b %Y", tickCount=9, labelAngle=0),
            ),
            y=alt.Y("elevation_gain_m:Q", title="climb (m a month)"),
            color=alt.Color("gain_m_per_km:Q", title="m per km", scale=alt.Scale(range=list(HEAT))),
        )
    )
    return sized(bars, "Climbing", "Each month's climb; the colour tells how hilly it was.")


def eddington_number(lake: TrainingLake) -> dict[str, Any]:
    """The number of days with at least each distance, and the diagonal; they cross at the Eddington number."""
    number = lake.ask("eddington_number")["eddington"][0].as_py()
    lengths = lake.select(_DAYS_RIDDEN)["km"].to_pylist()
    counted = [{"km": km, "days": sum(length >= km for length in lengths)} for km in range(1, int(max(lengths)) + 2)]
    x = alt.X("km:Q", title="distance of a day's rides, at least (km)", axis=alt.Axis(grid=False))
    y = alt.Y("days:Q", title="days")
    reached = alt.Chart(data(counted)).mark_area(opacity=0.55, color=BLUE, interpolate="step-before").encode(x=x, y=y)
    wanted = alt.Chart(data([{"km": km, "days": km} for km in (0, int(max(lengths)) + 1)]))
    goal = wanted.mark_line(color=INK, strokeDash=[5, 4], strokeWidth=1.3).encode(x=x, y=y)
    here = alt.Chart(data([{"km": number, "days": number, "label": f"E = {number}"}])).encode(x=x, y=y)
    point = here.mark_point(color=ORANGE, size=90)
    label = here.mark_text(color=ORANGE, dx=4, dy=-16, align="left", fontSize=14, fontWeight="bold").encode(
        text="label:N"
    )
    subtitle = "Area: days with at least so many kilometres. Dashed: as many days as kilometres."
    return sized(reached + goal + point + label, "Eddington number", subtitle)


def freshness(lake: TrainingLake) -> dict[str, Any]:
    """The lake's activities of each month as a bar, those that Strava listed as a line across it."""
    rows = [
        {**row, "compared_at": None, "month": date(row["calendar_year"], row["calendar_month"], 1)}
        for row in lake.ask("freshness").to_pylist()
    ]
    axis = alt.Axis(grid=False, format="%b %Y", tickCount=9, labelAngle=0)
    months = alt.Chart(data(rows)).encode(x=alt.X("month:T", title=None, timeUnit="utcyearmonth", axis=axis))
    activities = alt.Y("held_now:Q", title="activities (a month)")
    bars = months.mark_bar(opacity=0.55).encode(y=activities)
    listed = months.mark_tick(color=ORANGE, thickness=2.5, width=14).encode(y="listed:Q")
    subtitle = "Bars: activities in the lake. Lines: those that Strava listed, where a list has shown the whole month."
    return sized(bars + listed, "Freshness", subtitle)


def gear_distance(lake: TrainingLake) -> dict[str, Any]:
    """Each gear from its first to its latest use, with the distance."""
    rows = [
        {**row, "label": f"{row['distance_km']:,.0f} km", "kind": "bike" if row["gear_id"][0] == "b" else "shoes"}
        for row in lake.ask("gear_distance").to_pylist()
    ]
    order = [row["gear_id"] for row in rows]
    gear = alt.Chart(data(rows)).encode(y=alt.Y("gear_id:N", title=None, sort=order, axis=alt.Axis(ticks=False)))
    bars = gear.mark_bar(height=14, cornerRadiusEnd=2).encode(
        x=alt.X("distance_km:Q", title="distance (km)", scale=alt.Scale(domainMax=1.12 * rows[0]["distance_km"])),
        color=alt.Color("kind:N", title=None, scale=colours(("bike", "shoes"), (BLUE, GREEN))),
    )
    labels = gear.mark_text(align="left", dx=5).encode(x="distance_km:Q", text="label:N")
    return sized(bars + labels, "Gear", "Distance on each bike and pair of shoes.", height=170)


def habits(lake: TrainingLake) -> dict[str, Any]:
    """The hours of the week as a grid."""
    grid = (
        alt.Chart(data(lake.ask("habits")))
        .mark_rect(cornerRadius=2)
        .encode(
            x=alt.X(
                "hour:O",
                title="hour of the day, by the athlete's wall clock",
                scale=alt.Scale(domain=list(range(5, 22)), paddingInner=0.08),
                axis=alt.Axis(labelAngle=0, ticks=False, domain=False),
            ),
            y=alt.Y(
                "weekday:O",
                title=None,
                scale=alt.Scale(domain=list(range(1, 8)), paddingInner=0.1),
                axis=alt.Axis(labelExpr=f"{_DAYS}[datum.value]", ticks=False, domain=False),
            ),
            color=alt.Color("activities:Q", title="activities", scale=alt.Scale(range=list(HEAT))),
        )
    )
    return sized(grid, "Habits", "When in the week the athlete sets out.", height=190)
