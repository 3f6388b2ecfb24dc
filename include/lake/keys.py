"""The key of every object in the lake, one function per kind of object."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from include.errors import BadKey
from include.state.partitions import Partition

_TABLE_KEY = re.compile(
    r"(?P<table>streams|activities|laps|freshness)/athlete_id=(?P<athlete_id>\d+)/year=(?P<year>\d{1,4})/"
    r"(?P<object>\d{4}-\d{2}|activities|laps|freshness)\.parquet"
)
_COPIES_KEY = re.compile(r"copies/year=(?P<year>\d{1,4})/(?P<parent_id>\d+)\.parquet")
_SEGMENT = re.compile(r"[A-Za-z0-9_=+-][A-Za-z0-9_=+.-]*")


def streams_key(athlete_id: int, start_at: datetime) -> str:
    """The `streams` object of the athlete and of the month (UTC) in which the activity starts."""
    utc = start_at.astimezone(UTC)
    return f"streams/athlete_id={athlete_id}/year={utc.year}/{utc.year:04d}-{utc.month:02d}.parquet"


def activities_key(athlete_id: int, start_at: datetime) -> str:
    """The `activities` object of the athlete and of the year (UTC) in which the activity starts."""
    return f"activities/athlete_id={athlete_id}/year={start_at.astimezone(UTC).year}/activities.parquet"


def laps_key(athlete_id: int, start_at: datetime) -> str:
    """The `laps` object of the athlete and of the year (UTC) in which the activity starts."""
    return f"laps/athlete_id={athlete_id}/year={start_at.astimezone(UTC).year}/laps.parquet"


def freshness_key(athlete_id: int, year: int) -> str:
    """The `freshness` object of the athlete and the year."""
    return f"{freshness_prefix(athlete_id)}year={year}/freshness.parquet"


def freshness_prefix(athlete_id: int) -> str:
    """The prefix of the keys of an athlete's `freshness` objects."""
    return f"freshness/athlete_id={athlete_id}/"


def copies_key(parent_id: int, start_at: datetime) -> str:
    """The `copies` object of the parent and of the year (UTC) in which the copied activity starts.

    Each parent has its own, so that writers for different parents never conflict.
    """
    return f"copies/year={start_at.astimezone(UTC).year}/{parent_id}.parquet"


def parent_of_copies(key: str) -> int:
    """The parent whose copies an object of `copies` holds. Errors: `BadKey` for any other object."""
    match = _COPIES_KEY.fullmatch(key)
    if match is None:
        raise BadKey(f"{key!r} is not an object of `copies`; expected for example {copies_key(1, datetime.now(UTC))!r}")
    return int(match["parent_id"])


def raw_detail_key(athlete_id: int, activity_id: int) -> str:
    """Strava's answer about the activity itself, detail or summary."""
    return f"raw/athlete_id={athlete_id}/{activity_id}.detail.json.gz"


def raw_odd_key(athlete_id: int, activity_id: int) -> str:
    """The last unreadable answer about an activity."""
    return f"raw/athlete_id={athlete_id}/{activity_id}.odd.json.gz"


def raw_streams_key(athlete_id: int, activity_id: int) -> str:
    """Strava's answer with the activity's streams."""
    return f"raw/athlete_id={athlete_id}/{activity_id}.streams.json.gz"


def gpx_key(parent_id: int, activity_id: int, child_id: int) -> str:
    """The GPX file of a parent's activity that was made for one child."""
    return f"{gpx_prefix(parent_id, activity_id)}{child_id}.gpx.gz"


def tcx_key(parent_id: int, activity_id: int, child_id: int) -> str:
    """The TCX file that is made instead of a GPX file where an activity has no positions."""
    return f"{gpx_prefix(parent_id, activity_id)}{child_id}.tcx.gz"


def gpx_prefix(parent_id: int, activity_id: int) -> str:
    """The prefix of the keys of all upload files of one parent's activity."""
    return f"gpx/athlete_id={parent_id}/{activity_id}-"


def athlete_prefixes(athlete_id: int) -> tuple[str, ...]:
    """The prefixes of the keys of one athlete's objects, to be listed for an erasure or an audit.

    They do not cover rows of `copies`, since children's rows are in their parents' objects: those are removed by
    `include.lake.rows.copies.CopyRows.remove_athlete`.
    """
    kinds = ("streams", "activities", "laps", "freshness", "raw", "gpx")
    return tuple(f"{kind}/athlete_id={athlete_id}/" for kind in kinds)


def partition_of(key: str) -> Partition:
    """The partition of a table object.

    Errors: `BadKey` for anything but an object of a table.
    """
    of_copies = _COPIES_KEY.fullmatch(key)
    if of_copies is not None:
        return Partition(table="copies", athlete_id=None, year=int(of_copies["year"]))
    match = _TABLE_KEY.fullmatch(key)
    if match is None or not _named_for(match["table"], int(match["year"]), match["object"]):
        raise BadKey(
            f"{key!r} is not an object of a lake table; expected for example {laps_key(1, datetime.now(UTC))!r}"
        )
    return Partition(table=match["table"], athlete_id=int(match["athlete_id"]), year=int(match["year"]))


def partition_prefix(partition: Partition) -> str:
    """The prefix of the keys of the partition's objects."""
    owner = "" if partition.athlete_id is None else f"athlete_id={partition.athlete_id}/"
    return f"{partition.table}/{owner}year={partition.year}/"


def check_key(key: str) -> str:
    """The key itself, if it is safe as a relative path and as an S3 key.

    Errors: `BadKey` for empty, absolute, hidden or `..` segments, and for characters with a meaning in paths or URLs.
    """
    if not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise BadKey(
            f"{key!r} is not an object key: use plain segments joined by '/', none empty, none starting with a dot"
        )
    return key


def _named_for(table: str, year: int, name: str) -> bool:
    if table == "streams":
        return name[:4] == f"{year:04d}" and "01" <= name[5:] <= "12"
    return name == table
