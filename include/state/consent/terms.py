"""The terms of a link: what the child agrees to, because it decides what is copied to the child's account."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from include.state.consent.feed import Side
from include.store.codec import encode


@dataclass(frozen=True, slots=True)
class Terms:
    """Which activities are copied over a link, and under which title."""

    names: tuple[str, ...]
    starts_at_epoch_s: int | None
    """Activities that begin at or after this time are copied; None means from the parent's confirmation on."""
    allow_private: bool
    title: str
    sports: tuple[str, ...] = ()
    """Empty for all."""

    @property
    def fingerprint(self) -> str:
        """A hash that is equal for equal terms: an answer names by it the proposal that it answers."""
        return hashlib.sha256(json.dumps(encode(self), sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ClosedProposal:
    """A proposal that the child declined or the parent withdrew."""

    terms: Terms
    by: Side
    undo_until_epoch_s: int
    """Until then the side that closed it can reopen it."""
