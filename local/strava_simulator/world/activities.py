"""The activities of athletes, as Strava stores and returns them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.strava_simulator.world.activity import SimulatedActivity
from local.strava_simulator.world.events import Subject
from local.strava_simulator.world.privacy import cropped, with_start_as_shown, zone_of

_FIRST_ACTIVITY_ID = 18_106_000_001
STREAM_KEYS = (
    "time", "latlng", "distance", "altitude", "velocity_smooth", "heartrate", "cadence", "watts", "temp", "moving",
    "grade_smooth",
)  # fmt: skip
_LISTED = frozenset((
    "achievement_count", "athlete", "athlete_count", "average_cadence", "average_heartrate", "average_speed",
    "average_temp", "average_watts", "comment_count", "commute", "device_watts", "display_hide_heartrate_option",
    "distance", "elapsed_time", "elev_high", "elev_low", "end_latlng", "external_id", "flagged", "from_accepted_tag",
    "gear_id", "has_heartrate", "has_kudoed", "heartrate_opt_out", "id", "kilojoules", "kudos_count", "location_city",
    "location_country", "location_state", "manual", "max_heartrate", "max_speed", "max_watts", "moving_time", "name",
    "photo_count", "pr_count", "private", "sport_type", "start_date", "start_date_local", "start_latlng",
    "suffer_score", "timezone", "total_elevation_gain", "total_photo_count", "trainer", "type", "upload_id",
    "upload_id_str", "utc_offset", "visibility", "weighted_average_watts", "workout_type",
))  # fmt: skip
"""The keys of a detail that are also in lists, as recorded in October 2025."""


class ActivityExists(Exception):
    """The activity's id is taken."""


class UnknownActivity(Exception):
    """There is no such activity."""


@dataclass(frozen=True, slots=True)
class StoredActivity:
    """An activity in the simulator's state, deleted or not."""

    activity_id: int
    athlete_id: int
    only_me: bool
    has_streams: bool
    deleted: bool
    detail: Mapping[str, Any]

    @property
    def subject(self) -> Subject:
        """The activity's data for an event about it."""
        return Subject(self.activity_id, self.athlete_id, self.only_me)


@dataclass(frozen=True, slots=True)
class Page:
    """The requested part of an athlete's list; `after` and `before` are exclusive, in seconds since 1970."""

    number: int = 1
    per_page: int = 30
    before_epoch_s: int | None = None
    after_epoch_s: int | None = None


def is_only_me(detail: Mapping[str, Any]) -> bool:
    """Whether only its athlete sees the activity; old recordings have only `private`."""
    visibility: str = detail.get("visibility", "only_me" if detail.get("private") else "everyone")
    return visibility == "only_me"


def start_epoch_s(detail: Mapping[str, Any]) -> int:
    """When the activity began, in seconds since 1970."""
    return int(datetime.fromisoformat(detail["start_date"]).timestamp())


def next_id(db: sqlite3.Connection) -> int:
    """An id that no activity has ever had."""
    last = db.execute("SELECT MAX(activity_id) AS last FROM activities").fetchone()["last"]
    return max(_FIRST_ACTIVITY_ID, (last or 0) + 1)


def add(db: sqlite3.Connection, activity: SimulatedActivity, *, fresh: bool) -> StoredActivity:
    """Store a new activity. A `fresh` one may not be available yet when it is fetched.

    Errors: ActivityExists when the id is taken, also by a deleted activity.
    """
    detail = activity.detail
    try:
        db.execute(
            "INSERT INTO activities (activity_id, athlete_id, start_epoch_s, only_me, detail, has_streams, fresh)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                activity.activity_id,
                activity.athlete_id,
                start_epoch_s(detail),
                is_only_me(detail),
                json.dumps(detail),
                activity.streams is not None,
                fresh,
            ),
        )
    except sqlite3.IntegrityError as err:
        raise ActivityExists(f"activity {activity.activity_id} exists already, or existed") from err
    _keep_streams(db, activity)
    return find(db, activity.activity_id)


def replace(db: sqlite3.Connection, activity: SimulatedActivity) -> StoredActivity:
    """Replace the stored activity with this id.

    Errors: UnknownActivity.
    """
    kept = find(db, activity.activity_id)
    detail = activity.detail
    db.execute(
        "UPDATE activities SET start_epoch_s = ?, only_me = ?, detail = ?, has_streams = ? WHERE activity_id = ?",
        (
            start_epoch_s(detail),
            is_only_me(detail),
            json.dumps(detail),
            activity.streams is not None,
            kept.activity_id,
        ),
    )
    db.execute("DELETE FROM streams WHERE activity_id = ?", (kept.activity_id,))
    _keep_streams(db, activity)
    return find(db, activity.activity_id)


def delete(db: sqlite3.Connection, activity_id: int, *, now_epoch_s: float) -> None:
    """Hide the activity from every reader; its id stays taken."""
    db.execute("UPDATE activities SET deleted_at = ? WHERE activity_id = ?", (now_epoch_s, activity_id))


