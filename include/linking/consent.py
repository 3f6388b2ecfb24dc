"""What a parent may change alone, and what waits until the child has said yes to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from include.errors import AskedTooSoon
from include.linking.links import both_are_here, change
from include.linking.terms import differing, within
from include.state.consent.feed import UNDO_S, Deed, Side
from include.state.consent.terms import SetAside
from include.state.links import Link, LinkStatus
from include.store.conflict import retry_on_conflict

ASK_AGAIN_AFTER_S = 7 * 86_400
"""How long after a child's no nothing more can be proposed to it."""

if TYPE_CHECKING:  # a page is loaded without the ledgers that it does not name
    from include.state.state import UsesState


def revise(
    services: UsesState, parent_id: int, child_id: int, choose: Callable[[Link], Link], by: Side = Side.PARENT
) -> Link | None:
    """The link after the parent, or the operator for the parent, has chosen anew.

    `choose` is given the link as the parent wishes it at present, and returns it as the parent wishes it now. What the
    child has agreed to holds at once, and so does what only concerns the parent's data; the rest is proposed, in place
    of an earlier proposal. One that was set aside cannot be had back: the latest choice is what the parent wishes.
    Errors: those of `choose`; `AskedTooSoon` where the child would be asked and has said no less than a week ago. Then
    nothing was changed. Returns what `change` does.
    """
    now_epoch_s = services.clock()

    def revised(link: Link) -> Link:
        settled = _settled(link, choose(link.wished))
        wait_s = asked_again_at_epoch_s(link) - now_epoch_s
        if settled.proposal and wait_s > 0:
            raise AskedTooSoon(
                f"athlete {child_id} has said no to a change of the link of {parent_id}, which stays as it is: "
                "ask for less, or a week after the no",
                retry_after_s=wait_s,
            )
        return _noted(link, settled, by, now_epoch_s)

    return change(services, parent_id, child_id, revised)


def asked_again_at_epoch_s(link: Link) -> int:
    """From when on the child can be asked for a yes; 0 where it has said no to nothing."""
    return 0 if link.declined_at_epoch_s is None else link.declined_at_epoch_s + ASK_AGAIN_AFTER_S


def accept(services: UsesState, parent_id: int, child_id: int, seen: str) -> bool:
    """Whether what the child saw is agreed to and in force; `seen` is the fingerprint of the proposal on the page.

    Effects: safe to repeat. None where the proposal is another one by now.
    """
    now_epoch_s = services.clock()

    def accepted(link: Link) -> Link:
        if link.proposal is None or link.proposal.fingerprint != seen:
            return link
        widened = link.on(link.proposal)
        agreed = replace(widened, agreed=widened.terms, proposal=None, set_aside=None, declined_at_epoch_s=None)
        return agreed.noting(now_epoch_s, Side.CHILD, Deed.ACCEPTED)

    link = change(services, parent_id, child_id, accepted)
    return link is not None and link.proposal is None and link.agreed_terms.fingerprint == seen


def set_aside(services: UsesState, parent_id: int, child_id: int, by: Side, seen: str) -> bool:
    """Whether the proposal that was seen is declined by the child, or withdrawn by the parent.

    What was agreed stays in force, and for a day `undo_set_aside` has the proposal back. After a no the child is not
    asked for another change for a week.
    Effects: safe to repeat. None where the proposal is another one by now, or was accepted.
    """
    now_epoch_s = int(services.clock())
    deed = Deed.DECLINED if by is Side.CHILD else Deed.WITHDRAWN

    def set_down(link: Link) -> Link:
        if link.proposal is None or link.proposal.fingerprint != seen:
            return link
        aside = SetAside(link.proposal, by, now_epoch_s + UNDO_S)
        declined_at_epoch_s = now_epoch_s if by is Side.CHILD else link.declined_at_epoch_s
        left = replace(link, proposal=None, set_aside=aside, declined_at_epoch_s=declined_at_epoch_s)
        return left.noting(now_epoch_s, by, deed)

    link = change(services, parent_id, child_id, set_down)
    aside = link.set_aside if link and link.proposal is None else None
    return aside is not None and aside.by is by and aside.terms.fingerprint == seen


@retry_on_conflict
def undo_set_aside(services: UsesState, parent_id: int, child_id: int, by: Side) -> bool:
    """Whether the proposal that this side has set aside waits for the child's yes again.

    It does not after a day, where the parent has chosen anew since, or where one of them has disconnected or is being
    erased.
    Effects: safe to repeat.
    """
    link = services.state.links.get(parent_id, child_id)
    if link is None or link.status is LinkStatus.ENDED:
        return False
    aside, now_epoch_s = link.set_aside, services.clock()
    if aside is None:
        return link.proposal is not None
    if aside.by is not by or now_epoch_s >= aside.undo_until_epoch_s:
        return False
    if not both_are_here(services, parent_id, child_id):
        return False
    waiting = replace(link, proposal=link.on(aside.terms).terms, set_aside=None, declined_at_epoch_s=None)
    services.state.links.save(waiting.noting(now_epoch_s, by, Deed.SETTING_ASIDE_UNDONE))
    return True


def _settled(link: Link, wished: Link) -> Link:
    """The link with as much of the wish in force as the child has agreed to, and the rest proposed."""
    if link.made_by_operator:
        return replace(wished, agreed=None, proposal=None, set_aside=None)
    in_force = within(wished.terms, link.agreed_terms, link.terms)
    is_proposed = in_force != wished.terms
    return replace(
        wished.on(in_force),
        agreed=link.agreed if in_force == link.terms else link.agreed_terms,
        proposal=wished.terms if is_proposed else None,
        set_aside=None,
    )


def _noted(before: Link, after: Link, by: Side, now_epoch_s: float) -> Link:
    """The link whose feed tells the other side of what has changed."""
    changed = differing(before.terms, after.terms)
    if after.options != before.on(after.terms).options:
        changed += ("contents",)
    if changed:
        after = after.noting(now_epoch_s, by, Deed.CHANGED, changed)
    if after.proposal and after.proposal != before.proposal:
        return after.noting(now_epoch_s, by, Deed.PROPOSED, differing(after.terms, after.proposal))
    if before.proposal and not after.proposal:
        return after.noting(now_epoch_s, by, Deed.WITHDRAWN)
    return after
