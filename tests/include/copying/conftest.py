"""Activities, streams and links as the tests of copies need them, and recorded streams."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.state.links import CopyOptions, Link
from include.strava.models import Activity, StreamSet

RIDE = {
    "id": 101,
    "athlete": {"id": 7},
    "name": "Morning ride with Rex",
    "sport_type": "Ride",
    "start_date": "2026-05-01T06:59:58Z",
    "elapsed_time": 12,
    "distance": 61.5,
}


@pytest.fixture(scope="session")
def make_activity() -> Callable[..., Activity]:
    """A ride, with the given fields of Strava's answer changed."""
    return lambda **changes: Activity.parse({**RIDE, **changes})


@pytest.fixture(scope="session")
def make_streams() -> Callable[..., StreamSet]:
    """Three points with every stream, 20 m apart to the north; None takes a stream away."""

    def make(**changes: list[Any] | None) -> StreamSet:
        channels: dict[str, list[Any] | None] = {
            "time": [0, 1, 5],
            "latlng": [[48.1, 11.5], [48.10018, 11.5], [48.10036, 11.500001]],
            "altitude": [519.2, 519.4, -3.0],
            "distance": [0.0, 20.1, 40.2],
            "velocity_smooth": [0.0, 20.1, 5.025],
            "heartrate": [111, 112, 113],
            "cadence": [80, 0, 81],
            "watts": [200, 0, 210],
            "temp": [-2, 0, 21],
            **changes,
        }
        return StreamSet(channels={name: data for name, data in channels.items() if data is not None}, body=b"")

    return make


@pytest.fixture(scope="session")
def make_link() -> Callable[..., Link]:
    """An active link to which both sides agreed."""

    def make(**changes: Any) -> Link:
        agreed = {"parent_consent_epoch_s": 1, "child_consent_epoch_s": 2}
        return Link(**{"parent_id": 7, "child_id": 9, "names": ("Rex",), **agreed, **changes})

    return make


@pytest.fixture(scope="session")
def everything() -> CopyOptions:
    """A link's choice to carry all there is."""
    return CopyOptions()


@pytest.fixture(scope="session")
def recorded_streams(recorded: Path) -> Callable[[str], StreamSet]:
    """The streams of a recording in array form, keyed by their type."""

    def read(name: str) -> StreamSet:
        answer = json.loads((recorded / name).read_text())["response"]["body"]
        return StreamSet(channels={stream["type"]: stream["data"] for stream in answer}, body=b"")

    return read
