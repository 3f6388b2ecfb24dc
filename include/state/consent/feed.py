"""What one side of a link is told of what the other has done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_ENTRIES = 20
"""A link keeps its latest entries, and a page shows as many of all links."""

UNDO_S = 86_400
"""How long a decision can be undone."""


class Side(StrEnum):
    """Who has done something to a link."""

    PARENT = "parent"
    CHILD = "child"
    OPERATOR = "operator"
    """Whoever runs the service, on the command line; both sides are told."""


class Deed(StrEnum):
    """What was done."""

    LINKED = "linked"
    CONFIRMED = "confirmed"
    CHANGED = "changed"
    """What a link copies, or what a copy contains."""
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    END_UNDONE = "end_undone"
    PROPOSED = "proposed"
    """The parent wishes more than what the child has agreed to."""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    """The proposal, by the parent."""
    SETTING_ASIDE_UNDONE = "setting_aside_undone"
    """The proposal that was declined or withdrawn waits again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed; it names nobody."""

    at_epoch_s: int
    by: Side
    deed: Deed
    parts: tuple[str, ...] = ()
    """What was changed: fields of `Terms`, or `contents`."""


def told(feed: Sequence[Entry], *entries: Entry) -> tuple[Entry, ...]:
    """The feed with these entries behind the others, and without its oldest ones."""
    return (*feed, *entries)[-MOST_ENTRIES:]
