"""A parent and a linked child."""

from __future__ import annotations

import pytest

from include.state.links import CopyOptions, Link
from tests.include.pipeline.copying.copies.named import CHILD_ID, PARENT_ID


def linked(world, child_id=CHILD_ID, names=("Rex",), **changes):
    whole = CopyOptions(trim_m=0)
    world.services.state.links.save(
        Link(PARENT_ID, child_id, names, whole, parent_consent_epoch_s=1, child_consent_epoch_s=1, **changes)
    )


@pytest.fixture
def family(world):
    """The child connected and linked as Rex."""
    world.connect(CHILD_ID)
    linked(world)
    return world
