"""`docs/images/queries/`: one picture for each query of the cookbook, drawn from its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import vl_convert

from local.docs.charts import copies as charts_copies
from local.docs.charts import effort as charts_effort
from local.docs.charts import places as charts_places
from local.docs.charts import volume as charts_volume
from local.docs.lake.queries_lake import TrainingLake, training_lake

_VEGA_LITE = "6.4"
_GRADIENT = re.compile(r"gradient_(\d+)")

PICTURES: Mapping[str, Callable[[TrainingLake], dict[str, Any]]] = {
    draw.__name__: draw
    for draw in (
        charts_effort.best_efforts_by_distance,
        charts_effort.best_efforts_by_duration,
        charts_volume.climbing,
        charts_copies.copy_outcomes,
        charts_copies.copy_reasons,
        charts_volume.eddington_number,
        charts_volume.freshness,
        charts_volume.gear_distance,
        charts_effort.grade_adjusted_pace,
        charts_volume.habits,
        charts_effort.heartrate_zones,
        charts_places.pauses,
        charts_places.route_heat_grid,
        charts_volume.weekly_volume,
        charts_volume.year_against_year,
    )
}
"""Each query's chart as Vega-Lite, by the query's name."""


def render(name: str) -> str:
    """The picture of the query of that name, as SVG. Errors: `LookupError` where no chart exists."""
    if name not in PICTURES:
        raise LookupError(
            f"No chart draws the query {name}: add a function of that name to a module of local/docs/charts, "
            "and list it in PICTURES of charts.py."
        )
    svg: str = vl_convert.vegalite_to_svg(PICTURES[name](training_lake()), vl_version=_VEGA_LITE)
    return f"{_numbered_from_0(svg)}\n"


def _numbered_from_0(svg: str) -> str:
    """The picture with gradients numbered from 0: the library counts them across all pictures of a process."""
    numbers: dict[str, int] = {}
    return _GRADIENT.sub(lambda found: f"gradient_{numbers.setdefault(found[1], len(numbers))}", svg)
