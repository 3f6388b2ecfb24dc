"""How many children and open invitations one parent may have, however many tabs ask at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from include.state.links import LinkStatus

if TYPE_CHECKING:  # a page is loaded without the ledgers that it does not name
    from include.state.state import UsesState

CHILDREN = 50
"""How many children one parent may have."""
OPEN_INVITATIONS = 20
"""How many invitations of one parent may be open."""


def has_room_for_child(services: UsesState, parent_id: int, child_id: int) -> bool:
    """Whether this child may be linked; then the link is to be stored at once. Effects: those of `Claims.take`."""
    links = services.state.links

    def standing(claimed: Collection[str]) -> set[str]:
        found = {str(link.child_id): link.status is not LinkStatus.ENDED for link in links.of_parent(parent_id)}
        return {name for name, counts in {**dict.fromkeys(claimed, True), **found}.items() if counts}

    return services.state.claims.take("children", parent_id, str(child_id), most=CHILDREN, standing=standing)


def has_room_for_invitation(services: UsesState, parent_id: int, invite_id: str) -> bool:
    """Whether this invitation may be open; then it is to be stored at once. Effects: those of `Claims.take`."""
    invites = services.state.invites

    def standing(claimed: Collection[str]) -> set[str]:
        found = {invite.invite_id for invite in invites.open_of_parent(parent_id)} - set(claimed)
        read = {name: invites.get(name) for name in claimed}  # an index may find them late
        return found | {name for name, invite in read.items() if invite is None or invite.is_open}

    return services.state.claims.take("invitations", parent_id, invite_id, most=OPEN_INVITATIONS, standing=standing)
