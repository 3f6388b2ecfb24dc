"""Has copies looked at again that something stood against which an athlete has just changed."""

from __future__ import annotations

from include.copying.waking import wake_for_access, wake_for_link
from include.state.copies import CopyLedger
from include.state.links import Link
from include.state.quota import Quota
from webhook_api.edge import current_edge

WAKE_S = 60
"""How long after a change of a link the copies that it stood against are due: longer than the change takes."""


def access_given(child_id: int) -> None:
    """Call it after the child has connected. Effects: copies that waited for that are due."""
    edge = current_edge()
    limits = Quota(edge.store(), edge.clock).limits()
    wake_for_access(CopyLedger(edge.store(), edge.clock), child_id, limits, edge.clock())


def link_changes(link: Link) -> None:
    """Call it before and after a link is saved. Effects: copies that were skipped over it are due a minute later.

    A crash after the write leaves none asleep, nor does a run that meanwhile skips one because of the link as it was.
    """
    edge = current_edge()
    limits = Quota(edge.store(), edge.clock).limits()
    wake_for_link(CopyLedger(edge.store(), edge.clock), link.parent_id, link.child_id, limits, edge.clock() + WAKE_S)
