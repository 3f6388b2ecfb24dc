"""The copies in an athlete's account, and the state of their originals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from include.copying.sports import sport_in_words
from include.state.activities.ledger import LedgerEntry
from include.state.copies.ledger import MADE_STATES, Copy, Original
from webhook_api.edge import current_edge
from webhook_api.pages.recent import SHOWN
from webhook_api.pages.times import start_text

_MARKS: Mapping[Original, str] = {
    Original.NAMED: "",
    Original.RENAMED: "The title of the original no longer names you. You can keep this copy, or delete it on Strava.",
    Original.DELETED: "The original was deleted or hidden on Strava. You can keep this copy, or delete it there.",
}


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """One copy in the athlete's account, without a title, which the ledger does not keep."""

    parent_id: int
    sport: str
    began: str
    activity_id: int | None
    """The copy on Strava; None where Strava did not say which it is."""
    mark: str
    """The original's change, in words; empty without a change."""


def latest_received(child_id: int) -> list[ReceivedLine]:
    """The latest copies, by when they were made or their original changed."""
    state = current_edge().state
    made = (copy for copy in state.copies.latest_of_child(child_id) if copy.state in MADE_STATES)
    latest = list(islice(made, SHOWN))
    originals = state.activities.get_all((copy.parent_id, copy.parent_activity_id) for copy in latest)
    return [_line(copy, originals.get(copy.parent_activity_id)) for copy in latest]


def _line(copy: Copy, entry: LedgerEntry | None) -> ReceivedLine:
    return ReceivedLine(
        parent_id=copy.parent_id,
        sport=sport_in_words(entry.sport_type if entry else ""),
        began=start_text(entry.start_at_epoch_s if entry else None),
        activity_id=copy.child_activity_id,
        mark=_MARKS[copy.original],
    )
