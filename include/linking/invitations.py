"""Accepting and declining of invitations."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from include.linking.ceilings import CHILDREN, has_room_for_child, has_room_for_invitation
from include.linking.links import may_be_linked
from include.state.consent.feed import LinkAction, Side
from include.state.invites import Invite, invite_id_of
from include.state.links import Link, LinkStatus
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT

if TYPE_CHECKING:  # a page is loaded without the ledgers that it does not name
    from include.state.state import UsesState


class Objection(Enum):
    """Why a child cannot accept an invitation."""

    GONE = auto()
    """Another child has accepted it, or it was withdrawn or declined, or has expired."""
    OWN = auto()
    """The athlete has written it."""
    LINKED = auto()
    """The athletes have a link that has not ended."""
    FULL = auto()
    """The parent has `CHILDREN` children."""


def find_open(services: UsesState, secret: str) -> Invite | None:
    """The invitation with this secret; None if nobody can accept it now."""
    invite = services.state.invites.find(secret)
    return invite if invite is not None and _is_open(services, invite) else None


def objection(services: UsesState, invite_id: str, child_id: int) -> Objection | None:
    """Why the child cannot accept the invitation; None if the child can."""
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
    """Accept the invitation for the child; returns why the child cannot, or None.

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
    """Decline the invitation with this secret; False where it is used, expired or does not exist.

    Effects: the parent's page shows it. For a day `undo_decline` reopens it, in the same browser. Safe to repeat.
    """
    return services.state.invites.close(invite_id_of(secret), Side.CHILD, browser)


def undo_decline(services: UsesState, secret: str, browser: str) -> bool:
    """Reopen the invitation that was declined in this browser; returns whether it is no longer closed.

    It is not after a day, where the parent has disconnected or is being erased, or has made as many others meanwhile as
    there may be. Effects: safe to repeat.
    """
    invite = services.state.invites.find(secret)
    return invite is not None and reopen(services, invite, Side.CHILD, browser)


def reopen(services: UsesState, invite: Invite, by: Side, browser: str = "") -> bool:
    """Whether the invitation that this side has closed is open again, as `undo_decline` says."""
    if not may_be_linked(services, invite.parent_id):
        return False
    if not has_room_for_invitation(services, invite.parent_id, invite.invite_id):
        return False
    return services.state.invites.reopen(invite.invite_id, by, browser)


@retry_on_conflict
def _link(services: UsesState, invite: Invite, child_id: int) -> None:
    present = services.state.links.get(invite.parent_id, child_id)
    if present is not None and present.status is not LinkStatus.ENDED:
        return  # the athletes were linked meanwhile: that link stays
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
    services.state.links.save(agreed.with_entry(now_epoch_s, Side.CHILD, LinkAction.LINKED))


def _is_open(services: UsesState, invite: Invite) -> bool:
    """Whether a child may accept it: nobody has accepted or closed it, or a crash lost the link of the child who did.

    Not while the parent is disconnected or being erased.
    """
    if invite.closing is not None or not may_be_linked(services, invite.parent_id):
        return False
    if invite.child_id is None:
        return True
    link = services.state.links.get(invite.parent_id, invite.child_id)
    return link is None or _is_older(link, invite)


def _is_older(link: Link, invite: Invite) -> bool:
    """Whether the link has ended and is older than the acceptance, so that it did not come from this invitation."""
    agreed_at_epoch_s, accepted_at_epoch_s = link.child_consent_epoch_s, invite.accepted_at_epoch_s
    if agreed_at_epoch_s is None or accepted_at_epoch_s is None:
        return False
    return link.status is LinkStatus.ENDED and agreed_at_epoch_s < accepted_at_epoch_s
