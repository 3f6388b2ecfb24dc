"""The page of an erasure's certificate, at the link that the athlete keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, Response, abort, make_response, render_template

from include.settings import Settings
from include.state.erasures.ledger import Erasure
from webhook_api.edge import current_edge
from webhook_api.pages.times import spoken_day

_KINDS: Mapping[str, str] = {
    "activities": "notes on what became of an activity",
    "activities_objects": "files of activities",
    "activities_rows": "activities in these files",
    "athletes": "profiles, with name, permissions and access",
    "catalog_partitions": "entries in the archive's catalogue",
    "copies": "notes on what became of a copy",
    "copies_objects": "files about copies",
    "copies_rows": "copies in the archive's list",
    "events": "reports of changes from Strava",
    "freshness_objects": "files of monthly counts",
    "freshness_rows": "monthly counts",
    "histories": "notes on loading older activities",
    "invites": "invitations",
    "laps_objects": "files of laps",
    "laps_rows": "laps",
    "listings": "notes on comparing the list of activities",
    "mail_addresses": "email addresses",
    "notices": "notices",
    "outings": "days with copies in the account",
    "partitions": "notes on the archive's folders",
    "places": "places where recordings begin or end",
    "raw_objects": "answers from Strava",
    "sent_mails": "notes on emails sent",
    "streams_objects": "files of recorded points",
    "streams_rows": "recorded points",
    "upload_files": "files made for upload",
}
"""What was removed, in words, by its kind in a certificate; a kind that is missing here is shown as it is."""

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
        render_template(
            "site/certificate.html", document=document, stage=_stage(erasure), instant=_instant, kinds=_KINDS
        )
    )
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _stage(erasure: Erasure | None) -> str:
    """How far an erasure without a finished certificate is; withdrawn where a later request took its place."""
    return erasure.stage.value if erasure else "withdrawn"


def _instant(text: str) -> str:
    """A time of the certificate as people read it."""
    moment = datetime.fromisoformat(text)
    return f"{spoken_day(moment)}, {moment:%H:%M} UTC"
