"""The scripts of the writers' rounds."""

from __future__ import annotations

from random import Random

import pytest

from local.proofs.race.script import CHANGES, POINTS, Do, Script


@pytest.mark.parametrize("seed", range(50))
def test_script_is_possible_and_ends_with_a_run(seed: int) -> None:
    steps = Script.drawn(Random(seed)).steps
    deletions = [step.at_s for step in steps if step.do is Do.DELETE]
    changes = [step.at_s for step in steps if step.do in CHANGES]
    cropped = sum(step.amount + step.amount // 2 for step in steps if step.do is Do.CROP)

    assert steps == tuple(sorted(steps, key=lambda step: step.at_s))
    assert steps[-1].do is Do.SYNC
    assert len(deletions) <= 1
    assert all(at_s == max(changes) for at_s in deletions)
    assert POINTS - cropped >= 2


def test_script_is_the_same_when_the_seed_is() -> None:
    assert Script.drawn(Random("writers:1:7")) == Script.drawn(Random("writers:1:7"))
    assert len({Script.drawn(Random(seed)) for seed in range(20)}) == 20
