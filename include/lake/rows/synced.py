"""The lake rows of one activity: what a sync writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from include.errors import UnexpectedShape
from include.lake import keys
from include.lake.rows.activities import Provenance, activity_table
from include.lake.rows.laps import laps_table
from include.lake.rows.streams import streams_table
from include.state.copies.ledger import parent_activity_of
from include.strava.models import Activity, StreamSet
from include.strava.start_time import start_time_hidden


@dataclass(frozen=True, slots=True)
class ActivityRows:
    """One activity as rows of the three tables, each with the fixed schema of `include.lake.schemas`."""

    athlete_id: int
    activity_id: int
    start_at: datetime
    """Aware, in UTC; decides month and year."""
    activity: pa.Table = field(repr=False)
    """Exactly one row."""
    streams: pa.Table = field(repr=False)
    """No rows where Strava has no streams."""
    laps: pa.Table | None = field(repr=False)
    """None for a summary, which says nothing about laps: the laps in the lake stay."""

    def tables(self) -> Iterator[tuple[str, pa.Table]]:
        """Each table's object key with the rows to write; `laps` only where they are known."""
        yield keys.streams_key(self.athlete_id, self.start_at), self.streams
        if self.laps is not None:
            yield keys.laps_key(self.athlete_id, self.start_at), self.laps
        yield keys.activities_key(self.athlete_id, self.start_at), self.activity

    @property
    def object_keys(self) -> tuple[str, ...]:
        """The table objects that a write may change: note them before the write, so that no crash loses a row."""
        return tuple(key for key, _ in self.tables())


def build_rows(
    activity: Activity,
    streams: StreamSet | None,
    *,
    made: Mapping[int, int],
    source: str,
    updated_at_epoch_s: float,
) -> ActivityRows:
    """The activity's rows; `streams` is None where Strava has none.

    `made` holds the copies in the athlete's account by the ledger, each with its original activity; an activity whose
    external id is a copy's counts as a copy too.
    A value that does not fit its column becomes null and is stored unchanged: in `extra_json` for the activity itself,
    in the raw zone for streams and laps.

    Errors: `UnexpectedShape` that names the missing or invalid required field; quarantine the activity.
    """
    athlete_id = _identifier(activity.athlete_id, "athlete.id", activity)
    activity_id = _identifier(activity.activity_id, "id", activity)
    try:
        start_at = activity.start_at.astimezone(UTC)
    except OverflowError as err:
        raise UnexpectedShape(f"activity {activity_id}: start_date is outside the years 1 to 9999 in UTC") from err
    points = streams_table(activity_id, streams, None if start_time_hidden(activity) else start_at)
    parent_activity_id = made.get(activity_id) or parent_activity_of(activity.external_id or "")
    provenance = Provenance(source, updated_at_epoch_s, parent_activity_id)
    row = activity_table(activity, streams, point_count=points.num_rows, provenance=provenance)
    laps = laps_table(activity) if activity.is_detail else None
    return ActivityRows(athlete_id, activity_id, start_at, activity=row, streams=points, laps=laps)


def _identifier(value: int, name: str, activity: Activity) -> int:
    if not 0 < value < 2**63:
        raise UnexpectedShape(f"activity {activity.activity_id}: {name!r} is {value}, not a positive 64-bit integer")
    return value