def find(db: sqlite3.Connection, activity_id: int) -> StoredActivity:
    """The activity with this id, deleted or not.

    Errors: UnknownActivity.
    """
    row = db.execute("SELECT * FROM activities WHERE activity_id = ?", (activity_id,)).fetchone()
    if row is None:
        raise UnknownActivity(f"there is no activity {activity_id}")
    return _stored(row)


def listed(db: sqlite3.Connection, athlete_id: int, page: Page, *, only_me_too: bool) -> list[dict[str, Any]]:
    """One page of an athlete's activities, each as a SummaryActivity: newest first, or oldest first with only `after`.

    With both bounds, an answer recorded in 2018 has the newest first.
    """
    order = "ASC" if page.after_epoch_s is not None and page.before_epoch_s is None else "DESC"
    rows = db.execute(
        "SELECT activity_id, detail FROM activities"  # noqa: S608 - own words
        " WHERE athlete_id = ? AND deleted_at IS NULL AND (? OR NOT only_me)"
        " AND (? IS NULL OR start_epoch_s < ?) AND (? IS NULL OR start_epoch_s > ?)"
        f" ORDER BY start_epoch_s {order}, activity_id {order} LIMIT ? OFFSET ?",
        (
            athlete_id,
            only_me_too,
            *(page.before_epoch_s,) * 2,
            *(page.after_epoch_s,) * 2,
            page.per_page,
            (page.number - 1) * page.per_page,
        ),
    ).fetchall()
    if only_me_too or zone_of(db, athlete_id) is None:
        return [summary(json.loads(row["detail"])) for row in rows]
    return [summary(seen_by_others(db, truth(db, row["activity_id"])).detail) for row in rows]


def seen_by_others(db: sqlite3.Connection, activity: SimulatedActivity) -> SimulatedActivity:
    """The activity as a token without `activity:read_all` sees it: cropped at its athlete's zone."""
    return cropped(activity, zone_of(db, activity.athlete_id))


def ids_of(db: sqlite3.Connection, athlete_id: int) -> list[int]:
    """The ids of all of the athlete's activities, including hidden ones, newest first."""
    rows = db.execute(
        "SELECT activity_id FROM activities WHERE athlete_id = ? AND deleted_at IS NULL"
        " ORDER BY start_epoch_s DESC, activity_id DESC",
        (athlete_id,),
    ).fetchall()
    return [int(row["activity_id"]) for row in rows]


def at_start(db: sqlite3.Connection, athlete_id: int, epoch_s: int) -> StoredActivity | None:
    """The athlete's oldest activity that began in that second; None where there is none."""
    row = db.execute(
        "SELECT * FROM activities WHERE athlete_id = ? AND start_epoch_s = ? AND deleted_at IS NULL"
        " ORDER BY activity_id LIMIT 1",
        (athlete_id, epoch_s),
    ).fetchone()
    return _stored(row) if row else None


def summary(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a detail that is in lists."""
    shown = {key: value for key, value in with_start_as_shown(detail).items() if key in _LISTED}
    line = {key: value for key, value in (detail.get("map") or {}).items() if key != "polyline"}
    return {"resource_state": 2, **shown, "map": {**line, "resource_state": 2}}


def stream_texts(db: sqlite3.Connection, activity_id: int, types: Sequence[str] = STREAM_KEYS) -> dict[str, str]:
    """The activity's streams of these types, each as JSON text, in Strava's order."""
    rows = db.execute("SELECT type, body FROM streams WHERE activity_id = ?", (activity_id,)).fetchall()
    bodies = {row["type"]: row["body"] for row in rows if row["type"] in types}
    return {kind: bodies[kind] for kind in STREAM_KEYS if kind in bodies}


def truth(db: sqlite3.Connection, activity_id: int) -> SimulatedActivity:
    """The full activity, deleted or not.

    Errors: UnknownActivity.
    """
    kept = find(db, activity_id)
    texts = stream_texts(db, activity_id)
    streams = {kind: json.loads(text) for kind, text in texts.items()} if kept.has_streams else None
    return SimulatedActivity(kept.detail, streams)


def count_fetch(db: sqlite3.Connection, activity_id: int, column: str) -> int:
    """How often this part of a fresh activity was fetched, including now; 0 if it is not fresh.

    Shape: `column` is `detail_fetches` or `streams_fetches`.
    """
    row = db.execute(
        f"UPDATE activities SET {column} = {column} + 1 WHERE activity_id = ? AND fresh RETURNING {column}",  # noqa: S608 - own names
        (activity_id,),
    ).fetchone()
    return int(row[column]) if row else 0


def _keep_streams(db: sqlite3.Connection, activity: SimulatedActivity) -> None:
    streams = activity.streams or {}
    rows = [(activity.activity_id, kind, json.dumps(body, separators=(",", ":"))) for kind, body in streams.items()]
    db.executemany("INSERT INTO streams VALUES (?, ?, ?)", rows)


def _stored(row: sqlite3.Row) -> StoredActivity:
    return StoredActivity(
        activity_id=row["activity_id"],
        athlete_id=row["athlete_id"],
        only_me=bool(row["only_me"]),
        has_streams=bool(row["has_streams"]),
        deleted=row["deleted_at"] is not None,
        detail=json.loads(row["detail"]),
    )
