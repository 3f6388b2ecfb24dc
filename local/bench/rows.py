"""Every row of the bench, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.bench.backfill import backfill_calls
from local.bench.claim import Claim
from local.bench.files import gpx_write, lake_bytes, parquet_write
from local.bench.month import month_rewrite
from local.bench.queries import query_lake
from local.bench.raw import raw_to_lake
from local.bench.scale import Scale
from local.bench.webhook import webhook_cold, webhook_warm

Row = Callable[[Scale, Path], Sequence[Claim]]
"""Measures at a scale, in an empty directory of its own that is deleted afterwards."""

ROWS: Mapping[str, Row] = {
    "backfill_calls": backfill_calls,
    "webhook_warm": webhook_warm,
    "webhook_cold": webhook_cold,
    "parquet_write": parquet_write,
    "gpx_write": gpx_write,
    "lake_bytes": lake_bytes,
    "month_rewrite": month_rewrite,
    "raw_to_lake": raw_to_lake,
    "query_lake": query_lake,
}
