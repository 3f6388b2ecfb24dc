"""Odd answers from Strava and their rows in the lake: the page shows these cases, and a test writes each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from include.lake.rows.synced import ActivityRows, build_rows
from include.strava.models import Activity, StreamSet

_DETAIL: Mapping[str, Any] = {
    "id": 5,
    "athlete": {"id": 7},
    "resource_state": 3,
    "name": "Ride",
    "sport_type": "Ride",
    "start_date": "2024-05-01T08:00:00Z",
    "elapsed_time": 2,
}
_STREAMS: Mapping[str, list[Any]] = {"time": [0, 1, 2], "latlng": [[52.1, 4.5], [52.2, 4.6], [52.3, 4.7]]}


@dataclass(frozen=True, slots=True)
class OddInput:
    """One odd answer."""

    name: str
    becomes: str
    """The result in the lake, in a sentence."""
    expected: Mapping[str, Any]
    """The values of some columns, by `table.column`, in the order of the rows."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """The differences from an ordinary answer."""
    streams: Mapping[str, list[Any]] | None = field(default_factory=dict)
    """The differences from three ordinary samples; None where Strava answers 404."""
    without: tuple[str, ...] = ()
    """The ordinary streams that are missing."""

    def rows(self) -> ActivityRows:
        """The rows in the lake, parsed from JSON like Strava's answer."""
        answer = json.loads(json.dumps({**_DETAIL, **self.detail}))
        return build_rows(
            Activity.parse(answer), self._parsed_streams(), made={}, source="webhook", updated_at_epoch_s=0
        )

    def _parsed_streams(self) -> StreamSet | None:
        if self.streams is None:
            return None
        channels = {name: data for name, data in {**_STREAMS, **self.streams}.items() if name not in self.without}
        return StreamSet.parse(json.dumps({name: {"data": data} for name, data in channels.items()}).encode())


