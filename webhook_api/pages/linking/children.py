"""The pages on which a parent confirms, changes, pauses, resumes or removes the link to a child."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from include.copying.sports import SPORT_TYPES, sport_in_words
from include.copying.trimming import hidden_radius_m
from include.errors import AskedTooSoon
from include.linking import consent, links
from include.state.consent.feed import Side
from include.state.links import CopyOptions, Link, LinkStatus
from webhook_api.edge import current_edge
from webhook_api.errors import (
    LINK_CHANGED,
    NOT_UNDONE,
    PROPOSAL_REPLACED,
    NextStep,
    problem_page,
    to_own_page,
)
from webhook_api.guards.brakes import ASKED_TOO_SOON, refusal
from webhook_api.pages.linking.link_form import LinkForm
from webhook_api.pages.linking.questions import Question, ask
from webhook_api.session import current_athlete, require_athlete

if TYPE_CHECKING:  # a page is loaded without the ledgers that it does not name
    from include.state.state import UsesState

PREVIEW = "preview"
"""The name of the button that shows the title and saves nothing."""

SPORTS = {sport: sport_in_words(sport) for sport in SPORT_TYPES}

blueprint = Blueprint("children", __name__, url_prefix="/me/children")
blueprint.before_request(require_athlete)


@blueprint.get("/<int:child_id>")
def edit(child_id: int) -> ResponseReturnValue:
    """The form of a link's names and options, as the parent wishes them, agreed to or not."""
    link = _link(child_id)
    form = _form_of(link)
    return form_page(form, link, seen=form.fingerprint)


@blueprint.post("/<int:child_id>")
def change(child_id: int) -> ResponseReturnValue:
    """Store other names and options, for the copies made from now on; what goes beyond the child's yes is proposed.

    A form that was opened before the last change is refused: it would take that change back unseen. A child that has
    said no is not asked again for a week.
    """
    form = LinkForm.parse(request.form, current_edge().clock())
    link, seen = _link(child_id), request.form.get("seen", "")
    if PREVIEW in request.form:
        return form_page(form.unsaved(), link, seen=seen)
    if form.problems:
        return form_page(form, link, seen=seen), 400
    present = _form_of(link).fingerprint
    if seen and present not in (seen, form.fingerprint):
        return problem_page(LINK_CHANGED, NextStep(url_for("children.edit", child_id=child_id), "Open the form again"))

    def revised(link: Link) -> Link:
        starts_at_epoch_s = form.starts_at_epoch_s(link.starts_at_epoch_s)
        return replace(link, names=form.names, options=form.options, starts_at_epoch_s=starts_at_epoch_s)

    try:
        return _saved(consent.revise(current_edge(), current_athlete().athlete_id, child_id, revised))
    except AskedTooSoon as err:
        return refusal(ASKED_TOO_SOON, err.retry_after_s, to_own_page())


@blueprint.post("/<int:child_id>/<any(confirm,pause,resume):step>")
def take(child_id: int, step: str) -> ResponseReturnValue:
    """Confirm the athlete who accepted, pause, or resume; a step that was taken before changes nothing."""
    return _saved(STEPS[step](current_edge(), current_athlete().athlete_id, child_id))


@blueprint.get("/<int:child_id>/remove")
def ask_remove(child_id: int) -> ResponseReturnValue:
    """Ask once."""
    link = _link(child_id)
    return ask(
        Question(
            f"Remove {link.names[0]}?",
            (
                "Nothing more is copied. Copies already made stay.",
                "The child reads on their page that the link has ended.",
                "You can undo this for a day.",
            ),
            "Remove",
            address=url_for("children.remove", child_id=child_id),
            back=url_for("me.show", _anchor="children"),
        )
    )


@blueprint.post("/<int:child_id>/remove")
def remove(child_id: int) -> ResponseReturnValue:
    """End the link: no further copies; existing ones stay. Removing twice changes nothing."""
    edge, parent_id = current_edge(), current_athlete().athlete_id
    if edge.state.links.get(parent_id, child_id) is None:
        abort(404)
    links.end(edge, parent_id, child_id, Side.PARENT)
    return redirect(url_for("me.show", _anchor="children"), code=303)


@blueprint.post("/<int:child_id>/undo")
def undo(child_id: int) -> ResponseReturnValue:
    """Restore the link that the parent removed."""
    restored = links.undo_end(current_edge(), current_athlete().athlete_id, child_id, Side.PARENT)
    return problem_page(NOT_UNDONE, to_own_page()) if restored is None else _saved(restored)


@blueprint.get("/<int:child_id>/withdraw")
def ask_withdraw(child_id: int) -> ResponseReturnValue:
    """Ask once."""
    link = _link(child_id)
    if link.proposal is None:
        return problem_page(PROPOSAL_REPLACED, to_own_page())
    return ask(
        Question(
            f"Withdraw the change to the link with {link.names[0]}?",
            ("What was agreed stays as it is.", "You can undo this for a day."),
            "Withdraw",
            address=url_for("children.withdraw", child_id=child_id),
            back=url_for("me.show", _anchor="children"),
            seen=link.proposal.fingerprint,
        )
    )


@blueprint.post("/<int:child_id>/withdraw")
def withdraw(child_id: int) -> ResponseReturnValue:
    """Withdraw the proposal."""
    seen = request.form.get("seen", "")
    if not consent.close_proposal(current_edge(), current_athlete().athlete_id, child_id, Side.PARENT, seen):
        return problem_page(PROPOSAL_REPLACED, to_own_page())
    return redirect(url_for("me.show", _anchor="children"), code=303)


@blueprint.post("/<int:child_id>/undo-withdraw")
def undo_withdraw(child_id: int) -> ResponseReturnValue:
    """Reopen the withdrawn proposal."""
    if not consent.reopen_proposal(current_edge(), current_athlete().athlete_id, child_id, Side.PARENT):
        return problem_page(NOT_UNDONE, to_own_page())
    return redirect(url_for("me.show", _anchor="children"), code=303)


def form_page(form: LinkForm, link: Link | None = None, form_token: str = "", seen: str = "") -> str:
    """The form of a link, or of an invitation where there is none yet; `seen` is what it showed when it was opened."""
    default_trim_m = hidden_radius_m(CopyOptions(), current_athlete().scopes)
    return render_template(
        "link.html",
        form=form,
        preview=form.preview(current_athlete().firstname),
        link=link,
        form_token=form_token,
        seen=seen,
        sports=SPORTS,
        default_trim_m=default_trim_m,
    )


def _form_of(link: Link) -> LinkForm:
    """The form of the link as the parent wishes it, agreed to or not."""
    return LinkForm.of(link.wished.names, link.wished.options, link.wished.starts_at_epoch_s)


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


STEPS: Mapping[str, Callable[[UsesState, int, int], Link | None]] = {
    "confirm": links.confirm,
    "pause": links.pause,
    "resume": links.resume,
}
