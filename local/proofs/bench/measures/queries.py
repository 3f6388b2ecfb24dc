"""The row about analysts' queries."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from include.lake.backend import open_objects
from include.lake.catalog.views import view_definitions
from include.lake.lake import Lake
from include.lake.objects.objects import Condition
from include.lake.table_object import encode
from local.proofs.bench.claim import Claim
from local.proofs.bench.recordings import ATHLETE_ID, month_of, unguarded
from local.proofs.bench.scale import Scale
from local.proofs.bench.timing import interleaved

_YEAR = """
    SELECT count(*), avg(heartrate_bpm), max(watts), sum(altitude_m) FROM streams
    WHERE athlete_id = {athlete_id} AND year = 2025
"""
_POINTS = """
    SELECT * FROM streams WHERE athlete_id = {athlete_id} AND year = 2025 AND activity_id = {activity_id}
    ORDER BY point_index
"""
_FAMILY = 3
"""Athletes whose year the lake holds; a query of one reads nothing of the others."""


def query_lake(scale: Scale, directory: Path) -> Sequence[Claim]:
    """A scan of an athlete's year, and one activity's points, in a family's lake, against one file per activity.

    Both lie under the same partitions, which the queries name, are encoded alike, and are asked through the same views.
    """
    activity_id = _fill(scale, directory / "lake", directory / "rival")
    with _opened(directory / "lake") as lake, _opened(directory / "rival") as rival:

        def compared(statement: str) -> tuple[list[float], list[float]]:
            if _answer(lake, statement).num_rows != _answer(rival, statement).num_rows:
                raise AssertionError(f"the two layouts answer {statement!r} differently; the comparison is void")
            return interleaved(lambda: _answer(lake, statement), lambda: _answer(rival, statement), 2 * scale.rounds)

        scan = compared(_YEAR.format(athlete_id=ATHLETE_ID))
        points = compared(_POINTS.format(athlete_id=activity_id // 1_000_000, activity_id=activity_id))
    return [
        Claim.times_better("query_lake", "ms CPU", *scan, at_least=3),
        Claim.times_better("query_lake.points", "ms CPU", *points, at_least=5),
    ]


def _fill(scale: Scale, lake_root: Path, rival_root: Path) -> int:
    """Write the family's year in both layouts; gives one activity from the middle of it."""
    lake, rival = Lake(open_objects(lake_root.as_uri())), open_objects(rival_root.as_uri())
    activity_ids: list[int] = []
    family = range(ATHLETE_ID, ATHLETE_ID + _FAMILY)
    for athlete_id, month in itertools.product(family, range(1, scale.year_months + 1)):
        rows = [each.rows for each in month_of(athlete_id, month, scale.month_activities, scale.hour_points)]
        lake.write(rows, guard=unguarded)
        for activity in rows:
            key = f"streams/athlete_id={athlete_id}/year=2025/{activity.activity_id}.parquet"
            rival.put(key, encode(activity.streams), expected=Condition.ANYTHING)
            activity_ids.append(activity.activity_id)
    return activity_ids[len(activity_ids) // 2]


def _opened(root: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for table, select in view_definitions(root):
        connection.execute(f"CREATE VIEW {table} AS {select}")
    return connection


def _answer(connection: duckdb.DuckDBPyConnection, statement: str) -> pa.Table:
    return connection.execute(statement).to_arrow_table()
