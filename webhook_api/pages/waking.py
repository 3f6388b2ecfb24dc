"""Makes copies due that waited for an athlete's access."""

from __future__ import annotations

from include.copying.waking import wake_for_access
from webhook_api.edge import current_edge


def access_given(child_id: int) -> None:
    """Call it after the child has connected. Effects: copies that waited for that are due."""
    edge = current_edge()
    limits = edge.state.quota.limits()
    wake_for_access(edge.state.copies, child_id, limits, edge.clock())
