"""What a month costs, reckoned from counts."""

from __future__ import annotations

import ast
import json
from itertools import pairwise
from pathlib import Path

import pytest

from local.docs import cost
from local.docs.cost import SIZES, Size, counted, month

ROOT = Path(__file__).parents[3]
SCALE = json.loads((ROOT / "docs/scale.json").read_text())


def test_month_of_events_asks_for_what_the_proof_counted_of_one() -> None:
    few, many = counted(100), counted(1000)

    assert few.events == pytest.approx(100 * 2 * 730 / 24)
    events = many.events * (SCALE["1000"]["event"]["rows written"] + SCALE["1000"]["catalogue"]["rows written"])
    assert many.rows_written == pytest.approx(events + 4 * 730 * SCALE["1000"]["reconcile"]["rows written"])


def test_small_installation_counts_as_the_smallest_that_was_counted() -> None:
    assert counted(4).rows_read > 4 * 730 * SCALE["10"]["reconcile"]["rows read"]


def test_more_athletes_than_anybody_counted_are_refused() -> None:
    with pytest.raises(ValueError, match="20000 athletes"):
        counted(20_000)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_more_athletes_never_cost_less(environment) -> None:
    months = [month(Size(environment, athletes)) for athletes in (4, 10, 100, 1000, 10_000)]

    for before, after in pairwise(months):
        assert before.keys() == after.keys()
        assert all(after[part] >= before[part] for part in before)


def test_page_has_a_column_for_each_size_and_their_sums() -> None:
    page = cost.render()

    assert [size.athletes for size in SIZES] == [4, 4, 100, 1000]
    for size in SIZES:
        assert f"**{sum(month(size).values()):,.0f}**" in page


def test_metrics_of_the_functions_are_those_that_are_paid_for() -> None:
    names: set[str] = set()
    for path in (ROOT / "webhook_api").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "metrics" and isinstance(value, ast.Dict):
                        names |= {name.value for name in value.keys if isinstance(name, ast.Constant)}

    assert len(names) == cost.OWN_METRICS
