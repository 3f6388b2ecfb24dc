"""The transitions of a link, from either side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from include.errors import BadRequest
from include.linking.ceilings import has_room_for_child
from include.settings import Settings
from include.state.consent.feed import UNDO_S, LinkAction, Side
from include.state.links import Ending, Link, LinkStatus
from include.store.conflict import retry_on_conflict

if TYPE_CHECKING:  # a page is loaded without the ledgers that it does not name
    from include.state.state import UsesState


@retry_on_conflict
def agree(
    services: UsesState,
    settings: Settings,
    parent_id: int,
    child_id: int,
    names: tuple[str, ...],
    choose: Callable[[Link], Link],
) -> Link:
    """Link a child to a parent by these names; `choose` sets the link's other choices.

    The operator vouches for the consent of both sides, which is dated now. The link is marked as made by the operator,
    and both sides see that in the feed. Linking again replaces the names, and resumes a paused or ended link.
    Errors: `BadRequest` for an athlete who is not connected, or for a link to oneself; those of `choose`.
    """
    if parent_id == child_id:
        raise BadRequest("A link needs two athletes: parent and child are the same.")
    for athlete_id in (parent_id, child_id):
        if not may_be_linked(services, athlete_id):
            raise BadRequest(f"Athlete {athlete_id} is not connected: have them connect at {settings.public_url}/.")
    now_epoch_s = int(services.clock())
    present = services.state.links.get(parent_id, child_id) or Link(parent_id, child_id, names)
    agreed = replace(
        present,
        names=names,
        parent_consent_epoch_s=present.parent_consent_epoch_s or now_epoch_s,
        child_consent_epoch_s=present.child_consent_epoch_s or now_epoch_s,
        status=LinkStatus.ACTIVE,
        agreed=None,
        proposal=None,
        closed_proposal=None,
        ending=None,
        made_by_operator=True,
    )
    return services.state.links.save(choose(agreed.with_entry(now_epoch_s, Side.OPERATOR, LinkAction.LINKED)))


@retry_on_conflict
def change(services: UsesState, parent_id: int, child_id: int, revise: Callable[[Link], Link]) -> Link | None:
    """Store the link that `revise` makes of the stored one, and return it; None if there is none, or it has ended.

    Errors: those of `revise`; then nothing was changed.
    """
    link = services.state.links.get(parent_id, child_id)
    if link is None or link.status is LinkStatus.ENDED:
        return None
    revised = revise(link)
    return link if revised == link else services.state.links.save(revised)


def confirm(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """Note the parent's consent to the child who has accepted. Returns as `change`.

    Activities that begin from now on, or from the chosen day on, are copied.
    Effects: none if the child has not accepted, or the parent has consented before.
    """
    now_epoch_s = int(services.clock())

    def confirmed(link: Link) -> Link:
        if link.child_consent_epoch_s is None or link.parent_consent_epoch_s is not None:
            return link
        confirmed = replace(
            link, parent_consent_epoch_s=now_epoch_s, starts_at_epoch_s=link.starts_at_epoch_s or now_epoch_s
        )
        return replace(
            confirmed,
            agreed=confirmed.with_terms(link.agreed).terms if link.agreed else None,
            proposal=confirmed.with_terms(link.proposal).terms if link.proposal else None,
        ).with_entry(now_epoch_s, Side.PARENT, LinkAction.CONFIRMED)

    return change(services, parent_id, child_id, confirmed)


def pause(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """Pause the link: no copy is made until it is resumed. Returns as `change`."""
    now_epoch_s = services.clock()

    def paused(link: Link) -> Link:
        return replace(link, status=LinkStatus.PAUSED).with_entry(now_epoch_s, Side.PARENT, LinkAction.PAUSED)

    return change(services, parent_id, child_id, paused)


def resume(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """Resume the link: copies are made again, including those that the pause held back. Returns as `change`."""
    now_epoch_s = services.clock()

    def resumed(link: Link) -> Link:
        return replace(link, status=LinkStatus.ACTIVE).with_entry(now_epoch_s, Side.PARENT, LinkAction.RESUMED)

    return change(services, parent_id, child_id, resumed)


@retry_on_conflict
def end(services: UsesState, parent_id: int, child_id: int, by: Side) -> Link | None:
    """End the link: no further copy is made; existing copies stay. Returns the ended link; None if there is none.

    `undo_end` restores it, unless the other side ends the link too, for example on an outdated page: then neither side
    can restore it alone. Effects: safe to repeat.
    """
    link, now_epoch_s = services.state.links.get(parent_id, child_id), int(services.clock())
    if link is None:
        return None
    ending = link.ending
    if link.status is not LinkStatus.ENDED:
        ending = Ending(by, link.status, now_epoch_s + UNDO_S)
    elif ending is None or ending.by is by or ending.undo_until_epoch_s <= now_epoch_s:
        return link
    else:
        ending = replace(ending, undo_until_epoch_s=now_epoch_s)
    ended = replace(link, status=LinkStatus.ENDED, ending=ending)
    return services.state.links.save(ended.with_entry(now_epoch_s, by, LinkAction.ENDED))


@retry_on_conflict
def undo_end(services: UsesState, parent_id: int, child_id: int, by: Side) -> Link | None:
    """Restore the link that this side has ended, and return it; None where that is not possible.

    It cannot after a day, where the other side has ended it, where one of them has disconnected or is being erased, or
    where the parent has linked as many others meanwhile as there may be.
    Effects: safe to repeat.
    """
    link = services.state.links.get(parent_id, child_id)
    if link is None or link.status is not LinkStatus.ENDED:
        return link
    ending, now_epoch_s = link.ending, services.clock()
    if ending is None or ending.by is not by or now_epoch_s >= ending.undo_until_epoch_s:
        return None
    if not (may_be_linked(services, parent_id, child_id) and has_room_for_child(services, parent_id, child_id)):
        return None
    restored = replace(link, status=ending.was, ending=None).with_entry(now_epoch_s, by, LinkAction.END_UNDONE)
    return services.state.links.save(restored)


def may_be_linked(services: UsesState, *athlete_ids: int) -> bool:
    """Whether all of these athletes are connected, and no erasure forbids writing for one of them."""
    athletes = [services.state.athletes.get(athlete_id) for athlete_id in athlete_ids]
    if not all(athlete is not None and athlete.is_connected for athlete in athletes):
        return False
    return not services.state.erasures.forbid_writing(*athlete_ids)
