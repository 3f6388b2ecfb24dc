"""Charts of the outcomes of copies."""

from __future__ import annotations

from typing import Any

import altair as alt

from local.docs.charts.style import BLUE, GREEN, INK, ORANGE, RED, colours, data, sized
from local.docs.lake.queries_lake import TrainingLake

_STATES = ("done", "duplicate", "skipped", "failed")
_COLOURS = (GREEN, BLUE, ORANGE, RED)
_STATE = alt.Color("state:N", title=None, scale=colours(_STATES, _COLOURS))


def copy_outcomes(lake: TrainingLake) -> dict[str, Any]:
    """One bar for each child."""
    rows = [{**row, "rank": _STATES.index(row["state"])} for row in lake.ask("copy_outcomes").to_pylist()]
    bars = (
        alt.Chart(data(rows))
        .mark_bar(height=26)
        .encode(
            x=alt.X("copies:Q", title="copies", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("child_id:N", title="child", axis=alt.Axis(ticks=False)),
            color=_STATE,
            order="rank:Q",
        )
    )
    return sized(bars, "Outcomes of copies", "How the copies to each child ended.", height=90)


def copy_reasons(lake: TrainingLake) -> dict[str, Any]:
    """One bar for each reason."""
    rows = lake.ask("copy_reasons").to_pylist()
    chart = alt.Chart(data(rows)).encode(
        y=alt.Y(
            "reason:N", title=None, sort=[row["reason"] for row in rows], axis=alt.Axis(ticks=False, labelLimit=320)
        )
    )
    bars = chart.mark_bar(height=18).encode(
        x=alt.X("copies:Q", title="copies", scale=alt.Scale(domainMax=rows[0]["copies"] + 1)),
        color=alt.Color("state:N", title=None, scale=colours(_STATES[2:], _COLOURS[2:])),
    )
    labels = chart.mark_text(align="left", dx=5, color=INK).encode(x="copies:Q", text="copies:Q")
    subtitle = "Why copies did not reach a child, in the words that the athlete reads."
    return sized(bars + labels, "Reasons", subtitle, width=360, height=100)
