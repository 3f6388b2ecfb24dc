"""Every row at a tiny size: it runs, and its numbers are possible ones. What they should be, `make bench` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.proofs.bench.rows import ROWS
from local.proofs.bench.scale import Scale

TINY = Scale(
    rounds=1,
    ride_points=600,
    gpx_points=600,
    hour_points=300,
    month_activities=3,
    year_months=2,
    raw_athletes=2,
    events=20,
    followed=1,
    backfilled=4,
)
CLAIMS = {
    "backfill_calls": {"backfill_calls"},
    "webhook_warm": {"webhook_warm"},
    "webhook_cold": {"webhook_cold", "webhook_cold.post"},
    "own_page": {"own_page"},
    "parquet_write": {"parquet_write"},
    "gpx_write": {"gpx_write", "gpx_write.memory"},
    "lake_bytes": {"lake_bytes", "lake_bytes.all"},
    "month_rewrite": {"month_rewrite", "month_rewrite.memory"},
    "raw_to_lake": {"raw_to_lake", "raw_to_lake.memory"},
    "query_lake": {"query_lake", "query_lake.points"},
}


OF_A_RUNNING_SYSTEM = {"event_to_lake", "event_to_sql"}
"""What they read and reckon is tried without one in `test_journey.py`."""


def test_every_row_that_needs_no_running_system_is_tried_here() -> None:
    assert set(CLAIMS) == set(ROWS) - OF_A_RUNNING_SYSTEM


@pytest.mark.network
@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in CLAIMS])
def test_row_measures_possible_numbers_when_tiny(name: str, tmp_path: Path) -> None:
    claims = ROWS[name](TINY, tmp_path)

    assert {claim.row for claim in claims} == CLAIMS[name]
    for claim in claims:
        assert 0 < claim.ours < 1e6
        assert claim.figure == claim.ours or claim.rival is not None
        assert claim.spread >= 0


@pytest.mark.network
def test_backfill_counts_two_pages_and_one_call_for_each_activity(tmp_path: Path) -> None:
    (claim,) = ROWS["backfill_calls"](TINY, tmp_path)

    assert claim.ours == (4 + 2) / 4
    assert not claim.holds