ODD_INPUTS: tuple[OddInput, ...] = (
    OddInput(
        "null among the samples",
        "Null in that row alone; nothing is filled in.",
        {"streams.time_s": [0, 1, 2], "streams.heartrate_bpm": [99, None, 101]},
        streams={"heartrate": [99, None, 101]},
    ),
    OddInput(
        "a stream shorter than the others",
        "As many rows as the longest stream; the shorter one ends in nulls.",
        {"streams.point_index": [0, 1, 2], "streams.watts": [210, None, None]},
        streams={"watts": [210]},
    ),
    OddInput(
        "a stream longer than `time`",
        "Its last rows have no time.",
        {"streams.watts": [1, 2, 3, 4], "streams.time_s": [0, 1, 2, None]},
        streams={"watts": [1, 2, 3, 4]},
    ),
    OddInput(
        "no `latlng`, as indoors",
        "Every other column is there; positions are null.",
        {"streams.time_s": [0, 1, 2], "streams.lat": [None] * 3, "streams.lon": [None] * 3},
        without=("latlng",),
    ),
    OddInput(
        "`[0,0]`, null and impossible positions",
        "No position: Strava writes `[0,0]` for a missing one. Zero alone is a place.",
        {"streams.lat": [None, None, None, 0.0], "streams.lon": [None, None, None, 4.5]},
        streams={"time": [0, 1, 2, 3], "latlng": [[0, 0], None, [91.0, 4.5], [0.0, 4.5]]},
    ),
    OddInput(
        "start at `[0,0]`",
        "No position either.",
        {"activities.start_lat": [None], "activities.start_lon": [None]},
        {"start_latlng": [0.0, 0.0]},
    ),
    OddInput(
        "an unknown stream type",
        "It is named in `stream_types`, and its samples are in the raw zone only; the known streams are unchanged.",
        {"activities.stream_types": [["latlng", "moon_phase", "time"]], "streams.time_s": [0, 1, 2]},
        streams={"moon_phase": [0.1, 0.2, 0.3]},
    ),
    OddInput(
        "a recording that ends after the year 9999",
        "Null from there on: times that readers refuse are not written. A start in the year 10,000 is quarantined.",
        {
            "streams.time_s": [0, 1, 2],
            "streams.ts": [
                datetime.fromisoformat("9999-12-31T23:59:58"),
                datetime.fromisoformat("9999-12-31T23:59:59"),
                None,
            ],
        },
        {"start_date": "9999-12-31T23:59:58Z"},
    ),
    OddInput(
        "a fraction where whole numbers belong",
        "Rounded to the nearest integer, halves to the even one.",
        {"streams.heartrate_bpm": [100, 100, 102]},
        streams={"heartrate": [99.6, 100.5, 101.5]},
    ),
    OddInput(
        "`NaN`, `Infinity`, numbers out of the column's range",
        "Null: they fit no column.",
        {"streams.altitude_m": [None, None, 3.5], "streams.watts": [None, 7, 8]},
        streams={"altitude": [float("nan"), float("inf"), 3.5], "watts": [2**31, 7, 8]},
    ),
    OddInput(
        "ids above 2^53",
        "Exact, in every table.",
        {
            "activities.activity_id": [2**53 + 1],
            "activities.athlete_id": [2**53 + 3],
            "activities.upload_id": [2**62 + 1],
            "streams.activity_id": [2**53 + 1] * 3,
            "laps.lap_id": [2**53 + 5],
        },
        {
            "id": 2**53 + 1,
            "athlete": {"id": 2**53 + 3},
            "upload_id": 2**62 + 1,
            "laps": [{"id": 2**53 + 5, "lap_index": 1}],
        },
    ),
    OddInput(
        "a start before 1970",
        "A time like any other, in the partition of its year.",
        {
            "activities.start_ts_utc": [datetime(1969, 12, 31, 23, 59, 59)],  # noqa: DTZ001 - as the views show it
            "activities.year": [1969],
            "streams.ts": [
                datetime(1969, 12, 31, 23, 59, 59),  # noqa: DTZ001
                datetime(1970, 1, 1),  # noqa: DTZ001
                datetime(1970, 1, 1, 0, 0, 1),  # noqa: DTZ001
            ],
            "streams.year": [1969] * 3,
        },
        {"start_date": "1969-12-31T23:59:59Z"},
    ),
    OddInput(
        "a start in the future",
        "The same, up to the year 9999.",
        {"activities.start_ts_utc": [datetime(2999, 12, 31, 23, 59, 58)], "streams.year": [2999] * 3},  # noqa: DTZ001
        {"start_date": "2999-12-31T23:59:58Z"},
    ),
    OddInput(
        "a hidden start time",
        "Strava answers one second past midnight; the samples have no clock time.",
        {"activities.start_time_hidden": [True], "streams.time_s": [0, 1, 2], "streams.ts": [None] * 3},
        {"start_date": "2024-05-01T00:00:01Z", "start_date_local": "2024-05-01T00:00:01Z"},
    ),
    OddInput(
        "streams answered with 404, as for manual activities",
        "A row in `activities`, none in `streams`.",
        {
            "activities.point_count": [0],
            "activities.stream_types": [[]],
            "streams.ts": [],
        },
        {"manual": True},
        streams=None,
    ),
    OddInput(
        "empty streams",
        "The same, but the types are known.",
        {"activities.point_count": [0], "activities.stream_types": [["latlng", "time"]], "streams.ts": []},
        {"elapsed_time": 0},
        streams={"time": [], "latlng": []},
    ),
    OddInput(
        "an activity without duration and distance",
        "One sample with zero seconds and metres: rows like any other.",
        {
            "activities.elapsed_s": [0],
            "activities.distance_m": [0.0],
            "activities.point_count": [1],
            "streams.time_s": [0],
        },
        {"elapsed_time": 0, "distance": 0.0},
        streams={"time": [0], "latlng": [[52.1, 4.5]]},
    ),
    OddInput(
        "an unknown sport, an unknown field",
        "The sport verbatim, the field in `extra_json`.",
        {"activities.sport_type": ["Moonwalk"], "activities.extra_json": ['{"gravity":1.62}']},
        {"sport_type": "Moonwalk", "gravity": 1.62},
    ),
    OddInput(
        "a field of an undocumented type",
        "Null in its column, and unchanged in `extra_json`.",
        {"activities.kudos_count": [None], "activities.extra_json": ['{"kudos_count":"many"}']},
        {"kudos_count": "many"},
    ),
    OddInput(
        "laps without ids or numbers",
        "Numbered as they come; the id is null.",
        {"laps.lap_index": [1, 2], "laps.lap_id": [None, None], "laps.elapsed_s": [3, None]},
        {"laps": [{"elapsed_time": 3}, {"elapsed_time": "long"}]},
    ),
)
"""Every case that the page shows."""
