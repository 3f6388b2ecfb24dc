"""Charts of places."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import altair as alt

from local.docs.charts.style import FAINT, HEAT, ORANGE, Row, data, sized
from local.docs.lake.queries_lake import TrainingLake

_CELL_DEG = 0.001
_WIDTH = 440


def route_heat_grid(lake: TrainingLake) -> dict[str, Any]:
    """The cells of the grid on a map; more frequent ones have warmer colours."""
    grid = _Grid(lake)
    cells = grid.cells.mark_rect().encode(
        **grid.corners,
        color=alt.Color("activities:Q", title="runs", scale=alt.Scale(type="log", range=list(HEAT)), legend=_FEW),
    )
    subtitle = f"Runs through each cell of {_CELL_DEG} degrees; north is up."
    return sized(cells, "Route heat grid", subtitle, width=_WIDTH, height=grid.height)


def pauses(lake: TrainingLake) -> dict[str, Any]:
    """Circles where the athlete stood still, larger for a longer time, over the grid of the routes."""
    grid = _Grid(lake)
    stood: dict[tuple[float, float], float] = defaultdict(float)
    for pause in lake.ask("pauses", sport_type="Run").to_pylist():
        stood[round(pause["lat"], 3), round(pause["lon"], 3)] += pause["paused_s"] / 60
    rows = [{"lat": lat, "lon": lon, "minutes": round(spent, 1)} for (lat, lon), spent in sorted(stood.items())]
    circles = (
        alt.Chart(data(rows))
        .mark_circle(color=ORANGE, opacity=0.75)
        .encode(
            x="lon:Q",
            y="lat:Q",
            size=alt.Size("minutes:Q", title="minutes stood", scale=alt.Scale(range=[15, 700]), legend=_ROUND),
        )
    )
    ground = grid.cells.mark_rect(color=FAINT).encode(**grid.corners)
    subtitle = "Time stood at each place on all runs, over the cells of their routes."
    return sized(ground + circles, "Pauses", subtitle, width=_WIDTH, height=grid.height)


_FEW = alt.Legend(values=[10, 30, 100], gradientLength=140)
_ROUND = alt.Legend(values=[10, 30, 90], symbolFillColor=ORANGE)


class _Grid:
    """The cells of all runs, and their places on a map to scale."""

    def __init__(self, lake: TrainingLake) -> None:
        rows = [_cornered(row) for row in lake.ask("route_heat_grid", sport_type="Run").to_pylist()]
        west, east = min(row["lon"] for row in rows) - _CELL_DEG, max(row["lon2"] for row in rows) + _CELL_DEG
        south, north = min(row["lat"] for row in rows) - _CELL_DEG, max(row["lat2"] for row in rows) + _CELL_DEG
        self.height = round(_WIDTH * (north - south) / ((east - west) * math.cos(math.radians(south))))
        self.cells = alt.Chart(data(rows))
        self.corners = {
            "x": alt.X("lon:Q", title="longitude (°)", scale=_exactly(west, east), axis=_PLAIN),
            "x2": alt.X2("lon2"),
            "y": alt.Y("lat:Q", title="latitude (°)", scale=_exactly(south, north), axis=_PLAIN),
            "y2": alt.Y2("lat2"),
        }


_PLAIN = alt.Axis(grid=False, format=".2f", tickMinStep=0.02, tickCount=6)


def _exactly(low: float, high: float) -> alt.Scale:
    return alt.Scale(domain=[round(low, 6), round(high, 6)], nice=False, zero=False)


def _cornered(row: Row) -> dict[str, Any]:
    half = _CELL_DEG / 2
    return {
        "lon": round(row["lon"] - half, 6),
        "lon2": round(row["lon"] + half, 6),
        "lat": round(row["lat"] - half, 6),
        "lat2": round(row["lat"] + half, 6),
        "activities": row["activities"],
    }
