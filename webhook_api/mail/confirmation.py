"""The page of the link by which an athlete confirms an address."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from webhook_api.edge import current_edge
from webhook_api.errors import Problem, problem_page

LINK_GONE = Problem(
    410,
    "This link can no longer be used",
    "A link that confirms an address works once, for a day. If you have just used it, all is well. Otherwise, enter "
    "the address again on your page.",
    start_again=True,
)

blueprint = Blueprint("mail", __name__, url_prefix="/mail")


@blueprint.get("/confirm/<string(maxlength=512):token>")
def ask(token: str) -> ResponseReturnValue:
    """Show the button that confirms: mail scanners open links too, but press no buttons."""
    if _read(token) is None:
        return problem_page(LINK_GONE)
    return render_template("mail/confirm.html")


@blueprint.post("/confirm/<string(maxlength=512):token>")
def confirm(token: str) -> ResponseReturnValue:
    """Confirm the address; the link works only once."""
    read = _read(token)
    if read is None or not current_edge().state.mail_addresses.confirm(*read):
        return problem_page(LINK_GONE)
    return render_template("mail/confirmed.html")


def link_of(athlete_id: int, nonce: str) -> str:
    """The link to send to the address that this nonce confirms."""
    token = str(_signer().dumps([athlete_id, nonce]))
    return current_edge().settings.public_url + url_for("mail.ask", token=token)


def _read(token: str) -> tuple[int, str] | None:
    """The athlete and the nonce of a link that we signed; None if no address waits for this nonce."""
    try:
        athlete_id, nonce = _signer().loads(token)
    except BadSignature:
        return None
    present = current_edge().state.mail_addresses.waiting(athlete_id)
    return (athlete_id, nonce) if present is not None and present.nonce == nonce else None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_edge().settings.cookie_keys, salt="mail-address")
