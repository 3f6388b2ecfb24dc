"""The lake's tables: every column with its type, unit and meaning.

The partition columns `athlete_id` (bigint) and `year` (int) are in each object's path, never in the file; `copies` has
`year` alone.
Every column is always present, null where Strava has no value; times are milliseconds in UTC where not said otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import pyarrow as pa

from include.strava.stream_types import BY_KEY, STREAM_TYPES, Kind

SCHEMA_VERSION = "1"
"""The schema's version, increased when a column is added or changes its meaning; in each object's file metadata.

After an increase every object has to be rewritten: writers do so only for objects that they change, but readers expect
the same columns in all objects.
"""

_INSTANT = pa.timestamp("ms", tz="UTC")
_WALL_CLOCK = pa.timestamp("ms")


NEVER = "never"

NULLS: Mapping[str, str] = {
    "streams": "where the activity has no such stream, the stream is shorter, or the sample does not fit the column",
    "activities": "where Strava's answer lacks it, or its value does not fit the column: then it is in `extra_json`",
    "laps": "where Strava's answer lacks it, or its value does not fit the column",
    "copies": NEVER,
    "freshness": NEVER,
}
"""When a column of a table is null, where the column itself says nothing else."""

GRAINS: Mapping[str, str] = {
    "streams": "one sample of an activity",
    "activities": "one activity",
    "laps": "one lap; only activities fetched in detail have any",
    "copies": "one parent's activity and one child into whose account it is to be copied",
    "freshness": "one month of one athlete that Strava's list has shown as a whole, as it last did",
}
"""What one row of each table is."""

TYPE_REASONS: Mapping[pa.DataType, str] = {
    pa.int64(): "ids, which pass 2^31 and may pass 2^53, where a floating number would blur them",
    pa.int32(): "whole numbers at Strava: counts, seconds, heart rate; half the bytes of bigint, and never text",
    pa.float32(): "sensor values with one decimal or two: single precision holds seven digits in half the bytes",
    pa.float64(): "positions, where single precision would be off by up to a metre, and totals, exactly as answered",
    pa.bool_(): "flags; null is neither",
    pa.string(): "open vocabularies verbatim, so that a new sport is no fault; ids that Strava writes as text",
    pa.list_(pa.string()): "few short names, never coordinates: those are rows of `streams`",
    _INSTANT: "milliseconds in UTC, the precision that Athena reads; never text, never local time",
    _WALL_CLOCK: "what a clock on the wall showed: without a zone, so that nobody converts it",
}
"""Why the columns of a type have it."""


_NO_POSITION = "without a position; Strava's [0, 0] is none"
_NO_DETAIL = "where Strava has none, or no detailed answer came"
_NO_FILE = "before a file was made"


def _column(name: str, kind: pa.DataType, description: str, unit: str = "", null: str = "") -> pa.Field:
    texts = {"description": description, "unit": unit, "null": null}
    return pa.field(name, kind, metadata={key: text for key, text in texts.items() if text})


def _table(*columns: pa.Field) -> pa.Schema:
    return pa.schema(columns, metadata={"schema_version": SCHEMA_VERSION})


_SAMPLE_TYPES: Mapping[Kind, pa.DataType] = {
    Kind.WHOLE: pa.int32(),
    Kind.SINGLE: pa.float32(),
    Kind.DOUBLE: pa.float64(),
    Kind.FLAG: pa.bool_(),
}


def _samples(key: str) -> Iterator[pa.Field]:
    """The columns of a stream type."""
    stream = BY_KEY[key]
    if stream.kind is Kind.POSITION:
        for column, angle in zip(stream.columns, ("latitude", "longitude"), strict=True):
            yield _column(column, pa.float64(), f"{stream.description} {angle}", stream.unit, null=_NO_POSITION)
        return
    for column in stream.columns:
        yield _column(column, _SAMPLE_TYPES[stream.kind], stream.description, stream.unit)


STREAMS = _table(
    _column("activity_id", pa.int64(), "the activity that the sample belongs to", null=NEVER),
    _column("point_index", pa.int32(), "position of the sample in the activity, from 0", null=NEVER),
    *_samples("time"),
    _column("ts", _INSTANT, "start plus time_s", null="where the athlete hides the start time, or time_s is null"),
    *(column for each in STREAM_TYPES if each.key != "time" for column in _samples(each.key)),
)
"""One row per sample, sorted by `(activity_id, point_index)`."""

ACTIVITIES = _table(
    _column("activity_id", pa.int64(), "Strava's id of the activity", null=NEVER),
    _column("external_id", pa.string(), "the uploader's id of the activity"),
    _column("upload_id", pa.int64(), "Strava's id of the upload", null="for manual activities"),
    _column("name", pa.string(), "title"),
    _column("description", pa.string(), "the athlete's text", null=_NO_DETAIL),
    _column("sport_type", pa.string(), "Strava's sport, verbatim; new ones may appear"),
    _column("type", pa.string(), "Strava's older and coarser sport"),
    _column("workout_type", pa.int32(), "Strava's code: race, long run, workout"),
    _column("start_ts_utc", _INSTANT, "start", null=NEVER),
    _column("start_ts_local", _WALL_CLOCK, "start as the wall clock showed it"),
    _column("utc_offset_s", pa.int32(), "wall clock minus UTC at the start", "s"),
    _column("timezone", pa.string(), "IANA name of the time zone"),
    _column("start_time_hidden", pa.bool_(), "the start time is hidden: clock times are fictitious", null=NEVER),
    _column("elapsed_s", pa.int32(), "from start to end", "s"),
    _column("moving_s", pa.int32(), "time in motion", "s"),
    _column("distance_m", pa.float64(), "distance", "m"),
    _column("total_elevation_gain_m", pa.float64(), "sum of all climbs", "m"),
    _column("elev_high_m", pa.float64(), "highest altitude", "m"),
    _column("elev_low_m", pa.float64(), "lowest altitude", "m"),
    _column("start_lat", pa.float64(), "WGS84 latitude of the start", "deg", null=_NO_POSITION),
    _column("start_lon", pa.float64(), "WGS84 longitude of the start", "deg", null=_NO_POSITION),
    _column("end_lat", pa.float64(), "WGS84 latitude of the end", "deg", null=_NO_POSITION),
    _column("end_lon", pa.float64(), "WGS84 longitude of the end", "deg", null=_NO_POSITION),
    _column("summary_polyline", pa.string(), "simplified track in Google's polyline encoding", null=_NO_POSITION),
    _column("average_speed_mps", pa.float64(), "mean speed in motion", "m/s"),
    _column("max_speed_mps", pa.float64(), "highest speed", "m/s"),
    _column("has_heartrate", pa.bool_(), "whether a heart rate was recorded"),
    _column("average_heartrate_bpm", pa.float64(), "mean heart rate", "1/min"),
    _column("max_heartrate_bpm", pa.float64(), "highest heart rate", "1/min"),
    _column("average_cadence_rpm", pa.float64(), "mean cadence; of one leg for runs, walks and hikes", "1/min"),
    _column("average_temp_c", pa.float64(), "mean air temperature at the device", "degC"),
    _column("average_watts", pa.float64(), "mean power", "W"),
    _column("max_watts", pa.float64(), "highest power", "W"),
    _column("weighted_average_watts", pa.float64(), "mean power weighted by effort", "W"),
    _column("device_watts", pa.bool_(), "power from a meter; false where Strava estimates it"),
    _column("kilojoules", pa.float64(), "work", "kJ"),
    _column("calories_kcal", pa.float64(), "energy burnt", "kcal", null=_NO_DETAIL),
    _column("suffer_score", pa.float64(), "Strava's relative effort"),
    _column("trainer", pa.bool_(), "on a trainer; no proxy for missing positions"),
    _column("commute", pa.bool_(), "marked as a commute"),
    _column("manual", pa.bool_(), "typed in by hand: no streams"),
    _column("private", pa.bool_(), "visible to the athlete alone"),
    _column("visibility", pa.string(), "everyone, followers_only or only_me"),
    _column("flagged", pa.bool_(), "flagged by other athletes"),
    _column("hide_from_home", pa.bool_(), "muted in feeds", null=_NO_DETAIL),
    _column("from_accepted_tag", pa.bool_(), "came from another athlete's recording"),
    _column("gear_id", pa.string(), "Strava's id of the bike or shoes"),
    _column("device_name", pa.string(), "recording device", null=_NO_DETAIL),
    _column("kudos_count", pa.int32(), "kudos"),
    _column("comment_count", pa.int32(), "comments"),
    _column("photo_count", pa.int32(), "photos, those from Instagram only"),
    _column("total_photo_count", pa.int32(), "photos of all sources"),
    _column("achievement_count", pa.int32(), "achievements"),
    _column("pr_count", pa.int32(), "personal records"),
    _column("athlete_count", pa.int32(), "athletes who took part"),
    _column("point_count", pa.int32(), "rows in streams; 0 where Strava has no streams", null=NEVER),
    _column("stream_types", pa.list_(pa.string()), "the stream types that Strava has, sorted", null=NEVER),
    _column("is_copy", pa.bool_(), "made by this system from a parent's activity", null=NEVER),
    _column("parent_activity_id", pa.int64(), "the activity that a copy was made from", null="for others"),
    _column("has_detail", pa.bool_(), "whether the detailed answer, which has all, ever came", null=NEVER),
    _column(
        "extra_json", pa.string(), "a JSON object of what fits no column", null="where every field found its column"
    ),
    _column("source", pa.string(), "what brought the content: webhook, backfill, reconcile, archive", null=NEVER),
    _column("updated_at", _INSTANT, "when the present content came", null=NEVER),
)
"""One row per activity, sorted by `activity_id`."""

LAPS = _table(
    _column("activity_id", pa.int64(), "the activity that the lap belongs to", null=NEVER),
    _column("lap_id", pa.int64(), "Strava's id of the lap"),
    _column("lap_index", pa.int32(), "position of the lap in the activity, from 1", null=NEVER),
    _column("name", pa.string(), "title of the lap"),
    _column("start_ts_utc", _INSTANT, "start"),
    _column("start_point_index", pa.int32(), "first sample of the lap in streams"),
    _column("end_point_index", pa.int32(), "last sample of the lap in streams"),
    _column("elapsed_s", pa.int32(), "from start to end", "s"),
    _column("moving_s", pa.int32(), "time in motion", "s"),
    _column("distance_m", pa.float64(), "distance", "m"),
    _column("total_elevation_gain_m", pa.float64(), "sum of all climbs", "m"),
    _column("average_speed_mps", pa.float64(), "mean speed in motion", "m/s"),
    _column("max_speed_mps", pa.float64(), "highest speed", "m/s"),
    _column("average_heartrate_bpm", pa.float64(), "mean heart rate", "1/min"),
    _column("max_heartrate_bpm", pa.float64(), "highest heart rate", "1/min"),
    _column("average_cadence_rpm", pa.float64(), "mean cadence; of one leg for runs, walks and hikes", "1/min"),
    _column("average_watts", pa.float64(), "mean power", "W"),
    _column("device_watts", pa.bool_(), "power from a meter; false where Strava estimates it"),
    _column("pace_zone", pa.int32(), "Strava's pace zone"),
)
"""One row per lap, sorted by `(activity_id, lap_index)`; only activities fetched in detail have any."""

COPIES = _table(
    _column("parent_activity_id", pa.int64(), "the parent's activity that is copied"),
    _column("child_id", pa.int64(), "the athlete into whose account it is copied"),
    _column("parent_id", pa.int64(), "the athlete who did the activity"),
    _column(
        "activity_start_ts",
        _INSTANT,
        "start of the activity as planned; decides year",
        null="in older rows: planned_at decides",
    ),
    _column(
        "state",
        pa.string(),
        "planned, uploading, processing, waiting_for_access, done, duplicate, failed, skipped or unfinished",
    ),
    _column(
        "reason", pa.string(), "why it failed, was skipped or waits, in the athlete's words", null="where all is well"
    ),
    _column("original", pa.string(), "what became of the parent's activity since: named, renamed or deleted"),
    _column("child_activity_id", pa.int64(), "the copy in the child's account", null="until Strava names it"),
    _column("external_id", pa.string(), "the name under which it was uploaded"),
    _column("upload_id", pa.int64(), "Strava's id of the upload", null="before the first upload"),
    _column("attempts", pa.int32(), "uploads begun"),
    _column("file_format", pa.string(), "gpx, or tcx for an activity without positions", null=_NO_FILE),
    _column("points", pa.int32(), "points in the file", null=_NO_FILE),
    _column("carried", pa.list_(pa.string()), "what the file may carry: heartrate, power, temperature", null=_NO_FILE),
    _column("trim_m", pa.int32(), "radius hidden around both ends of the track", "m", null=_NO_FILE),
    _column("planned_at", _INSTANT, "when the title was first seen to name the child"),
    _column("updated_at", _INSTANT, "when the copy last came further, or was found not to"),
    _column("next_try_at", _INSTANT, "when it goes on", null="once it is over"),
)
"""One row per parent's activity and child, sorted by both ids; holds no name and no title."""

