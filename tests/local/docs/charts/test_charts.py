"""The pictures of the cookbook: one for each query, readable on both of GitHub's pages."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from include.lake import cookbook
from local.docs.charts import style as charts_style
from local.docs.charts.charts import PICTURES, render
from local.docs.lake.queries_lake import training_lake
from local.docs.pages import page_path

WHITE, DARK = "#ffffff", "#0d1117"


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def axes(part: Any) -> list[Any]:
    """Every x and y of a chart, its layers' included."""
    if isinstance(part, list):
        return [found for one in part for found in axes(one)]
    if not isinstance(part, dict):
        return []
    own = [part["encoding"][name] for name in ("x", "y") if name in part.get("encoding", {})]
    return own + axes(part.get("layer", []))


def test_every_query_has_its_picture() -> None:
    assert list(PICTURES) == cookbook.names(), "list a chart for each query, in their order, in charts.py"
    page = page_path("queries").read_text()
    shown = re.findall(r"\]\(images/queries/(\w+)\.svg\)", page)
    assert shown == cookbook.names(), "run `make docs ARGS=queries` and commit what it writes"


@pytest.mark.parametrize("page", [pytest.param(WHITE, id="white"), pytest.param(DARK, id="dark")])
def test_text_and_marks_stand_out_on_the_page(page: str) -> None:
    assert contrast(charts_style.INK, page) > 4
    marks = (charts_style.BLUE, charts_style.ORANGE, charts_style.GREEN, charts_style.PURPLE, charts_style.RED)
    assert [colour for colour in (*marks, *charts_style.HEAT) if contrast(colour, page) < 2.2] == []


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in PICTURES])
def test_picture_is_whole_and_says_what_its_axes_count(name: str) -> None:
    path = page_path(f"images/queries/{name}")
    assert path.is_file(), f"run `make docs ARGS=images/queries/{name}` and commit what it writes"
    svg = path.read_text()
    spec = PICTURES[name](training_lake())

    assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314 - made by this project
    assert set(re.findall(r'font-family="([^"]+)"', svg)) == {"Liberation Sans, Arial, Helvetica, sans-serif"}
    assert len(svg) < 100_000
    assert spec["title"]["text"]
    assert spec["title"]["subtitle"].endswith(".")
    titles = {axis.get("title") or (axis.get("axis") or {}).get("title") for axis in axes(spec)} - {None}
    assert titles, "give at least one axis a title that says what it counts, as in `distance (km)` or `days`"
    counted = r"\(.+\)|days|copies|hour of|child"
    assert [title for title in titles if not re.search(counted, title)] == [], f"say what it counts: {counted}"


def test_picture_is_the_same_whatever_was_drawn_before() -> None:
    first = render("route_heat_grid")

    assert "gradient_0" in first
    assert render("route_heat_grid") == first


def test_query_without_a_chart_says_where_to_add_one() -> None:
    with pytest.raises(LookupError, match=r"add a function of that name .* PICTURES"):
        render("no_such_query")
