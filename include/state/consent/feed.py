"""The feed of a link: the latest actions of each side, which the other side's page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from include.store.codec import stored

MOST_ENTRIES = 20
"""A link keeps its latest entries, and a page shows as many of all links."""

UNDO_S = 86_400
"""How long a decision can be undone."""


class Side(StrEnum):
    """Who acted on a link."""

    PARENT = "parent"
    CHILD = "child"
    OPERATOR = "operator"
    """The operator, on the command line; both sides see these entries."""


class LinkAction(StrEnum):
    """An action on a link."""

    LINKED = "linked"
    CONFIRMED = "confirmed"
    CHANGED = "changed"
    """The terms of the link, or the contents of its copies, were changed."""
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    END_UNDONE = "end_undone"
    PROPOSED = "proposed"
    """The parent proposed terms that go beyond what the child has agreed to."""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    """The parent withdrew the proposal."""
    PROPOSAL_REOPENED = "setting_aside_undone"
    """A declined or withdrawn proposal waits for the child's answer again."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One action; it names no athlete."""

    at_epoch_s: int
    by: Side
    action: LinkAction = field(metadata=stored("deed"))
    parts: tuple[str, ...] = ()
    """What changed: names of fields of `Terms`, or `contents`."""


def appended(feed: Sequence[FeedEntry], *entries: FeedEntry) -> tuple[FeedEntry, ...]:
    """The feed with these entries at its end, cut to its latest `MOST_ENTRIES`."""
    return (*feed, *entries)[-MOST_ENTRIES:]
