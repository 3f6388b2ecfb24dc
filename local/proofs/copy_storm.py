"""Many activities that name three children; Strava refuses the tokens of two of them, then accepts them again."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from include.copying.waking import wake_for_access
from include.pipeline.reconcile.due import queue_due
from include.queue.content import LookAgain, to_body
from include.state.copies.ledger import CopyState
from local.proofs.proof import Effort
from local.proofs.verdict import Verdict
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.quota import Limits
from local.strava_simulator.world.simulation import Rules
from local.testbed.consent import READ_AND_WRITE
from local.testbed.world import MIA_ID, NOON, PARENT_ID, REX_ID, WINDOW_S, World, open_world

ZOE_ID = 74
CHILDREN = {REX_ID: "Rex", MIA_ID: "Mia", ZOE_ID: "Zoe"}
REFUSED = (REX_ID, MIA_ID)

_MOST_WINDOWS = 400
"""A copy that is not made after this many windows is lost."""

_RULES = Rules(limits=Limits(window=20_000, day=200_000, read_window=10_000, read_day=100_000))
"""Limits that are never reached: this proof is about access, `make proofs NAME=quota` is about the budget."""


@dataclass(frozen=True, slots=True)
class StormResult:
    """The copies after the storm."""

    copies: int
    lost: int
    """Copies that no child's account shows, or that the ledger does not call made."""
    doubled: int
    """Activities in a child's account beyond one for each copy."""
    waited: int
    """Copies that waited for access."""
    windows: int
    """Reconcile's windows from the new access to the last copy."""


def storm(folder: Path, activities: int) -> StormResult:
    """Run the storm in the empty `folder`, with that many activities."""
    with open_world(folder, _RULES) as world:
        ids = _prepared(world, activities)
        now = world.clock()
        for activity_id in ids:
            world.services.queue.send(to_body(LookAgain(PARENT_ID, activity_id, now)))
        world.catch_up()
        copies = [copy for activity_id in ids for copy in world.services.state.copies.of_activity(activity_id)]
        waited = sum(copy.state is CopyState.WAITING_FOR_ACCESS for copy in copies)
        for child_id in REFUSED:
            world.connect(child_id, READ_AND_WRITE)
            wake_for_access(world.services.state.copies, child_id, world.services.state.quota.limits(), world.clock())
        windows = 0
        while any(world.services.state.copies.due(float("inf"))) and windows < _MOST_WINDOWS:
            world.clock.advance(WINDOW_S)
            queue_due(world.services)
            world.catch_up()
            windows += 1
        return _counted(world, ids, waited, windows)


def prove_copy_storm(effort: Effort) -> Sequence[Verdict]:
    """The claim, on 2,000 activities."""
    activities = effort.rounds(2000, small=10)
    with tempfile.TemporaryDirectory(prefix="copy-storm-") as folder:
        result = storm(Path(folder), activities)
    effort.advance(activities)
    figures = (
        f"{activities:,} events at once for 3 children, {result.waited:,} copies waited for access;"
        f" {result.lost} lost, {result.doubled} doubled, {result.windows} windows after access returned"
    )
    claim = "No copy is lost or doubled while two of three children's tokens are refused, then granted"
    expected = result.waited == len(REFUSED) * activities
    return [Verdict("copy_storm", claim, figures, expected and result.lost == result.doubled == 0)]


def _prepared(world: World, activities: int) -> list[int]:
    """The family, the refusals, and the parent's activities, one a day."""
    world.connect(PARENT_ID, READ_AND_WRITE)
    for child_id, name in CHILDREN.items():
        world.connect(child_id, READ_AND_WRITE)
        world.link(child_id, name)
    for child_id in REFUSED:
        world.control.disconnect(child_id, Application().client_id)
    first = datetime.fromtimestamp(NOON, UTC) - timedelta(days=activities)
    return [
        world.control.generate_activity(
            PARENT_ID,
            "run",
            start_at=first + timedelta(days=place),
            seed=place,
            points=5,
            name="With Rex, Mia and Zoe",
        )
        for place in range(activities)
    ]


def _counted(world: World, ids: Sequence[int], waited: int, windows: int) -> StormResult:
    made = Counter(
        copy.child_id
        for activity_id in ids
        for copy in world.services.state.copies.of_activity(activity_id)
        if copy.state is CopyState.DONE
    )
    there = {child_id: len(world.control.activity_ids(child_id)) for child_id in CHILDREN}
    return StormResult(
        copies=len(ids) * len(CHILDREN),
        lost=sum(len(ids) - min(made[child_id], there[child_id]) for child_id in CHILDREN),
        doubled=sum(max(0, count - len(ids)) for count in there.values()),
        waited=waited,
        windows=windows,
    )
