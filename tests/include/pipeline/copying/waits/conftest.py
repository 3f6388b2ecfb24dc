"""A parent, linked children, and uploads that never finish."""

from __future__ import annotations

import pytest

from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import queue_due
from include.queue.content import parse as parse_content
from include.state.links import Link
from tests.include.pipeline.copying.waits.named import ANN, REX

WINDOW_S, DAY_S = 900, 86_400


def linked(world, child_id, name, scopes=None):
    world.connect(child_id, *([scopes] if scopes else []))
    return world.services.state.links.save(
        Link(ANN, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    )


@pytest.fixture
def family(world):
    """Rex connected and linked."""
    linked(world, REX, "Rex")
    return world


@pytest.fixture
def pass_windows():
    """Window by window reconcile queues what is due, and ingest does it."""

    def pass_windows(world, count):
        for _ in range(count):
            world.clock.advance(WINDOW_S)
            queue_due(world.services)
            messages = world.services.queue.receive(100, visibility_s=60)
            for item in plan(world.services, [parse_content(message.body).event for message in messages]):
                sync(world.services, item, source="webhook")
                copy_to_children(world.services, item.athlete_id, item.activity_id)
            for message in messages:
                world.services.queue.delete(message)

    return pass_windows


@pytest.fixture
def answer_once():
    """The first call of that name raises; with `after` it has done its work."""

    def answer_once(world, monkeypatch, name, error, *, after=False):
        call = getattr(world.services.strava.client, name)

        def odd(*arguments):
            monkeypatch.undo()
            if after:
                call(*arguments)
            raise error

        monkeypatch.setattr(world.services.strava.client, name, odd)

    return answer_once
