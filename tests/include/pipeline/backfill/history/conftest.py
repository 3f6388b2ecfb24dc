"""What a backfill is asked for, and how far it has come."""

from __future__ import annotations

import pytest


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
