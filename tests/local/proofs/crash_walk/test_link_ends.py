"""A child ends the link while the parent's activity is copied: no file is sent over the link as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import IngestError
from include.state.links import LinkStatus
from local.proofs.crash_walk import copying
from local.proofs.crash_walk.points import Points
from local.strava_simulator.world.simulation import Rules
from local.testbed.consent import READ_AND_WRITE
from local.testbed.world import MIA_ID, PARENT_ID, REX_ID, World, open_world

LAST_LOOK = "before put `copies` as uploading, held (2)"
"""The link is read for the last time right before this write, and the file goes out right after it."""


@pytest.fixture
def family(tmp_path: Path) -> Path:
    """A parent whose activity names two children and is stored, not copied."""
    ready = tmp_path / "ready"
    ready.mkdir()
    with open_world(ready, Rules()) as world:
        for athlete_id in (PARENT_ID, REX_ID, MIA_ID):
            world.connect(athlete_id, READ_AND_WRITE)
        world.link(REX_ID, "Rex")
        world.link(MIA_ID, "Mia")
        copying.store(world, world.finish(PARENT_ID, "With Rex and Mia"))
    return ready


def copied(family: Path, meanwhile: Callable[[World], None], point: str | None = None) -> tuple[list[str], int]:
    """The points that the copying passes, at one of which something happens, and how many activities Mia has then."""
    folder = family.with_name("run")
    shutil.copytree(family, folder)
    with open_world(folder, Rules()) as world:
        points = Points(happens_at=point, event=lambda: meanwhile(world))
        copy(world, points)
        for _ in range(3):
            copying.reconcile(world, Points())
        found = len(world.control.activity_ids(MIA_ID))
    shutil.rmtree(folder)
    return points.passed, found


def copy(world: World, points: Points) -> None:
    """The task that copies; what it does not bring to its end is left to reconcile."""
    [activity_id] = world.control.activity_ids(PARENT_ID)
    with suppress(IngestError):
        copying.copy(world, activity_id, points)


def end_link(world: World) -> None:
    link = world.services.state.links.get(PARENT_ID, MIA_ID)
    assert link is not None
    if link.status is not LinkStatus.ENDED:
        world.services.state.links.save(replace(link, status=LinkStatus.ENDED))


def end_link_and_copy(world: World) -> None:
    """A second worker comes right after it, and does what the first one leaves to it."""
    end_link(world)
    copy(world, Points())


@pytest.mark.parametrize("meanwhile", [end_link, end_link_and_copy])
def test_no_file_is_sent_after_the_end_of_the_link_whichever_worker_comes_first(
    family: Path, meanwhile: Callable[[World], None]
) -> None:
    passed, made = copied(family, lambda _: None)
    before = passed[: passed.index(LAST_LOOK)]

    assert made == 1
    assert {point: copied(family, meanwhile, point)[1] for point in {*before[::5], before[-1]}} == dict.fromkeys(
        {*before[::5], before[-1]}, 0
    )
