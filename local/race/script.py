"""What happens to one activity in one round of the writers' proof, drawn by chance and told again by its seed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Self

_SPAN_S = 0.3
_MOST_CROPPED = 8
"""Five crops of so many samples on both sides leave the shortest activity a track."""
POINTS = 90


class Do(Enum):
    """What can happen."""

    SYNC = auto()
    """A run starts to sync the activity."""
    RENAME = auto()
    CROP = auto()
    DELETE = auto()
    KILL = auto()
    """A process that is at work dies."""
    EXPIRE = auto()
    """So much time passes that leases run out under the living."""


CHANGES = (Do.RENAME, Do.CROP, Do.DELETE)
"""What the athlete does."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, so long after the round began; `amount` is how much is cropped, or tells names apart."""

    at_s: float
    do: Do
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that happens in a round, in order."""

    steps: tuple[Step, ...]

    @classmethod
    def drawn(cls, rng: Random) -> Self:
        """Some changes, runs before, between and after them, and in many rounds deaths and leases that run out."""
        happens = [Do.SYNC] * rng.randint(6, 12)
        happens += rng.choices((Do.RENAME, Do.CROP), k=rng.randint(2, 5))
        happens += [Do.KILL] * rng.choice((0, 0, 1, 2, 3))
        happens += [Do.EXPIRE] * rng.choice((0, 0, 0, 1))
        steps = [Step(rng.uniform(0, _SPAN_S), do, rng.randint(1, _MOST_CROPPED)) for do in happens]
        if rng.random() < 0.3:
            last_change_s = max(step.at_s for step in steps if step.do in CHANGES)
            steps.append(Step(rng.uniform(last_change_s, _SPAN_S), Do.DELETE))
        steps.append(Step(_SPAN_S, Do.SYNC))
        return cls(tuple(sorted(steps, key=lambda step: step.at_s)))

    def count(self, *kinds: Do) -> int:
        """How often something of these kinds happens."""
        return sum(step.do in kinds for step in self.steps)
