"""The pages on which a child answers a parent's proposal, or ends the link."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from include.linking import consent, links
from include.state.consent.feed import Side
from include.state.links import Link, LinkStatus
from webhook_api.edge import current_edge
from webhook_api.errors import NOT_UNDONE, PROPOSAL_REPLACED, problem_page, to_own_page
from webhook_api.pages.foreign_text import foreign, plainly
from webhook_api.pages.linking.questions import Question, ask
from webhook_api.session import current_athlete, require_athlete

_READS_THE_END = Markup("{} reads that you ended the link.")
_READS_THE_NO = Markup("What you agreed to stays as it is. {} reads that you said no.")
_NOT_ASKED_AGAIN = Markup("{} cannot ask you for another change for a week.")

blueprint = Blueprint("parents", __name__, url_prefix="/me/parents")
blueprint.before_request(require_athlete)


@blueprint.get("/<int:parent_id>/end")
def ask_end(parent_id: int) -> ResponseReturnValue:
    """Ask once."""
    if _link(parent_id).status is LinkStatus.ENDED:
        return _back()
    return ask(
        Question(
            f"End the link with {_name(parent_id)}?",
            (
                "Nothing more is copied to your account. Copies already made stay; you can delete them on Strava.",
                _READS_THE_END.format(foreign(_name(parent_id))),
                "You can undo this for a day.",
            ),
            "End the link",
            address=url_for("parents.end", parent_id=parent_id),
            back=url_for("me.show", _anchor="parents"),
        )
    )


@blueprint.post("/<int:parent_id>/end")
def end(parent_id: int) -> ResponseReturnValue:
    """End the link: no further copies from this parent; existing ones stay. Ending twice changes nothing."""
    _link(parent_id)
    links.end(current_edge(), parent_id, current_athlete().athlete_id, Side.CHILD)
    return _back()


@blueprint.post("/<int:parent_id>/undo")
def undo(parent_id: int) -> ResponseReturnValue:
    """Restore the link that the child ended."""
    _link(parent_id)
    restored = links.undo_end(current_edge(), parent_id, current_athlete().athlete_id, Side.CHILD)
    return problem_page(NOT_UNDONE, to_own_page()) if restored is None else _back()


@blueprint.post("/<int:parent_id>/accept")
def accept(parent_id: int) -> ResponseReturnValue:
    """Accept the proposal that the page showed, and no other."""
    _link(parent_id)
    seen = request.form.get("seen", "")
    if not consent.accept(current_edge(), parent_id, current_athlete().athlete_id, seen):
        return problem_page(PROPOSAL_REPLACED, to_own_page())
    return _back()


@blueprint.get("/<int:parent_id>/decline")
def ask_decline(parent_id: int) -> ResponseReturnValue:
    """Ask once."""
    proposal = _link(parent_id).proposal
    if proposal is None:
        return problem_page(PROPOSAL_REPLACED, to_own_page())
    name = _name(parent_id)
    return ask(
        Question(
            f"Say no to the change that {name} would like?",
            (
                _READS_THE_NO.format(foreign(name)),
                _NOT_ASKED_AGAIN.format(foreign(name)),
                "You can undo this for a day.",
            ),
            "Say no",
            address=url_for("parents.decline", parent_id=parent_id),
            back=url_for("me.show", _anchor="parents"),
            seen=request.args.get("seen", ""),
        )
    )


@blueprint.post("/<int:parent_id>/decline")
def decline(parent_id: int) -> ResponseReturnValue:
    """Decline the proposal that the page showed: the terms in force stay."""
    _link(parent_id)
    seen = request.form.get("seen", "")
    if not consent.close_proposal(current_edge(), parent_id, current_athlete().athlete_id, Side.CHILD, seen):
        return problem_page(PROPOSAL_REPLACED, to_own_page())
    return _back()


@blueprint.post("/<int:parent_id>/undo-decline")
def undo_decline(parent_id: int) -> ResponseReturnValue:
    """Reopen the declined proposal."""
    _link(parent_id)
    if not consent.reopen_proposal(current_edge(), parent_id, current_athlete().athlete_id, Side.CHILD):
        return problem_page(NOT_UNDONE, to_own_page())
    return _back()


def _link(parent_id: int) -> Link:
    link = current_edge().state.links.get(parent_id, current_athlete().athlete_id)
    if link is None:
        abort(404)
    return link


def _name(parent_id: int) -> str:
    parent = current_edge().state.athletes.get(parent_id)
    return plainly(parent.firstname if parent else "")


def _back() -> ResponseReturnValue:
    return redirect(url_for("me.show", _anchor="parents"), code=303)
