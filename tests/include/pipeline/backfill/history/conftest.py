"""What a backfill is asked for, and how far it has come."""

from __future__ import annotations

from unittest.mock import create_autospec

import pytest

from include.strava.client import StravaClient
from include.strava.subscriptions import PushSubscriptions
from tests.include.pipeline.backfill.history.listed import Installation


@pytest.fixture
def finished():
    """Older activities that no webhook told of, newest last."""

    def finished(world, count):
        kinds = ("run", "ride", "swim", "indoor_ride")
        return [
            world.finish(kinds[number % 4], hours_ago=24.0 * (count - number), points=20, announce=False)
            for number in range(count)
        ]

    return finished


@pytest.fixture
def backfill(offline, monkeypatch):
    """An installation whose Strava answers as a test tells it, and has a recording of every activity."""
    strava, push = create_autospec(StravaClient, instance=True), create_autospec(PushSubscriptions, instance=True)
    monkeypatch.setattr(offline.strava.client, "streams", strava.streams)
    monkeypatch.setattr(offline.strava.push, "prove", push.prove)
    installation = Installation(offline, strava, push)
    installation.answers({})
    return installation
