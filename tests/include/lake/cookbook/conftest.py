"""A generated lake with everything that a query may stumble over, and the answers of Strava that it was made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from include.lake import cookbook
from include.lake.query import query
from local.docs.lake import example_lake
from local.strava_simulator.recordings.generator import generate
from local.strava_simulator.recordings.kinds import Kind
from local.strava_simulator.world.activity import SimulatedActivity


@dataclass(frozen=True, slots=True)
class SampleLake:
    url: str
    activities: list[SimulatedActivity]
    """One athlete's; the lake holds another athlete's as well."""

    def ask(self, name: str, **given: str) -> pa.Table:
        return query(cookbook.load(name).for_duckdb({"athlete_id": str(example_lake.ATHLETE_ID)} | given), self.url)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleLake:
    url = (tmp_path_factory.mktemp("cookbook") / "lake").as_uri()
    held = [*example_lake.activities(), *_awkward()]
    stranger = generate(
        Kind.RIDE,
        seed=5,
        activity_id=99,
        athlete_id=4_100_002,
        start_at=datetime(2025, 1, 8, 9, tzinfo=UTC),
        points=700,
    )
    example_lake.fill(url, [*held, stranger])
    return SampleLake(url, held)


@pytest.fixture
def lake_of(tmp_path: Any) -> Callable[..., SampleLake]:
    """A lake of these activities alone."""

    def make(*held: SimulatedActivity) -> SampleLake:
        url = (tmp_path / "lake").as_uri()
        example_lake.fill(url, list(held))
        return SampleLake(url, list(held))

    return make


def _awkward() -> list[SimulatedActivity]:
    plain = [
        generate(
            kind,
            seed=100 + number,
            activity_id=13_000_000_000 + number,
            athlete_id=example_lake.ATHLETE_ID,
            start_at=datetime(2024, 12, 31, 23, 30, tzinfo=UTC),
            points=600,
        )
        for number, kind in enumerate([Kind.RIDE, Kind.RUN, Kind.RUN, Kind.RIDE, Kind.TREADMILL, Kind.SWIM])
    ]
    new_year, heartless, holes, slow, lost, hidden = plain
    return [
        _told(new_year, start_date_local="2025-01-01T00:30:00Z"),
        _streamed(heartless, heartrate=None, latlng=None, moving=None, grade_smooth=None),
        _told(
            _streamed(holes, **_with_holes(holes)),
            start_date="2025-01-05T23:30:00Z",
            start_date_local="2025-01-06T00:30:00Z",
        ),
        _streamed(slow, **_every_fourth(slow)),
        _told(lost, distance=None, moving_time=None, total_elevation_gain=None, elev_high=None, start_date_local=None),
        _told(hidden, start_date="2025-01-05T00:00:01Z", start_date_local="2025-01-05T00:00:01Z"),
    ]


def _told(activity: SimulatedActivity, **fields: Any) -> SimulatedActivity:
    return replace(activity, detail={**activity.detail, **fields})


def _streamed(activity: SimulatedActivity, **channels: list[Any] | None) -> SimulatedActivity:
    streams = dict(activity.streams or {})
    for name, samples in channels.items():
        if samples is None:
            del streams[name]
        else:
            streams[name] = {**streams[name], "data": samples}
    return replace(activity, streams=streams)


def _with_holes(activity: SimulatedActivity) -> dict[str, list[Any]]:
    """Every seventh sample of every stream is missing, of another seventh in each."""
    assert activity.streams
    return {
        name: [None if (index + shift) % 7 == 0 else sample for index, sample in enumerate(stream["data"])]
        for shift, (name, stream) in enumerate(sorted(activity.streams.items()))
    }


def _every_fourth(activity: SimulatedActivity) -> dict[str, list[Any]]:
    assert activity.streams
    return {name: stream["data"][::4] for name, stream in activity.streams.items()}
