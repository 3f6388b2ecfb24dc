"""Changes of a link: those that take effect at once, and those that are proposed to the child."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from include.errors import AskedTooSoon
from include.linking.links import change, may_be_linked
from include.linking.terms import differing, within
from include.state.consent.feed import UNDO_S, LinkAction, Side
from include.state.consent.terms import ClosedProposal
from include.state.links import Link, LinkStatus
from include.store.conflict import retry_on_conflict

ASK_AGAIN_AFTER_S = 7 * 86_400
"""How long a parent has to wait with a new proposal after the child has declined one."""

if TYPE_CHECKING:  # a page is loaded without the ledgers that it does not name
    from include.state.state import UsesState


def revise(
    services: UsesState, parent_id: int, child_id: int, choose: Callable[[Link], Link], by: Side = Side.PARENT
) -> Link | None:
    """Change the link as the parent wants, or the operator for the parent; returns as `change`.

    `choose` gets the link as the parent wanted it before, and returns it as the parent wants it now. What the child
    has agreed to, and the contents of copies, take effect at once; other terms are proposed and replace an earlier
    proposal. A closed proposal cannot be reopened afterwards.
    Errors: those of `choose`; `AskedTooSoon` for a new proposal within `ASK_AGAIN_AFTER_S` of the child's no. Then
    nothing was changed.
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
    """Accept the proposal with the fingerprint `seen`; returns whether these terms are agreed to and in force.

    Effects: none if the proposal has another fingerprint now; safe to repeat.
    """
    now_epoch_s = services.clock()

    def accepted(link: Link) -> Link:
        if link.proposal is None or link.proposal.fingerprint != seen:
            return link
        widened = link.with_terms(link.proposal)
        agreed = replace(widened, agreed=widened.terms, proposal=None, closed_proposal=None, declined_at_epoch_s=None)
        return agreed.with_entry(now_epoch_s, Side.CHILD, LinkAction.ACCEPTED)

    link = change(services, parent_id, child_id, accepted)
    return link is not None and link.proposal is None and link.agreed_terms.fingerprint == seen


def close_proposal(services: UsesState, parent_id: int, child_id: int, by: Side, seen: str) -> bool:
    """Decline the proposal with the fingerprint `seen`, or withdraw it; returns whether this side has closed it.

    What was agreed stays in force, and for a day `reopen_proposal` has the proposal back. After a no the child is not
    asked for another change for a week.
    Effects: safe to repeat. None where the proposal is another one by now, or was accepted.
    """
    now_epoch_s = int(services.clock())
    action = LinkAction.DECLINED if by is Side.CHILD else LinkAction.WITHDRAWN

    def closed(link: Link) -> Link:
        if link.proposal is None or link.proposal.fingerprint != seen:
            return link
        aside = ClosedProposal(link.proposal, by, now_epoch_s + UNDO_S)
        declined_at_epoch_s = now_epoch_s if by is Side.CHILD else link.declined_at_epoch_s
        left = replace(link, proposal=None, closed_proposal=aside, declined_at_epoch_s=declined_at_epoch_s)
        return left.with_entry(now_epoch_s, by, action)

    link = change(services, parent_id, child_id, closed)
    aside = link.closed_proposal if link and link.proposal is None else None
    return aside is not None and aside.by is by and aside.terms.fingerprint == seen


@retry_on_conflict
def reopen_proposal(services: UsesState, parent_id: int, child_id: int, by: Side) -> bool:
    """Reopen the proposal that this side has closed; returns whether a proposal waits for the child's answer now.

    Effects: none after a day, after a later change by the parent, and if one of the athletes has disconnected or is
    being erased; safe to repeat.
    """
    link = services.state.links.get(parent_id, child_id)
    if link is None or link.status is LinkStatus.ENDED:
        return False
    aside, now_epoch_s = link.closed_proposal, services.clock()
    if aside is None:
        return link.proposal is not None
    if aside.by is not by or now_epoch_s >= aside.undo_until_epoch_s:
        return False
    if not may_be_linked(services, parent_id, child_id):
        return False
    waiting = replace(link, proposal=link.with_terms(aside.terms).terms, closed_proposal=None, declined_at_epoch_s=None)
    services.state.links.save(waiting.with_entry(now_epoch_s, by, LinkAction.PROPOSAL_REOPENED))
    return True


def _settled(link: Link, wished: Link) -> Link:
    """The link with the wished terms in force as far as the child has agreed to them, and the rest proposed."""
    if link.made_by_operator:
        return replace(wished, agreed=None, proposal=None, closed_proposal=None)
    in_force = within(wished.terms, link.agreed_terms, link.terms)
    is_proposed = in_force != wished.terms
    return replace(
        wished.with_terms(in_force),
        agreed=link.agreed if in_force == link.terms else link.agreed_terms,
        proposal=wished.terms if is_proposed else None,
        closed_proposal=None,
    )


def _noted(before: Link, after: Link, by: Side, now_epoch_s: float) -> Link:
    """The link with entries in its feed for what has changed."""
    changed = differing(before.terms, after.terms)
    if after.options != before.with_terms(after.terms).options:
        changed += ("contents",)
    if changed:
        after = after.with_entry(now_epoch_s, by, LinkAction.CHANGED, changed)
    if after.proposal and after.proposal != before.proposal:
        return after.with_entry(now_epoch_s, by, LinkAction.PROPOSED, differing(after.terms, after.proposal))
    if before.proposal and not after.proposal:
        return after.with_entry(now_epoch_s, by, LinkAction.WITHDRAWN)
    return after
