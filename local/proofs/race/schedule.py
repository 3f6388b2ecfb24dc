"""The schedule of one round of the writers' proof, drawn at random; the same seed gives the same schedule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Self

_SPAN_S = 0.3
_MOST_CROPPED = 8
"""The samples of a crop: after six crops of this many, and half as many at the end, the activity still has a track."""
POINTS = 90


class Action(Enum):
    """What can happen."""

    SYNC = auto()
    """A run starts to sync the activity."""
    RENAME = auto()
    CROP = auto()
    DELETE = auto()
    KILL = auto()
    """A working process dies."""
    STALL = auto()
    """A working process is stopped until its lease has run out."""
    WAKE = auto()
    """The stopped processes continue."""


CHANGES = (Action.RENAME, Action.CROP, Action.DELETE)
"""What the athlete does."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a round, at a time after its start; `amount` is the size of a crop, or distinguishes names."""

    at_s: float
    action: Action
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that happens in a round, in order."""

    steps: tuple[Step, ...]

    @classmethod
    def drawn(cls, rng: Random) -> Self:
        """Some changes, runs before, between and after them, and in many rounds kills and lost leases."""
        happens = [Action.SYNC] * rng.randint(6, 12)
        happens += rng.choices((Action.RENAME, Action.CROP), k=rng.randint(2, 5))
        happens += [Action.KILL] * rng.choice((0, 0, 1, 2, 3))
        steps = [Step(_moment(action, rng), action, rng.randint(1, _MOST_CROPPED)) for action in happens]
        if rng.random() < 0.4:
            steps += _stall(rng)
        if rng.random() < 0.3:
            last_change_s = max(step.at_s for step in steps if step.action in CHANGES)
            steps.append(Step(rng.uniform(last_change_s, _SPAN_S), Action.DELETE))
        steps.append(Step(_SPAN_S, Action.SYNC))
        return cls(tuple(sorted(steps, key=lambda step: step.at_s)))

    def count(self, *kinds: Action) -> int:
        """How often something of these kinds happens."""
        return sum(step.action in kinds for step in self.steps)


def _moment(action: Action, rng: Random) -> float:
    """A random moment of the round; kills are rather early, when the ledger does not know much of the activity yet."""
    return rng.uniform(0, _SPAN_S) * (rng.random() if action is Action.KILL else 1)


def _stall(rng: Random) -> list[Step]:
    """A process stalls, the activity changes, another process takes over, and the first continues with stale data."""
    at_s = rng.uniform(0, _SPAN_S / 2)
    change = Step(at_s + 0.002, rng.choice((Action.RENAME, Action.CROP)), rng.randint(1, _MOST_CROPPED))
    return [
        Step(at_s, Action.STALL),
        change,
        Step(at_s + 0.004, Action.SYNC),
        Step(at_s + rng.uniform(0.02, 0.15), Action.WAKE),
    ]
