"""The pages on which a parent invites a child, confirms, changes, pauses, resumes or removes the link."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from include.copying.sports import SPORT_TYPES, spoken_sport
from include.copying.trimming import hidden_radius_m
from include.linking import links
from include.state.links import CopyOptions, Link, LinkStatus
from webhook_api.edge import current_edge
from webhook_api.pages.link_form import LinkForm
from webhook_api.session import current_athlete, require_athlete

if TYPE_CHECKING:  # a page is loaded without the ledgers that it does not name
    from include.state.state import UsesState

SPORTS = {sport: spoken_sport(sport) for sport in SPORT_TYPES}

blueprint = Blueprint("children", __name__, url_prefix="/me")
blueprint.before_request(require_athlete)


@blueprint.get("/invites/new")
def new_invite() -> ResponseReturnValue:
    """The form of an invitation."""
    return _form_page(LinkForm.of((), CopyOptions(), 0))


@blueprint.post("/invites")
def invite() -> ResponseReturnValue:
    """Create an invitation and show its address once: only its hash is stored."""
    edge = current_edge()
    form = LinkForm.parse(request.form)
    if form.problems:
        return _form_page(form), 400
    secret = secrets.token_urlsafe(24)
    created = edge.state.invites.create(
        secret, current_athlete().athlete_id, form.names, form.options, starts_at_epoch_s=form.starts_at_epoch_s(0)
    )
    address = edge.settings.public_url + url_for("invites.show", secret=secret)
    return render_template("invited.html", address=address, invite=created)


@blueprint.post("/invites/<string(maxlength=64):invite_id>/withdraw")
def withdraw(invite_id: str) -> ResponseReturnValue:
    """Withdraw an open invitation; no effect on a used one, which is a link by now."""
    edge = current_edge()
    invites = edge.state.invites
    present = invites.get(invite_id)
    if present is not None and present.parent_id != current_athlete().athlete_id:
        abort(404)
    invites.withdraw(invite_id)
    return redirect(url_for("me.show", _anchor="children"), code=303)


@blueprint.get("/children/<int:child_id>")
def edit(child_id: int) -> ResponseReturnValue:
    """The form of a link's names and options."""
    link = _link(child_id)
    return _form_page(LinkForm.of(link.names, link.options, link.starts_at_epoch_s), link)


@blueprint.post("/children/<int:child_id>")
def change(child_id: int) -> ResponseReturnValue:
    """Store other names and options, for the copies made from now on."""
    form = LinkForm.parse(request.form)
    if form.problems:
        return _form_page(form, _link(child_id)), 400

    def revised(link: Link) -> Link:
        starts_at_epoch_s = form.starts_at_epoch_s(link.starts_at_epoch_s)
        return replace(link, names=form.names, options=form.options, starts_at_epoch_s=starts_at_epoch_s)

    return _saved(links.change(current_edge(), current_athlete().athlete_id, child_id, revised))


@blueprint.post("/children/<int:child_id>/<any(confirm,pause,resume,remove):step>")
def take(child_id: int, step: str) -> ResponseReturnValue:
    """Confirm the athlete who accepted, pause, resume, or remove; a step that was taken before changes nothing."""
    return _saved(STEPS[step](current_edge(), current_athlete().athlete_id, child_id))


def _saved(link: Link | None) -> ResponseReturnValue:
    if link is None:
        abort(404)
    return redirect(url_for("me.show", _anchor="children"), code=303)


def _link(child_id: int) -> Link:
    """The link to this child, unless it has ended."""
    link = current_edge().state.links.get(current_athlete().athlete_id, child_id)
    if link is None or link.status is LinkStatus.ENDED:
        abort(404)
    return link


def _form_page(form: LinkForm, link: Link | None = None) -> str:
    default_trim_m = hidden_radius_m(CopyOptions(), current_athlete().scopes)
    return render_template("link.html", form=form, link=link, sports=SPORTS, default_trim_m=default_trim_m)


STEPS: Mapping[str, Callable[[UsesState, int, int], Link | None]] = {
    "confirm": links.confirm,
    "pause": links.pause,
    "resume": links.resume,
    "remove": links.end,
}
