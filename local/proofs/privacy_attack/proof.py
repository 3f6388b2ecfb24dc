"""How well a link hides the home, in figures."""

from __future__ import annotations

from collections.abc import Sequence

from local.proofs.privacy_attack.circle_fit import OUTINGS, attack
from local.proofs.privacy_attack.rules import RADIUS_M
from local.proofs.proof import Effort
from local.proofs.verdict import Verdict

DOORS = 200


def prove_trimming(effort: Effort) -> Sequence[Verdict]:
    """Attack the homes of many athletes through the copies of 30 outings each."""
    doors = effort.rounds(DOORS, small=26)
    found = attack(doors, effort.seed, effort.advance)
    exact, moved = found["an exact circle"], found["a moved circle"]
    tried = f"{doors} doors, {OUTINGS} outings each"
    return [
        Verdict(
            "trimming",
            f"No written point lies within the radius ({RADIUS_M} m) of either end",
            f"{tried}; nearest {moved.nearest_m:.1f} m",
            moved.nearest_m > RADIUS_M,
        ),
        Verdict(
            "trimming",
            "A circle fitted to the cut ends finds an exact circle's middle to within a metre",
            f"{tried}; median {exact.miss_m:.2f} m",
            exact.miss_m <= 1,
        ),
        Verdict(
            "trimming",
            "It misses the door in a moved circle by half the radius or more",
            f"{tried}; median {moved.miss_m:.0f} m; {moved.share_within(20):.0%} found to within 20 m",
            moved.miss_m >= RADIUS_M / 2,
        ),
    ]
