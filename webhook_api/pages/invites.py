"""The pages behind an invitation's link: what accepting it means, and the way to accept it."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from include.state.invites import Invite, Invites
from include.state.links import Link, Links, LinkStatus
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT
from include.strava.scopes import ACTIVITY_WRITE, READ
from webhook_api.edge import current_edge
from webhook_api.errors import ALREADY_LINKED, INVITE_GONE, OWN_INVITE, Problem, problem_page
from webhook_api.pages import consent
from webhook_api.pages.consent import OAuthFlow
from webhook_api.pages.recent import day_text
from webhook_api.session import signed_in

blueprint = Blueprint("invites", __name__, url_prefix="/invite")


@blueprint.get("/<secret>")
def show(secret: str) -> ResponseReturnValue:
    """Who invites, by first name only, and what will happen; 410 where the invitation is used or expired."""
    edge = current_edge()
    invite = _invites().find(secret)
    if invite is None or not _is_open(invite):
        return problem_page(INVITE_GONE)
    parent = edge.state.athletes.get(invite.parent_id)
    if parent is None:
        return problem_page(INVITE_GONE)
    athlete = signed_in()
    if athlete is not None and athlete.athlete_id == parent.athlete_id:
        return problem_page(OWN_INVITE)
    return render_template("invite.html", invite=invite, parent=parent, athlete=athlete, day_text=day_text)


@blueprint.post("/<secret>")
def connect(secret: str) -> ResponseReturnValue:
    """On to Strava's consent page, where the child allows uploads; what it allowed before is asked for again.

    Whoever holds the link may decline instead, without connecting: then nobody can use the invitation any more.
    """
    invite = _invites().find(secret)
    if invite is None or not _is_open(invite):
        return problem_page(INVITE_GONE)
    if request.form.get("answer") == "decline":
        _invites().withdraw(invite.invite_id)
        return render_template("declined.html")
    athlete = signed_in()
    if athlete is not None and athlete.athlete_id == invite.parent_id:
        return problem_page(OWN_INVITE)
    allowed = athlete.scopes if athlete else frozenset()
    return consent.begin(OAuthFlow(allowed | {READ, ACTIVITY_WRITE}, invite.invite_id), force=True)


def accept(invite_id: str, child_id: int) -> Problem | None:
    """Use the invitation up for the child, who has just connected; what stands in the way, if anything does.

    Effects: a link that waits for the parent's consent. After a crash between the two writes the child can open the
    invitation again.
    """
    problem = objection(invite_id, child_id)
    if problem is not None:
        return problem
    accepted = _invites().accept(invite_id, child_id)
    if accepted is None:
        return INVITE_GONE
    _link(accepted, child_id)
    return None


def objection(invite_id: str, child_id: int) -> Problem | None:
    """What keeps the child from accepting the invitation, if anything does."""
    invite = _invites().get(invite_id)
    if invite is None or not _is_open(invite):
        return INVITE_GONE
    if invite.parent_id == child_id:
        return OWN_INVITE
    present = _links().get(invite.parent_id, child_id)
    if present is not None and present.status is not LinkStatus.ENDED:
        return ALREADY_LINKED
    return None


@retry_on_conflict
def _link(invite: Invite, child_id: int) -> None:
    edge = current_edge()
    links = _links()
    present = links.get(invite.parent_id, child_id)
    links.save(
        Link(
            parent_id=invite.parent_id,
            child_id=child_id,
            names=invite.names,
            options=invite.options,
            starts_at_epoch_s=invite.starts_at_epoch_s,
            child_consent_epoch_s=int(edge.clock()),
            version=present.version if present else ABSENT,
        )
    )


def _is_open(invite: Invite) -> bool:
    """Whether nobody has accepted it, or a crash lost the link of the one who did."""
    if invite.child_id is None:
        return True
    return _links().get(invite.parent_id, invite.child_id) is None


def _links() -> Links:
    edge = current_edge()
    return edge.state.links


def _invites() -> Invites:
    edge = current_edge()
    return edge.state.invites
