"""The style of the cookbook's charts: readable on a white and on a dark page, in a common font."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import ceil, floor
from typing import Any

import altair as alt
import pyarrow as pa

WIDTH, HEIGHT = 620, 220
INK = "#767b84"
"""Text and lines: a contrast of 4.2 to GitHub's dark page, and of 4.3 to its white one."""
FAINT = "#8b949e40"
BLUE, ORANGE, GREEN, PURPLE, RED = "#3f83d8", "#e5731a", "#2f9e6e", "#9a6fd8", "#d9534f"
HEAT = ("#4a6fb5", "#3fa3a3", "#8fb348", "#e5a01a", "#e5531a")
"""From rare to frequent; every step is visible on either page."""

_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""The first font is part of the drawing library, which measures with it; Arial has the same widths."""

Row = Mapping[str, Any]


def data(rows: pa.Table | Iterable[Row]) -> alt.InlineData:
    """The rows in the form of a chart's data, days as text."""
    listed = rows.to_pylist() if isinstance(rows, pa.Table) else rows
    return alt.InlineData(values=[{name: _plain(value) for name, value in row.items()} for row in listed])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def days(name: str, axis: alt.Axis | None = None) -> alt.X:
    """A column of days on the horizontal axis; in UTC, so that the picture is the same in every time zone."""
    return alt.X(f"{name}:T", title=None, scale=alt.Scale(type="utc"), axis=axis or alt.Axis(grid=False))


def paces(column: str, values_s: Sequence[float], step_s: int) -> alt.Y:
    """A column of paces on the vertical axis, faster ones higher, with a line at each step."""
    fast, slow = floor(min(values_s) / step_s) * step_s, ceil(max(values_s) / step_s) * step_s
    return alt.Y(
        f"{column}:Q",
        scale=alt.Scale(domain=[fast, slow], nice=False, zero=False, reverse=True),
        axis=alt.Axis(
            title="pace (min/km, faster is higher)",
            values=list(range(fast, slow + 1, step_s)),
            labelExpr="floor(datum.value / 60) + ':' + pad(datum.value % 60, 2, '0', 'left')",
        ),
    )


YEARS = (2024, 2025, 2026)


def years(column: str) -> alt.Color:
    """A column of years, each with its own colour."""
    return alt.Color(f"{column}:N", title=None, scale=colours(YEARS, (PURPLE, BLUE, ORANGE)))


def colours(domain: Sequence[Any], scale: Sequence[str]) -> alt.Scale:
    """These values in these colours."""
    return alt.Scale(domain=list(domain), range=list(scale[: len(domain)]))


def sized(
    chart: alt.TopLevelMixin, title: str, subtitle: str, *, width: int = WIDTH, height: int = HEIGHT
) -> dict[str, Any]:
    """The chart under its titles, as Vega-Lite."""
    chart = chart.properties(
        width=width,
        height=height,
        title=alt.TitleParams(title, subtitle=subtitle, anchor="start", frame="group", offset=14),
    )
    return {**chart.to_dict(validate=False), "config": _CONFIG, "background": None, "padding": 8}


_CONFIG: Mapping[str, Any] = {
    "aria": False,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "domainColor": INK,
        "tickColor": INK,
        "gridColor": FAINT,
    },
    "title": {
        "color": INK,
        "subtitleColor": INK,
        "fontSize": 15,
        "fontWeight": "bold",
        "subtitleFontSize": 12,
        "subtitlePadding": 5,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "orient": "right",
        "symbolStrokeWidth": 2,
    },
    "text": {"color": INK, "fontSize": 11},
    "rule": {"color": INK},
    "line": {"strokeWidth": 2.2, "strokeJoin": "round", "strokeCap": "round"},
    "point": {"filled": True, "size": 45, "opacity": 1},
    "bar": {"color": BLUE},
}
