"""A family, an hour in which Strava answers oddly, and the hours after it."""

from __future__ import annotations

import pytest

from include.state.links import CopyOptions, Link
from tests.include.pipeline.ingest.odd_answers.aftermath import CHILD_ID, PARENT_ID


@pytest.fixture
def family(world):
    """Rex connected and linked, his copies whole."""
    world.connect(CHILD_ID)
    link = Link(PARENT_ID, CHILD_ID, ("Rex",), CopyOptions(trim_m=0), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    world.services.state.links.save(link)
    return world
