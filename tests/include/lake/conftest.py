"""Activities and streams to write into a lake of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from include.lake.lake import Lake
from include.lake.objects.files import FileObjects
from include.lake.rows.copies import CopyRows
from include.lake.rows.freshness import FreshnessRows, Month, MonthComparison
from include.lake.rows.synced import ActivityRows, build_rows
from include.state.copies.ledger import Copy, CopyLedger, CopyState
from include.store.sqlite import SqliteStore
from include.strava.models import Activity, StreamSet

ATHLETE_ID = 2**53 + 1

DETAIL: Mapping[str, Any] = {
    "resource_state": 3,
    "id": 2**53 + 3,
    "athlete": {"id": ATHLETE_ID, "resource_state": 1},
    "name": "Morning run with Rex",
    "description": "through the park",
    "sport_type": "TrailRun",
    "type": "Run",
    "start_date": "2024-03-31T22:30:00Z",
    "start_date_local": "2024-04-01T00:30:00Z",
    "timezone": "(GMT+01:00) Europe/Amsterdam",
    "utc_offset": 7200.0,
    "elapsed_time": 5,
    "moving_time": 4,
    "distance": 12.5,
    "calories": 310.5,
    "kudos_count": 3,
    "manual": False,
    "visibility": "everyone",
    "upload_id": 17265595469,
    "start_latlng": [52.1, 4.5],
    "end_latlng": [52.2, 4.6],
    "map": {"id": "a1", "summary_polyline": "_p~iF~ps|U", "polyline": "_p~iF~ps|U_ulLnnqC"},
    "laps": [
        {"id": 11, "lap_index": 1, "name": "Lap 1", "elapsed_time": 3, "start_date": "2024-03-31T22:30:00Z"},
        {"id": 12, "lap_index": 2, "name": "Lap 2", "elapsed_time": 2, "start_date": "2024-03-31T22:30:03Z"},
    ],
}

CHANNELS: Mapping[str, list[Any]] = {
    "time": [0, 1, 3],
    "distance": [0.0, 2.5, 7.6],
    "latlng": [[52.1, 4.5], [52.100001, 4.500002], [52.100003, 4.500004]],
    "altitude": [-3.2, -3.0, -2.8],
    "velocity_smooth": [0.0, 2.5, 2.6],
    "heartrate": [99, 101, 105],
    "cadence": [0, 80, 82],
    "watts": [0, 210, 215],
    "temp": [21, 21, 21],
    "moving": [False, True, True],
    "grade_smooth": [0.0, 1.2, -0.4],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def lake_url(root: Path) -> str:
    return root.as_uri()


@pytest.fixture
def objects(root: Path) -> FileObjects:
    return FileObjects(root)


@pytest.fixture
def lake(objects: FileObjects) -> Lake:
    return Lake(objects, sleep=lambda _: None)


@pytest.fixture
def guard() -> Callable[[], None]:
    """A lease that holds."""
    return lambda: None


@pytest.fixture
def make_activity() -> Callable[..., Activity]:
    """A detailed activity; keywords replace fields of Strava's answer."""
    return lambda **changes: Activity.parse(dict(DETAIL) | changes)


@pytest.fixture
def make_streams() -> Callable[..., StreamSet]:
    """Three samples of every stream type; keywords replace channels, None takes one away."""

    def make(**changes: list[Any] | None) -> StreamSet:
        channels = {name: samples for name, samples in (dict(CHANNELS) | changes).items() if samples is not None}
        body = json.dumps({name: {"data": samples} for name, samples in channels.items()}).encode()
        return StreamSet(channels, body)

    return make


@pytest.fixture
def make_rows(
    make_activity: Callable[..., Activity], make_streams: Callable[..., StreamSet]
) -> Callable[..., ActivityRows]:
    """The rows of one activity; `streams` replaces its streams, other keywords fields of Strava's answer."""

    three_samples = make_streams()

    def make(
        *, streams: StreamSet | None = three_samples, source: str = "webhook", at: float = 1.0, **changes: Any
    ) -> ActivityRows:
        return build_rows(make_activity(**changes), streams, made={}, source=source, updated_at_epoch_s=at)

    return make


@pytest.fixture
def fill_lake(
    lake: Lake, objects: FileObjects, make_rows: Callable[..., ActivityRows], tmp_path: Path
) -> Callable[[], None]:
    """Puts rows into every table, with what a reader may stumble over."""

    def fill() -> None:
        lake.write(
            [
                make_rows(),
                make_rows(id=1, start_date="1969-12-31T23:59:58Z", kudos_count=None),
                make_rows(id=2, streams=None),
            ],
            guard=lambda: None,
        )
        store = SqliteStore(tmp_path / "copies.sqlite", lambda: 0.0)
        ledger = CopyLedger(store, lambda: 0.0)
        for child_id, told in ((5, {}), (2**53 + 7, {"file_format": "gpx", "carried": ("power",), "trim_m": 200})):
            ledger.plan(Copy(1, child_id, ATHLETE_ID, CopyState.PLANNED, activity_start_epoch_s=-2, **told))
        CopyRows(objects, ledger).refresh(1)
        FreshnessRows(objects).note(ATHLETE_ID, {Month(1969, 12): MonthComparison(2, 1, 0.5)})
        store.close()

    return fill
