"""What a parent does about children: invite, confirm who accepted, change, pause, resume, remove."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from include.state.conflict import retry_on_conflict
from include.state.invites import Invites
from include.state.links import Link, Links, LinkStatus
from webhook_api.edge import current_edge
from webhook_api.errors import UNUSABLE_FORM, problem_page
from webhook_api.link_form import LinkForm
from webhook_api.session import current_athlete, require_athlete

blueprint = Blueprint("children", __name__, url_prefix="/me")
blueprint.before_request(require_athlete)


@blueprint.post("/invites")
def invite() -> ResponseReturnValue:
    """The link of a new invitation, shown this once: only its hash is stored."""
    edge = current_edge()
    form = LinkForm.parse(request.form)
    if form is None:
        return problem_page(UNUSABLE_FORM)
    secret = secrets.token_urlsafe(24)
    Invites(edge.store(), edge.clock).create(secret, current_athlete().athlete_id, form.names, form.carried)
    address = edge.settings.public_url + url_for("invites.show", secret=secret)
    return render_template("invited.html", address=address, names=form.names)


@blueprint.post("/children/<int:child_id>")
def change(child_id: int) -> ResponseReturnValue:
    """Other names and options, for the copies made from now on."""
    form = LinkForm.parse(request.form)
    if form is None:
        return problem_page(UNUSABLE_FORM)
    return _saved(child_id, lambda link: replace(link, names=form.names, carried=form.carried))


@blueprint.post("/children/<int:child_id>/<any(confirm,pause,resume,remove):step>")
def take(child_id: int, step: str) -> ResponseReturnValue:
    """Confirm the athlete who accepted, pause, resume, or remove; a step that was taken before changes nothing."""
    now = int(current_edge().clock())
    return _saved(child_id, lambda link: STEPS[step](link, now))


@retry_on_conflict
def _saved(child_id: int, change: Callable[[Link], Link]) -> ResponseReturnValue:
    links = Links(current_edge().store())
    link = links.get(current_athlete().athlete_id, child_id)
    if link is None or link.status is LinkStatus.ENDED:
        abort(404)
    changed = change(link)
    if changed != link:
        links.save(changed)
    return redirect(url_for("me.show"), code=303)


def _confirmed(link: Link, now: int) -> Link:
    """Both have agreed; copies begin with activities that begin from now on."""
    if link.child_consent_epoch_s is None or link.parent_consent_epoch_s is not None:
        return link
    return replace(link, parent_consent_epoch_s=now, starts_at_epoch_s=now)


def _paused(link: Link, _now: int) -> Link:
    return replace(link, status=LinkStatus.PAUSED)


def _resumed(link: Link, _now: int) -> Link:
    return replace(link, status=LinkStatus.ACTIVE)


def _removed(link: Link, _now: int) -> Link:
    return replace(link, status=LinkStatus.ENDED)


STEPS: Mapping[str, Callable[[Link, int], Link]] = {
    "confirm": _confirmed,
    "pause": _paused,
    "resume": _resumed,
    "remove": _removed,
}
