"""An invitation's way from the parent who wrote it to the link of the child who accepted it."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from include.linking.ceilings import CHILDREN, has_room_for_child, has_room_for_invitation
from include.linking.links import both_are_here
from include.state.consent.feed import Deed, Side
from include.state.invites import Invite, invite_id_of
from include.state.links import Link, LinkStatus
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT

if TYPE_CHECKING:  # a page is loaded without the ledgers that it does not name
    from include.state.state import UsesState


class Objection(Enum):
    """What keeps a child from accepting an invitation."""

    GONE = auto()
    """It was accepted by another one, withdrawn or declined, or has expired."""
    OWN = auto()
    """It is the child's own."""
    LINKED = auto()
    """The child has a link with the parent that has not ended."""
    FULL = auto()
    """The parent has as many children as one may have."""


def find_open(services: UsesState, secret: str) -> Invite | None:
    """The invitation whose link holds the secret; None for one that cannot be accepted any more."""
    invite = services.state.invites.find(secret)
    return invite if invite is not None and _is_open(services, invite) else None


def objection(services: UsesState, invite_id: str, child_id: int) -> Objection | None:
    """What keeps the child from accepting the invitation; None where nothing does."""
    invite = services.state.invites.get(invite_id)
    if invite is None or not _is_open(services, invite):
        return Objection.GONE
    if invite.parent_id == child_id:
        return Objection.OWN
    present = services.state.links.get(invite.parent_id, child_id)
    if present is not None and present.status is not LinkStatus.ENDED:
        return Objection.LINKED
    if services.state.links.count_children(invite.parent_id) >= CHILDREN:
        return Objection.FULL
    return None


def accept(services: UsesState, invite_id: str, child_id: int) -> Objection | None:
    """Use the invitation up for the child; what keeps the child from it, if anything does.

    Effects: a link that waits for the parent's consent. After a crash between the two writes the child can open the
    invitation again. A child that accepts two of one parent's at the same moment gets one link, by the terms of the
    first; the other one is used up too.
    """
    objected, invite = objection(services, invite_id, child_id), services.state.invites.get(invite_id)
    if objected is not None:
        return objected
    if invite is None:
        return Objection.GONE
    if not has_room_for_child(services, invite.parent_id, child_id):
        return Objection.FULL
    accepted = services.state.invites.accept(invite_id, child_id)
    if accepted is None:
        return Objection.GONE
    _link(services, accepted, child_id)
    return None


def decline(services: UsesState, secret: str, browser: str) -> bool:
    """Close the invitation for the holder of its secret; False where it cannot be accepted any more either.

    Effects: the parent reads of it. For a day `undo_decline` takes it back, in the same browser. Safe to repeat.
    """
    return services.state.invites.close(invite_id_of(secret), Side.CHILD, browser)


def undo_decline(services: UsesState, secret: str, browser: str) -> bool:
    """Whether the invitation that was declined in this browser is open again.

    It is not after a day, where the parent has disconnected or is being erased, or has made as many others meanwhile as
    there may be. Effects: safe to repeat.
    """
    invite = services.state.invites.find(secret)
    return invite is not None and reopen(services, invite, Side.CHILD, browser)


def reopen(services: UsesState, invite: Invite, by: Side, browser: str = "") -> bool:
    """Whether the invitation that this side has closed is open again, as `undo_decline` says."""
    if not both_are_here(services, invite.parent_id):
        return False
    if not has_room_for_invitation(services, invite.parent_id, invite.invite_id):
        return False
    return services.state.invites.reopen(invite.invite_id, by, browser)


@retry_on_conflict
def _link(services: UsesState, invite: Invite, child_id: int) -> None:
    present = services.state.links.get(invite.parent_id, child_id)
    if present is not None and present.status is not LinkStatus.ENDED:
        return  # taken up again meanwhile: what both have agreed to before stands
    now_epoch_s = int(services.clock())
    link = Link(
        parent_id=invite.parent_id,
        child_id=child_id,
        names=invite.names,
        options=invite.options,
        starts_at_epoch_s=invite.starts_at_epoch_s,
        child_consent_epoch_s=now_epoch_s,
        feed=present.feed if present else (),
        version=present.version if present else ABSENT,
    )
    agreed = replace(link, agreed=link.terms)
    services.state.links.save(agreed.noting(now_epoch_s, Side.CHILD, Deed.LINKED))


def _is_open(services: UsesState, invite: Invite) -> bool:
    """Whether nobody has accepted or closed it, or a crash lost the link of the one who accepted.

    It is not while the parent has disconnected or is being erased.
    """
    if invite.closing is not None or not both_are_here(services, invite.parent_id):
        return False
    if invite.child_id is None:
        return True
    link = services.state.links.get(invite.parent_id, invite.child_id)
    return link is None or _is_older(link, invite)


def _is_older(link: Link, invite: Invite) -> bool:
    """Whether the link had ended before its child accepted the invitation, so that it is not what came of that."""
    agreed_at, accepted_at = link.child_consent_epoch_s, invite.accepted_at_epoch_s
    if agreed_at is None or accepted_at is None:
        return False
    return link.status is LinkStatus.ENDED and agreed_at < accepted_at
