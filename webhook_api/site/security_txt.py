"""`security.txt` (RFC 9116): where to report a weakness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, abort

from webhook_api.edge import current_edge
from webhook_api.site.service import Service

GOOD_FOR = timedelta(days=180)
"""RFC 9116 asks for less than a year."""

blueprint = Blueprint("security_txt", __name__)


@blueprint.get("/.well-known/security.txt")
def show() -> Response:
    """The contact, valid for half a year from now; 404 if the settings name none."""
    edge = current_edge()
    contact_url = Service.of(edge.settings).contact_url
    if not contact_url:
        abort(404)
    expires = datetime.fromtimestamp(edge.clock(), UTC).replace(microsecond=0) + GOOD_FOR
    lines = (
        f"Contact: {contact_url}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {edge.settings.public_url}/.well-known/security.txt",
    )
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
