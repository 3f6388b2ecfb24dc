"""The athlete's own page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from include.queue.content import LookAgain, to_body
from include.state.accounts.athletes import AthleteRow
from include.state.copies.ledger import NOT_MADE_STATES, Copy
from include.state.links import Link
from webhook_api.edge import current_edge
from webhook_api.errors import to_own_page
from webhook_api.guards.brakes import JUST_TRIED, TRY_EVERY_S, refusal
from webhook_api.pages.linking.children import SPORTS
from webhook_api.pages.linking.linked import family_of
from webhook_api.pages.received import latest_received
from webhook_api.pages.recent import SHOWN, ActivityLine, describe
from webhook_api.pages.times import day_text, start_text
from webhook_api.session import current_athlete, require_athlete

blueprint = Blueprint("me", __name__, url_prefix="/me")
blueprint.before_request(require_athlete)


@blueprint.get("")
def show() -> ResponseReturnValue:
    """Show the athlete's scopes, children and invitations, parents and their copies, and the latest activities."""
    athlete = current_athlete()
    family = family_of(athlete.athlete_id)
    received = latest_received(athlete.athlete_id)
    return render_template(
        "me.html",
        athlete=athlete,
        scopes=athlete.scopes,
        family=family,
        received=received,
        givers=current_edge().state.athletes.get_all({line.parent_id for line in received}),
        day_text=day_text,
        start_text=start_text,
        sports=SPORTS,
        activities=_recent(athlete.athlete_id, family.all_children),
        refused_since=_refused_since(athlete),
        is_leaving=_is_leaving(athlete.athlete_id),
    )


@blueprint.post("/copies/<int:activity_id>/<int:child_id>/again")
def again(activity_id: int, child_id: int) -> ResponseReturnValue:
    """Retry a copy that failed or was skipped; no effect on one that was made or is under way.

    At most one try a minute, because each costs calls of the budget that all athletes share.
    Effects: the copy is due, and its activity queued; after a crash in between reconcile queues it.
    """
    edge = current_edge()
    athlete_id = current_athlete().athlete_id
    copies = edge.state.copies
    copy = copies.get(activity_id, child_id)
    if copy is None or copy.parent_id != athlete_id:
        abort(404)
    wait_s = copy.updated_at_epoch_s + TRY_EVERY_S - edge.clock()
    if copy.state in NOT_MADE_STATES and wait_s > 0:
        return refusal(JUST_TRIED, wait_s, to_own_page())
    if copies.reopen(activity_id, child_id, edge.clock()):
        edge.queue().send(to_body(LookAgain(athlete_id, activity_id, edge.clock())))
    return redirect(url_for("me.show", _anchor="recent"), code=303)


def _refused_since(athlete: AthleteRow) -> str | None:
    """The day on which Strava began to refuse the tokens, once that is `REFUSED_FOR_LONG_S` ago; else None."""
    since_epoch_s = athlete.refused_at_epoch_s
    if since_epoch_s is None or not athlete.is_refused_for_long(current_edge().clock()):
        return None
    return day_text(since_epoch_s)


def _is_leaving(athlete_id: int) -> bool:
    """Whether the athlete has asked for an erasure that has not begun."""
    edge = current_edge()
    erasure = edge.state.erasures.get(athlete_id)
    return erasure is not None and erasure.is_withdrawable


def _recent(athlete_id: int, children: Sequence[Link]) -> list[ActivityLine]:
    edge = current_edge()
    links = {link.child_id: link for link in children}
    entries = edge.state.activities.latest(athlete_id, SHOWN)
    copies: defaultdict[int, list[Copy]] = defaultdict(list)
    for copy in edge.state.copies.of_activities([entry.activity_id for entry in entries], links):
        copies[copy.parent_activity_id].append(copy)
    return [describe(entry, copies[entry.activity_id], links, edge.clock()) for entry in entries]
