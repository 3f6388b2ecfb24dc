"""The address of an invitation, and links to share it.

Only the hash of its secret is stored. The web edge derives the secret from the row and its own key, so that the
parent's page can show it again, and a child whom Strava redirects to another browser finds the invitation there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from urllib.parse import quote

from flask import g, url_for
from markupsafe import Markup

from include.state.invites import Invite, invite_id_of
from include.store.codec import encode
from webhook_api.edge import current_edge
from webhook_api.errors import NextStep
from webhook_api.pages.foreign_text import plainly
from webhook_api.pages.linking.link_form import LinkForm

_DIGEST_BYTES = 24


@dataclass(frozen=True, slots=True)
class Sharing:
    """An invitation's address, and links that open a message with it."""

    address: str
    mail: str
    sms: str
    whatsapp: str
    qr: Markup
    """The address as a QR code."""

    @classmethod
    def of(cls, address: str, parent_name: str) -> Sharing:
        """The links to share this address."""
        words = f"{plainly(parent_name)} invites you to get copies of activities on Strava. Open this link: {address}"
        text, subject = quote(words, safe=""), quote("An invitation", safe="")
        return cls(
            address,
            mail=f"mailto:?subject={subject}&body={text}",
            sms=f"sms:?&body={text}",
            whatsapp=f"https://wa.me/?text={text}",
            qr=qr_code(address),
        )


def form_id_of(parent_id: int, form_token: str, form: LinkForm) -> str:
    """The id of the form's invitation: equal if the same form is sent twice, different if it was changed."""
    entered = [parent_id, form_token, form.names, encode(form.options), form.start_text]
    return hashlib.sha256(json.dumps(entered).encode()).hexdigest()[:32]


def secret_of(form_id: str) -> str:
    """The secret of the form's invitation."""
    return _secret(form_id, current_edge().settings.cookie_keys[-1])


def address_of(invite: Invite) -> str:
    """The invitation's address; empty if an older version made the invitation, or its key is no longer configured."""
    settings = current_edge().settings
    for key in reversed(settings.cookie_keys if invite.form_id else []):
        secret = _secret(invite.form_id, key)
        if invite_id_of(secret) == invite.invite_id:
            return settings.public_url + url_for("invites.show", secret=secret)
    return ""


def lead_back_to(invite_id: str) -> None:
    """Make the page of a problem in the present request lead back to the invitation."""
    invite = current_edge().state.invites.get(invite_id)
    address = address_of(invite) if invite else ""
    if address:
        g.next_step = NextStep(address, "Open the invitation again")


def _secret(form_id: str, key: str) -> str:
    digest = hmac.new(key.encode(), f"invitation.{form_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:_DIGEST_BYTES]).decode()


def qr_code(address: str) -> Markup:
    """The address as a QR code, in SVG."""
    import segno

    drawing = segno.make(address, error="m", micro=False)
    return Markup(drawing.svg_inline(border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704  # made of our own address
