"""The transitions of a link, from either side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from include.errors import BadRequest
from include.linking.ceilings import has_room_for_child
from include.settings import Settings
from include.state.consent.feed import UNDO_S, Deed, Side
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

    The operator vouches for the consent of both sides, which is dated now; the link is marked as the operator's, and
    both sides are told. Linking again replaces the names, and resumes a link that was paused or has ended.
    Errors: `BadRequest` for an athlete who is not connected, or for a link to oneself; those of `choose`.
    """
    if parent_id == child_id:
        raise BadRequest("A link needs two athletes: parent and child are the same.")
    for athlete_id in (parent_id, child_id):
        if not both_are_here(services, athlete_id):
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
        set_aside=None,
        ending=None,
        made_by_operator=True,
    )
    return services.state.links.save(choose(agreed.noting(now_epoch_s, Side.OPERATOR, Deed.LINKED)))


@retry_on_conflict
def change(services: UsesState, parent_id: int, child_id: int, revise: Callable[[Link], Link]) -> Link | None:
    """Store the link that `revise` returns for the stored one, and return it; None if there is none, or it has ended.

    Errors: those of `revise`; then nothing was changed.
    """
    link = services.state.links.get(parent_id, child_id)
    if link is None or link.status is LinkStatus.ENDED:
        return None
    revised = revise(link)
    return link if revised == link else services.state.links.save(revised)


def confirm(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """Note the parent's consent to the child who accepted; no effect before the child has, or if it was given before.

    Activities are copied that begin from now on, or from the chosen day on. Returns as `change`.
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
            agreed=confirmed.on(link.agreed).terms if link.agreed else None,
            proposal=confirmed.on(link.proposal).terms if link.proposal else None,
        ).noting(now_epoch_s, Side.PARENT, Deed.CONFIRMED)

    return change(services, parent_id, child_id, confirmed)


def pause(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """Pause the link: no copy is made until it is resumed. Returns as `change`."""
    now_epoch_s = services.clock()

    def paused(link: Link) -> Link:
        return replace(link, status=LinkStatus.PAUSED).noting(now_epoch_s, Side.PARENT, Deed.PAUSED)

    return change(services, parent_id, child_id, paused)


def resume(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """Resume the link: copies are made again, including those that the pause held back. Returns as `change`."""
    now_epoch_s = services.clock()

    def resumed(link: Link) -> Link:
        return replace(link, status=LinkStatus.ACTIVE).noting(now_epoch_s, Side.PARENT, Deed.RESUMED)

    return change(services, parent_id, child_id, resumed)


@retry_on_conflict
def end(services: UsesState, parent_id: int, child_id: int, by: Side) -> Link | None:
    """End the link: no further copy is made; existing copies stay. Returns the ended link; None if there is none.

    `undo_end` reverses it, unless the other side ends the link too, from a page that is out of date for one: then both
    have said so, and neither can take it back alone. Effects: safe to repeat.
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
    return services.state.links.save(ended.noting(now_epoch_s, by, Deed.ENDED))


@retry_on_conflict
def undo_end(services: UsesState, parent_id: int, child_id: int, by: Side) -> Link | None:
    """The link as it was before this side ended it; None where it cannot be had back.

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
    if not (both_are_here(services, parent_id, child_id) and has_room_for_child(services, parent_id, child_id)):
        return None
    restored = replace(link, status=ending.was, ending=None).noting(now_epoch_s, by, Deed.END_UNDONE)
    return services.state.links.save(restored)


def both_are_here(services: UsesState, *athlete_ids: int) -> bool:
    """Whether all of them are connected and none has asked to be erased."""
    athletes = [services.state.athletes.get(athlete_id) for athlete_id in athlete_ids]
    if not all(athlete is not None and athlete.is_connected for athlete in athletes):
        return False
    return not services.state.erasures.forbid_writing(*athlete_ids)
