"""The athlete's address for mails, which they enter and remove on their own page."""

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
    "The address was not kept; one that you confirmed before stays. Check that it is spelled correctly, then try again "
    "later.",
)
blueprint = Blueprint("own_mail", __name__, url_prefix="/me/mail")
blueprint.before_request(require_athlete)


@dataclass(frozen=True, slots=True)
class ShownAddresses:
    """The athlete's addresses as the own page shows them; each is empty where there is none."""

    confirmed: str
    waiting: str


@blueprint.post("")
def give() -> ResponseReturnValue:
    """Store an address and send it the link that confirms it; until then nothing else is sent there.

    Effects: an address to which the link certainly could not be sent is not kept. One that was confirmed before stays
    in force until the new one is.
    """
    edge, athlete_id = current_edge(), int(current_athlete().athlete_id)
    address = request.form.get("mail_address", "").strip()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        return problem_page(NO_ADDRESS)
    addresses = edge.state.mail_addresses
    if not addresses.claim_link(athlete_id):
        return problem_page(TOO_SOON)
    if not edge.state.brakes.count(f"mail.{athlete_id}", most=MAILS_AN_HOUR):
        return refusal(TOO_MANY_MAILS, edge.state.brakes.resets_in_s(), to_own_page())
    nonce = addresses.give(athlete_id, address)
    if edge.state.erasures.forbid_writing(athlete_id):  # checked after the write, see `Erasures`
        addresses.drop(athlete_id, nonce)
        raise BeingErased(f"everything of athlete {athlete_id} is being erased: no address is kept")
    try:
        _send_link(athlete_id, address, nonce)
    except OutcomeUnknown as err:
        current_app.logger.warning("Whether athlete %d got the link is not known: %s", athlete_id, err)
    except IngestError as err:
        addresses.drop(athlete_id, nonce)
        refused = isinstance(err, MailRefused)
        current_app.logger.log(30 if refused else 40, "Athlete %d got no link by mail: %s", athlete_id, err)
        return problem_page(NOT_SENT)
    return redirect(url_for("me.show", _anchor="mail"), code=303)


@blueprint.post("/forget")
def forget() -> ResponseReturnValue:
    """Remove every address at once: no more mails are sent."""
    current_edge().state.mail_addresses.forget(int(current_athlete().athlete_id))
    return redirect(url_for("me.show", _anchor="mail"), code=303)


@blueprint.app_template_global()
def mail_addresses() -> ShownAddresses:
    """The signed-in athlete's addresses."""
    addresses, athlete_id = current_edge().state.mail_addresses, int(current_athlete().athlete_id)
    found = (addresses.get(athlete_id), addresses.waiting(athlete_id))
    return ShownAddresses(*(_shown(athlete_id, each.sealed) if each else "" for each in found))


@blueprint.app_template_global()
def sends_mails() -> bool:
    """Whether this installation sends mails."""
    return bool(current_edge().settings.mail_url)


def _shown(athlete_id: int, sealed: str) -> str:
    """The address in the clear; words where it cannot be opened, which keeps nobody from the rest of the page."""
    try:
        return current_edge().state.mail_addresses.opened(athlete_id, sealed)
    except IngestError as err:
        current_app.logger.error("The mail address of athlete %d cannot be shown: %s", athlete_id, err)
        return "An address that cannot be shown at the moment"


def _send_link(athlete_id: int, address: str, nonce: str) -> None:
    edge = current_edge()
    mailer = edge.mailer()
    if mailer is None:
        raise MailRefused("MAIL_URL is empty: this installation sends no mails")
    letters = Letters(edge.settings.public_url, edge.settings.operator_name)
    mailer.send(letters.confirm_address(f"confirm.{nonce}", address, link_of(athlete_id, nonce)))
