"""The pages on which a parent writes an invitation, hands its link on, or withdraws it."""

from __future__ import annotations

import secrets
from contextlib import suppress

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from include.errors import VersionConflict
from include.linking.ceilings import CHILDREN, has_room_for_invitation
from include.linking.invitations import reopen
from include.state.consent.feed import Side
from include.state.invites import Invite, invite_id_of
from include.state.links import CopyOptions
from webhook_api.edge import current_edge
from webhook_api.errors import NOT_UNDONE, problem_page, to_own_page
from webhook_api.guards.brakes import TOO_MANY_CHILDREN, TOO_MANY_INVITATIONS, refusal
from webhook_api.pages.linking.address import Sharing, address_of, form_id_of, secret_of
from webhook_api.pages.linking.children import PREVIEW, form_page
from webhook_api.pages.linking.link_form import LinkForm
from webhook_api.pages.linking.questions import Question, ask
from webhook_api.pages.times import day_text, start_text
from webhook_api.session import current_athlete, require_athlete

blueprint = Blueprint("inviting", __name__, url_prefix="/me/invites")
blueprint.before_request(require_athlete)


@blueprint.get("/new")
def write() -> ResponseReturnValue:
    """The form of an invitation."""
    return form_page(LinkForm.of((), CopyOptions(), 0), form_token=secrets.token_urlsafe(16))


@blueprint.post("")
def create() -> ResponseReturnValue:
    """Create an invitation and redirect to its page; a form that is sent twice creates one."""
    edge, athlete_id = current_edge(), current_athlete().athlete_id
    form = LinkForm.parse(request.form, current_edge().clock())
    form_token = request.form.get("form_token") or secrets.token_urlsafe(16)
    if PREVIEW in request.form:
        return form_page(form.unsaved(), form_token=form_token)
    if form.problems:
        return form_page(form, form_token=form_token), 400
    form_id = form_id_of(athlete_id, form_token, form)
    secret = secret_of(form_id)
    refused = _at_ceiling(athlete_id, invite_id_of(secret))
    if refused is not None:
        return refused
    with suppress(VersionConflict):  # the form was sent before
        edge.state.invites.create(
            secret,
            athlete_id,
            form.names,
            form.options,
            starts_at_epoch_s=form.starts_at_epoch_s(0),
            form_id=form_id,
        )
    return redirect(url_for("inviting.show", invite_id=invite_id_of(secret)), code=303)


@blueprint.get("/<string(maxlength=64):invite_id>")
def show(invite_id: str) -> ResponseReturnValue:
    """Show the invitation's address and links to share it, or how it ended."""
    invite = _own(invite_id)
    address = "" if invite.child_id is not None or invite.closing else address_of(invite)
    return render_template(
        "invites/invited.html",
        invite=invite,
        sharing=Sharing.of(address, current_athlete().firstname) if address else None,
        day_text=day_text,
        start_text=start_text,
        undoable=is_undoable(invite, current_edge().clock()),
    )


@blueprint.get("/<string(maxlength=64):invite_id>/withdraw")
def ask_withdraw(invite_id: str) -> ResponseReturnValue:
    """Ask once."""
    _own(invite_id)
    return ask(
        Question(
            "Withdraw the invitation?",
            ("Then nobody can accept it any more.", "You can undo this for a day."),
            "Withdraw",
            address=url_for("inviting.withdraw", invite_id=invite_id),
            back=url_for("me.show", _anchor="children"),
        )
    )


@blueprint.post("/<string(maxlength=64):invite_id>/withdraw")
def withdraw(invite_id: str) -> ResponseReturnValue:
    """Withdraw an open invitation; no effect on a used one, which is a link by now."""
    _own(invite_id)
    current_edge().state.invites.close(invite_id, Side.PARENT)
    return redirect(url_for("me.show", _anchor="children"), code=303)


@blueprint.post("/<string(maxlength=64):invite_id>/undo")
def undo(invite_id: str) -> ResponseReturnValue:
    """Reopen the withdrawn invitation."""
    invite = _own(invite_id)
    if not reopen(current_edge(), invite, Side.PARENT):
        return problem_page(NOT_UNDONE, to_own_page())
    return redirect(url_for("inviting.show", invite_id=invite_id), code=303)


def is_undoable(invite: Invite, now_epoch_s: float) -> bool:
    """Whether the parent has withdrawn the invitation and can reopen it."""
    closing = invite.closing
    if closing is None or closing.by is not Side.PARENT:
        return False
    return now_epoch_s < min(closing.undo_until_epoch_s, closing.good_until_epoch_s)


def _at_ceiling(athlete_id: int, invite_id: str) -> ResponseReturnValue | None:
    """The page that says that there are as many children or other invitations as there can be; else None."""
    edge = current_edge()
    if edge.state.links.count_children(athlete_id) >= CHILDREN:
        return problem_page(TOO_MANY_CHILDREN, to_own_page())
    if has_room_for_invitation(edge, athlete_id, invite_id):
        return None
    open_ones = edge.state.invites.open_of_parent(athlete_id)
    first_end_epoch_s = min((invite.expires_at_epoch_s for invite in open_ones), default=edge.clock())
    return refusal(TOO_MANY_INVITATIONS, first_end_epoch_s - edge.clock(), to_own_page())


def _own(invite_id: str) -> Invite:
    """The parent's own invitation; for another's, as for an unknown one, the answer is 404."""
    invite = current_edge().state.invites.get(invite_id)
    if invite is None or invite.parent_id != current_athlete().athlete_id:
        abort(404)
    return invite
