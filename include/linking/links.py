"""The transitions of a link, from either side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from include.errors import BadRequest
from include.settings import Settings
from include.state.links import Link, LinkStatus
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
    """Link a child to a parent by these names, with what `choose` makes of the other choices.

    The caller answers for the consent of both, and its time is noted. Linking again replaces the names, and takes up a
    link that was paused or has ended.
    Errors: `BadRequest` for an athlete who is not connected, or for a link to oneself; those of `choose`.
    """
    if parent_id == child_id:
        raise BadRequest("A link needs two athletes: parent and child are the same.")
    for athlete_id in (parent_id, child_id):
        if services.state.athletes.get(athlete_id) is None:
            raise BadRequest(f"Athlete {athlete_id} is not connected: have them connect at {settings.public_url}/.")
    now_epoch_s = int(services.clock())
    present = services.state.links.get(parent_id, child_id) or Link(parent_id, child_id, names)
    agreed = replace(
        present,
        names=names,
        parent_consent_epoch_s=present.parent_consent_epoch_s or now_epoch_s,
        child_consent_epoch_s=present.child_consent_epoch_s or now_epoch_s,
        status=LinkStatus.ACTIVE,
    )
    return services.state.links.save(choose(agreed))


@retry_on_conflict
def change(services: UsesState, parent_id: int, child_id: int, revise: Callable[[Link], Link]) -> Link | None:
    """The link as `revise` makes it of what is stored; None where there is none, or it has ended.

    Errors: those of `revise`; then nothing was changed.
    """
    link = services.state.links.get(parent_id, child_id)
    if link is None or link.status is LinkStatus.ENDED:
        return None
    revised = revise(link)
    return link if revised == link else services.state.links.save(revised)


def confirm(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """The parent's consent to the child who accepted; nothing before the child has, or where it was given.

    Copies begin with activities that begin from now on, or on the day that was chosen. Returns what `change` does.
    """
    now_epoch_s = int(services.clock())

    def confirmed(link: Link) -> Link:
        if link.child_consent_epoch_s is None or link.parent_consent_epoch_s is not None:
            return link
        return replace(
            link, parent_consent_epoch_s=now_epoch_s, starts_at_epoch_s=link.starts_at_epoch_s or now_epoch_s
        )

    return change(services, parent_id, child_id, confirmed)


def pause(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """No copy is made until the link is resumed. Returns what `change` does."""
    return change(services, parent_id, child_id, lambda link: replace(link, status=LinkStatus.PAUSED))


def resume(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """Copies are made again, those too that the pause kept from being made. Returns what `change` does."""
    return change(services, parent_id, child_id, lambda link: replace(link, status=LinkStatus.ACTIVE))


def end(services: UsesState, parent_id: int, child_id: int) -> Link | None:
    """No further copy is made; those that exist stay. Returns what `change` does."""
    return change(services, parent_id, child_id, lambda link: replace(link, status=LinkStatus.ENDED))
