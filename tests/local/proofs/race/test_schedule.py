"""The scripts of the writers' rounds."""

from __future__ import annotations

from random import Random

import pytest

from local.proofs.race.schedule import CHANGES, POINTS, Action, Schedule


@pytest.mark.parametrize("seed", range(50))
def test_schedule_is_possible_and_ends_with_a_run(seed: int) -> None:
    steps = Schedule.drawn(Random(seed)).steps
    deletions = [step.at_s for step in steps if step.action is Action.DELETE]
    changes = [step.at_s for step in steps if step.action in CHANGES]
    cropped = sum(step.amount + step.amount // 2 for step in steps if step.action is Action.CROP)

    assert steps == tuple(sorted(steps, key=lambda step: step.at_s))
    assert steps[-1].action is Action.SYNC
    assert len(deletions) <= 1
    assert all(at_s == max(changes) for at_s in deletions)
    assert POINTS - cropped >= 2


def test_schedule_is_the_same_when_the_seed_is() -> None:
    assert Schedule.drawn(Random("writers:1:7")) == Schedule.drawn(Random("writers:1:7"))
    assert len({Schedule.drawn(Random(seed)) for seed in range(20)}) == 20
