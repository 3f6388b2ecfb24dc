"""The page of an erasure's certificate, at the link that the athlete keeps."""

from __future__ import annotations

import json
from datetime import datetime

from flask import Blueprint, Response, abort, make_response, render_template

from include.settings import Settings
from include.state.erasures.ledger import Erasure
from webhook_api.edge import current_edge

blueprint = Blueprint("certificate", __name__)


def certificate_address(settings: Settings, link_id: str) -> str:
    """The link to keep."""
    return f"{settings.public_url}/certificate/{link_id}"


@blueprint.get("/certificate/<string(maxlength=64):link_id>")
def show(link_id: str) -> Response:
    """Show how far the erasure is, then what was removed and what is final; 404 for a link that nobody was given.

    Needs no session: the athlete is gone by then. It holds no name, and no search engine lists it.
    """
    state = current_edge().state
    certificate = state.certificates.get(link_id)
    if certificate is None:
        abort(404)
    present = state.erasures.get(certificate.athlete_id)
    erasure = present if present and present.began_at_epoch_s == certificate.began_at_epoch_s else None
    document = json.loads(certificate.document) if certificate.document else None
    answer = make_response(
        render_template("site/certificate.html", document=document, stage=_stage(erasure), instant=_instant)
    )
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _stage(erasure: Erasure | None) -> str:
    """How far an erasure without a finished certificate is; withdrawn where a later request took its place."""
    return erasure.stage.value if erasure else "withdrawn"


def _instant(text: str) -> str:
    """A time of the certificate as people read it."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"
