"""The terms of a link: what a child says yes to, since it decides what comes into the child's account."""

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
    """Activities that begin at or after it; None: those that begin after the parent's confirmation."""
    allow_private: bool
    title: str
    sports: tuple[str, ...] = ()
    """Empty for all."""

    @property
    def fingerprint(self) -> str:
        """The same for the same terms: a yes names by it what it was said to."""
        return hashlib.sha256(json.dumps(encode(self), sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class SetAside:
    """A proposal that the child declined, or that the parent withdrew."""

    terms: Terms
    by: Side
    undo_until_epoch_s: int
    """Until then whoever set it aside can have it back."""
