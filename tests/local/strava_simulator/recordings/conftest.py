"""Files written by hand or through gpxpy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.strava_simulator.recordings.generator import Kind, generate
from local.strava_simulator.world.activity import SimulatedActivity

GPX_HEAD = (
    '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="test"'
    ' xmlns:tpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"'
    ' xmlns:tpx2="http://www.garmin.com/xmlschemas/TrackPointExtension/v2"'
    ' xmlns:ct="http://www.cluetrust.com/XML/GPXDATA/1/0">'
)
TCX_HEAD = (
    '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"'
    ' xmlns:tpx="http://www.garmin.com/xmlschemas/ActivityExtension/v2">'
)


@pytest.fixture(scope="session")
def make() -> Callable[..., SimulatedActivity]:
    """`generate` with everything but the kind filled in."""

    def _make(kind: Kind, **given: object) -> SimulatedActivity:
        defaults = {
            "seed": 1,
            "activity_id": 16185205521,
            "athlete_id": 42,
            "start_at": datetime(2026, 7, 3, 6, 30, tzinfo=UTC),
        }
        return generate(kind, **(defaults | given))  # type: ignore[arg-type]

    return _make


@pytest.fixture(scope="session")
def gpx() -> Callable[..., bytes]:
    """A GPX file of these track points, each as XML; `head` and `around` replace the usual frame."""

    def _gpx(
        *points: str, head: str = GPX_HEAD, around: str = "<trk><name>Loop</name><trkseg>{}</trkseg></trk>"
    ) -> bytes:
        return f'<?xml version="1.0" encoding="UTF-8"?>{head}{around.format("".join(points))}</gpx>'.encode()

    return _gpx


@pytest.fixture(scope="session")
def trkpt() -> Callable[..., str]:
    """One track point `second` seconds after 2026-07-03T06:30:00Z, heading north at 3 m/s."""

    def _trkpt(second: float = 0, inside: str = "", *, lat: object = None, lon: object = 13.4) -> str:
        at = datetime(2026, 7, 3, 6, 30, tzinfo=UTC) + timedelta(seconds=second)
        lat = 52.5 + second * 3 / 111_195 if lat is None else lat
        return f'<trkpt lat="{lat}" lon="{lon}"><time>{at.isoformat()}</time>{inside}</trkpt>'

    return _trkpt


@pytest.fixture(scope="session")
def tcx() -> Callable[..., bytes]:
    """A TCX file; each lap is the XML of its track points."""

    def _tcx(*laps: str, sport: str = "Biking", head: str = TCX_HEAD) -> bytes:
        inside = "".join(f"<Lap><Track>{lap}</Track></Lap>" for lap in laps)
        activity = f'<Activities><Activity Sport="{sport}">{inside}</Activity></Activities>'
        return f"{head}{activity}</TrainingCenterDatabase>".encode()

    return _tcx


@pytest.fixture(scope="session")
def trackpoint() -> Callable[..., str]:
    """One TCX track point `second` seconds after 2026-07-03T06:30:00Z."""

    def _trackpoint(second: float = 0, inside: str = "") -> str:
        at = datetime(2026, 7, 3, 6, 30, tzinfo=UTC) + timedelta(seconds=second)
        return f"<Trackpoint><Time>{at.isoformat()}</Time>{inside}</Trackpoint>"

    return _trackpoint


@pytest.fixture
def machine_in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own time zone is not UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()
