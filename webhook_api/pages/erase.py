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
    """Store the wish, and have Strava confirm the athlete's identity; show the form again if the box is not ticked."""
    if request.form.get("confirm") != CONFIRMED:
        return render_template("erase.html", unconfirmed=True), 400
    return consent.confirm(current_athlete(), WishKind.ERASE)


def fulfil(athlete_id: int, access_token: str) -> ResponseReturnValue:
    """Request the erasure, after Strava has confirmed the athlete's identity; sign the athlete out everywhere.

    Effects: revokes the access at Strava by the token of this flow, because the stored pair may be invalid. Stores the
    request, after which nothing is fetched or copied for the athlete. Then a message in the durable queue starts
    `strava_erase`, or reconcile does if the message is lost. Safe to repeat.
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
