"""The athlete's address for mails: given on their own page, and taken back there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from include.errors import BeingErased, IngestError, MailRefused, OutcomeUnknown
from include.mail.letters import Letters
from webhook_api.edge import current_edge
from webhook_api.errors import Problem, problem_page, to_own_page
from webhook_api.guards.brakes import MAILS_AN_HOUR, TOO_MANY_MAILS, refusal
from webhook_api.mail.confirmation import link_of
from webhook_api.session import current_athlete, require_athlete

ASK_AGAIN_AFTER_S = 60
"""How long an athlete waits before another mail to confirm an address is sent."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")

NO_ADDRESS = Problem(
    400, "This is not an email address", "Nothing was changed. Go back and enter one such as name@example.org."
)
TOO_SOON = Problem(
    429,
    "We sent you an email a moment ago",
    "Nothing was changed. Look for the email, in your spam folder too. You can ask for another one in a minute.",
)
NOT_SENT = Problem(
    503,
    "We could not send you an email",
    "Your address was not kept. Check that it is spelled correctly, then try again later.",
)
blueprint = Blueprint("own_mail", __name__, url_prefix="/me/mail")
blueprint.before_request(require_athlete)


@dataclass(frozen=True, slots=True)
class ShownAddress:
    """The athlete's address as the own page shows it."""

    text: str
    is_confirmed: bool


@blueprint.post("")
def give() -> ResponseReturnValue:
    """Store an address and send the link by which it is confirmed; nothing else is sent there before.

    Effects: an address to which the link certainly could not be sent is not kept.
    """
    edge, athlete_id = current_edge(), int(current_athlete().athlete_id)
    address = request.form.get("mail_address", "").strip()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        return problem_page(NO_ADDRESS)
    if edge.state.erasures.forbid_writing(athlete_id):
        raise BeingErased(f"everything of athlete {athlete_id} is being erased: no address is kept")
    addresses = edge.state.mail_addresses
    present = addresses.get(athlete_id)
    if present is not None and edge.clock() - present.asked_at_epoch_s < ASK_AGAIN_AFTER_S:
        return problem_page(TOO_SOON)
    if not edge.state.brakes.count(f"mail.{athlete_id}", most=MAILS_AN_HOUR):
        return refusal(TOO_MANY_MAILS, edge.state.brakes.resets_in_s(), to_own_page())
    nonce = addresses.give(athlete_id, address)
    try:
        _send_link(athlete_id, address, nonce)
    except OutcomeUnknown as err:
        current_app.logger.warning("Whether athlete %d got the link is not known: %s", athlete_id, err)
    except IngestError as err:
        addresses.forget(athlete_id)
        refused = isinstance(err, MailRefused)
        current_app.logger.log(30 if refused else 40, "Athlete %d got no link by mail: %s", athlete_id, err)
        return problem_page(NOT_SENT)
    return redirect(url_for("me.show", _anchor="mail"), code=303)


@blueprint.post("/forget")
def forget() -> ResponseReturnValue:
    """Take the address back: no more mails, and it is forgotten at once."""
    current_edge().state.mail_addresses.forget(int(current_athlete().athlete_id))
    return redirect(url_for("me.show", _anchor="mail"), code=303)


@blueprint.app_template_global()
def mail_address() -> ShownAddress | None:
    """The signed-in athlete's address; None where there is none."""
    addresses, athlete_id = current_edge().state.mail_addresses, int(current_athlete().athlete_id)
    present = addresses.get(athlete_id)
    return ShownAddress(addresses.opened(athlete_id, present.sealed), present.is_confirmed) if present else None


@blueprint.app_template_global()
def sends_mails() -> bool:
    """Whether this installation sends mails."""
    return bool(current_edge().settings.mail_url)


def _send_link(athlete_id: int, address: str, nonce: str) -> None:
    edge = current_edge()
    mailer = edge.mailer()
    if mailer is None:
        raise MailRefused("MAIL_URL is empty: this installation sends no mails")
    letters = Letters(edge.settings.public_url, edge.settings.operator_name)
    mailer.send(letters.confirm_address(f"confirm.{nonce}", address, link_of(athlete_id, nonce)))
