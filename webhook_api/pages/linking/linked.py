"""An athlete's links and invitations, as the own page shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from include.linking.consent import asked_again_at_epoch_s
from include.state.accounts.athletes import AthleteRow
from include.state.consent.feed import Side
from include.state.consent.terms import ClosedProposal
from include.state.invites import Invite
from include.state.links import Ending, Link, LinkStatus
from webhook_api.edge import current_edge
from webhook_api.pages.linking.feed import FeedLine, feed_lines
from webhook_api.pages.linking.inviting import is_undoable
from webhook_api.pages.linking.terms_table import TermsLine, compare, list_terms


@dataclass(frozen=True, slots=True)
class Linked:
    """A link as one side sees it, and the athlete at its other end, who is None after an erasure."""

    link: Link
    athlete: AthleteRow | None
    side: Side
    now_epoch_s: float

    @property
    def is_shown(self) -> bool:
        """Whether the link has not ended, or this side ended it and can restore it."""
        return self.link.status is not LinkStatus.ENDED or self.undo_until_epoch_s is not None

    @property
    def undo_until_epoch_s(self) -> int | None:
        """Until when this side can restore the link that it ended; None if it cannot."""
        return self._undo_until_epoch_s(self.link.ending)

    @property
    def reopen_until_epoch_s(self) -> int | None:
        """Until when this side can reopen the proposal that it closed; None if it cannot."""
        return self._undo_until_epoch_s(self.link.closed_proposal)

    @property
    def asked_again_at_epoch_s(self) -> int | None:
        """From when on the child, who has said no to a change, can be asked for another; None where it can be now."""
        at_epoch_s = asked_again_at_epoch_s(self.link)
        return at_epoch_s if self.now_epoch_s < at_epoch_s else None

    def _undo_until_epoch_s(self, decision: Ending | ClosedProposal | None) -> int | None:
        is_here = self.athlete is not None and self.athlete.is_connected
        if decision is None or decision.by is not self.side or not is_here:
            return None
        return decision.undo_until_epoch_s if self.now_epoch_s < decision.undo_until_epoch_s else None

    @property
    def proposal(self) -> list[TermsLine]:
        """The terms in force beside the proposed ones; empty without a proposal."""
        return compare(self.link.terms, self.link.proposal) if self.link.proposal else []

    @property
    def in_force(self) -> list[TermsLine]:
        """What copies are made by."""
        return list_terms(self.link.terms)

    @property
    def initials(self) -> str:
        """The first letters of the other athlete's names."""
        athlete = self.athlete
        letters = [name[:1] for name in (athlete.firstname, athlete.lastname)] if athlete else []
        return "".join(letter for letter in letters if letter.isalnum()).upper()


@dataclass(frozen=True, slots=True)
class Family:
    """An athlete's links, invitations and feed."""

    children: list[Linked]
    parents: list[Linked]
    invites: list[Invite]
    """The open invitations, and the withdrawn ones that can be reopened, sorted by expiry."""
    feed: list[FeedLine]
    all_children: list[Link] = field(repr=False)
    """The links to all children, ended ones included."""


def family_of(athlete_id: int) -> Family:
    """The links, invitations and feed of an athlete."""
    edge = current_edge()
    now_epoch_s = edge.clock()
    children, parents = edge.state.links.of_parent(athlete_id), edge.state.links.of_child(athlete_id)
    invites = sorted(edge.state.invites.of_parent(athlete_id), key=lambda invite: invite.expires_at_epoch_s)
    others = edge.state.athletes.get_all([link.child_id for link in children] + [link.parent_id for link in parents])
    names = {other_id: other.firstname for other_id, other in others.items()}
    return Family(
        children=_shown(Linked(link, others.get(link.child_id), Side.PARENT, now_epoch_s) for link in children),
        parents=_shown(Linked(link, others.get(link.parent_id), Side.CHILD, now_epoch_s) for link in parents),
        invites=[
            invite
            for invite in invites
            if invite.child_id is None and (invite.closing is None or is_undoable(invite, now_epoch_s))
        ],
        feed=feed_lines(children, parents, names, invites),
        all_children=children,
    )


def _shown(found: Iterable[Linked]) -> list[Linked]:
    return [linked for linked in found if linked.is_shown]