FRESHNESS = _table(
    _column("month", pa.int32(), "the month of the activities' starts in UTC, 1 to 12"),
    _column("listed_count", pa.int32(), "activities that Strava's list shows; 0 where it shows none any more"),
    _column("held_count", pa.int32(), "activities of which the lake holds rows then, listed or not"),
    _column("compared_at", _INSTANT, "when the list was asked for; of a month on two of its pages, the first of them"),
)
"""One row per month, sorted by it; a month that no list has shown as a whole has none."""

TABLES: Mapping[str, pa.Schema] = {
    "streams": STREAMS,
    "activities": ACTIVITIES,
    "laps": LAPS,
    "copies": COPIES,
    "freshness": FRESHNESS,
}
"""Every lake table by name."""

SORT_KEYS: Mapping[str, tuple[str, ...]] = {
    "streams": ("activity_id", "point_index"),
    "activities": ("activity_id",),
    "laps": ("activity_id", "lap_index"),
    "copies": ("parent_activity_id", "child_id"),
    "freshness": ("month",),
}
"""The order of the rows inside each object of a table."""

PARTITION_KEYS: Mapping[str, Mapping[str, pa.DataType]] = {
    table: {"year": pa.int32()} if table == "copies" else {"athlete_id": pa.int64(), "year": pa.int32()}
    for table in TABLES
}
"""The partition columns of each table: they are in the object's path, in this order, and not in the file."""


def schema_digest() -> str:
    """A hash of every table's columns and partition keys, with their types; it changes when one of them does."""
    columns = [(table, column.name, str(column.type)) for table, schema in TABLES.items() for column in schema]
    keys = [(table, name, str(kind)) for table, kinds in PARTITION_KEYS.items() for name, kind in kinds.items()]
    return hashlib.sha256(repr((columns, keys)).encode()).hexdigest()
