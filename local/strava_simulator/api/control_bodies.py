"""Parses the bodies of the control API's requests. Errors: `ValueError` for invalid values, answered with 400."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import request

from local.strava_simulator.recordings.generator import Kind, generate
from local.strava_simulator.world import activities
from local.strava_simulator.world.activity import SimulatedActivity

_PAST_INT64 = 2**63


def body() -> dict[str, Any]:
    """The request's JSON object."""
    found = request.get_json(force=True)
    if not isinstance(found, dict):
        raise ValueError("the body is a JSON object")
    return found


def whole_number(body: Mapping[str, Any], name: str) -> int:
    """The field's value, 0 where there is none."""
    value = body.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} is a whole number, not {value!r}")
    return value


def activity(body: Mapping[str, Any], athlete_id: int, activity_id: int) -> SimulatedActivity:
    """The finished activity: generated if the body names a `kind`, else the given one."""
    return (_generated if "kind" in body else _given)(body, athlete_id, activity_id)


def _generated(body: Mapping[str, Any], athlete_id: int, activity_id: int) -> SimulatedActivity:
    return generate(
        Kind(body["kind"]),
        seed=whole_number(body, "seed"),
        activity_id=activity_id,
        athlete_id=athlete_id,
        start_at=datetime.fromisoformat(str(body.get("start_at"))),
        name=body.get("name"),
        points=whole_number(body, "points") if body.get("points") is not None else None,
    )


def _given(body: Mapping[str, Any], athlete_id: int, activity_id: int) -> SimulatedActivity:
    detail, streams = body.get("detail"), body.get("streams")
    if not isinstance(detail, dict) or not isinstance(streams, dict | None):
        raise ValueError("give either `kind`, or `detail` as an object and `streams` as an object or null")
    lacking = [key for key in ("name", "start_date", "sport_type") if not isinstance(detail.get(key), str)]
    if lacking:
        raise ValueError(f"detail lacks {', '.join(lacking)}")
    if not 0 < whole_number({"id": activity_id, **detail}, "id") < _PAST_INT64:
        raise ValueError("the activity's id is above 0 and fits 64 bits")
    athlete = {"id": athlete_id, "resource_state": 1}
    visibility = "only_me" if activities.is_only_me(detail) else "everyone"
    return SimulatedActivity({"id": activity_id, "visibility": visibility, **detail, "athlete": athlete}, streams)
