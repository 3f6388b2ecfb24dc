"""The pages on which an athlete asks to be erased, and the notices to others about it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from include.queue.content import EraseAthlete, to_body
from include.state.accounts.notices import NoticeKind
from include.state.accounts.wishes import WishKind
from include.state.erasures.ledger import EraseReason
from webhook_api.edge import current_edge
from webhook_api.pages import consent
from webhook_api.pages.times import day_text
from webhook_api.session import current_athlete, end_session, require_athlete
from webhook_api.site.certificate import certificate_address

CONFIRMED = "erase"

blueprint = Blueprint("erase", __name__, url_prefix="/me/erase")
blueprint.before_request(require_athlete)


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice on an athlete's page."""

    day: str
    kind: NoticeKind


@blueprint.get("")
def ask() -> ResponseReturnValue:
    """Show what is erased, what stays, and the form."""
    return render_template("erase.html", unconfirmed=False)


@blueprint.post("")
def confirm() -> ResponseReturnValue:
    """Note the request and have Strava confirm who asks; show the form again where the box is not ticked."""
    if request.form.get("confirm") != CONFIRMED:
        return render_template("erase.html", unconfirmed=True), 400
    return consent.confirm(current_athlete(), WishKind.ERASE)


def fulfil(athlete_id: int, access_token: str) -> ResponseReturnValue:
    """Store the request that Strava has confirmed, sign out everywhere and say that it is under way.

    Effects: ends the access at Strava by the token that confirmed it: the stored pair may be older and dead. Stores the
    request, after which nothing new is fetched or copied; then a message in the durable queue starts `strava_erase`,
    and reconcile does if that is lost. Safe to repeat.
    """
    edge = current_edge()
    edge.oauth().revoke(athlete_id, access_token)
    erasure = edge.state.erasures.ask_now(athlete_id, EraseReason.ATHLETE)
    edge.state.certificates.open(erasure)
    edge.state.athletes.end_sessions(athlete_id)
    end_session()
    edge.queue().send(to_body(EraseAthlete(athlete_id, erasure.grounds, edge.clock())))
    return render_template("erased.html", address=certificate_address(edge.settings, erasure.link_id))


@blueprint.app_template_global()
def notices() -> list[NoticeLine]:
    """The signed-in athlete's notices, newest first."""
    edge = current_edge()
    found = edge.state.notices.of_athlete(current_athlete().athlete_id)
    return [
        NoticeLine(
            day_text(notice.happened_at_epoch_s),
            notice.kind,
        )
        for notice in sorted(found, key=lambda notice: -notice.happened_at_epoch_s)
    ]
