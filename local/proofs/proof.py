"""A proof: a function that tests a claim for minutes and returns verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from local.proofs.verdict import Advance, Verdict

LONGEST_S = 600
"""No proof takes longer on a quiet machine of two cores."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard a proof tries."""

    is_small: bool
    """The smallest size that still shows that the proof works, for the gate; its figures are on no page."""
    seed: int
    """The seed of all random choices."""
    advance: Advance
    """Called with the number of finished rounds."""
    closing: ExitStack
    """Closes at the end of the command; for resources that several proofs share."""

    def rounds(self, full: int, *, small: int) -> int:
        """One of the two sizes."""
        return small if self.is_small else full

    def within_s(self, full_s: float) -> float:
        """A time limit: three times as long in the small size, which runs on a busy machine."""
        return full_s * 3 if self.is_small else full_s


@dataclass(frozen=True, slots=True)
class Proof:
    """One entry of the list."""

    name: str
    shows: str
    """What it shows, in a line."""
    seconds: int
    """How long the full size takes on a quiet machine of two cores; at most `LONGEST_S`."""
    prove: Callable[[Effort], Sequence[Verdict]]
    """Errors: whatever prevents a verdict; a claim that does not hold is a verdict, not an error."""
