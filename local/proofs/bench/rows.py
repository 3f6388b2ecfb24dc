"""Every row of the bench, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.proofs.bench.claim import Claim
from local.proofs.bench.measures.backfill import backfill_calls
from local.proofs.bench.measures.events import event_to_lake, event_to_sql
from local.proofs.bench.measures.files import gpx_write, lake_bytes, parquet_write
from local.proofs.bench.measures.month import month_rewrite
from local.proofs.bench.measures.own_page import own_page
from local.proofs.bench.measures.queries import query_lake
from local.proofs.bench.measures.raw import raw_to_lake
from local.proofs.bench.measures.webhook import webhook_cold, webhook_warm
from local.proofs.bench.scale import Scale

Row = Callable[[Scale, Path], Sequence[Claim]]
"""Measures at a scale, in an empty directory of its own that is deleted afterwards."""

ROWS: Mapping[str, Row] = {
    "event_to_lake": event_to_lake,
    "event_to_sql": event_to_sql,
    "backfill_calls": backfill_calls,
    "webhook_warm": webhook_warm,
    "webhook_cold": webhook_cold,
    "own_page": own_page,
    "parquet_write": parquet_write,
    "gpx_write": gpx_write,
    "lake_bytes": lake_bytes,
    "month_rewrite": month_rewrite,
    "raw_to_lake": raw_to_lake,
    "query_lake": query_lake,
}
