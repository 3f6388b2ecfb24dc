"""The file that is uploaded into a child's account."""

from __future__ import annotations

import gzip
from dataclasses import replace

from include.copying.gpx import gpx_document
from include.copying.samples import chosen_samples, too_few_reason
from include.copying.tcx import tcx_document
from include.copying.title import written_title
from include.errors import Refused
from include.state.copies import external_id
from include.state.links import Link
from include.strava.models import Activity, StreamSet, UploadFile


def build_file(activity: Activity, streams: StreamSet, link: Link, parent_name: str = "") -> UploadFile:
    """The activity as a gzipped GPX file, or TCX where it has no positions, ready for the link's child.

    The file itself bears the copy's title too: Strava lets the child download it.

    Shape: the same input gives the same bytes, so that a second upload is recognised as a duplicate.
    Errors: `Refused` when fewer than two points can be written, which `ineligible_reason` says beforehand.
    """
    samples = chosen_samples(activity, streams, link.carried)
    reason = too_few_reason(samples, link.carried)
    if reason is not None:
        raise Refused(
            f"activity {activity.activity_id} cannot be copied to athlete {link.child_id}: {reason}"
            f" {samples.left_out} points lack a time or a position; skip this copy"
        )
    title = written_title(link.carried.title, activity, parent_name)
    original = f"https://www.strava.com/activities/{activity.activity_id}"
    data_type, document = ("gpx.gz", gpx_document) if samples.placed else ("tcx.gz", tcx_document)
    return UploadFile(
        external_id=external_id(activity.activity_id, link.child_id),
        data_type=data_type,
        content=gzip.compress(document(replace(activity, name=title), samples), compresslevel=6, mtime=0),
        name=title,
        sport_type=activity.sport_type,
        description=f"View on Strava: {original}" if link.carried.link_back else "",
        points=len(samples),
        trainer=activity.fields.get("trainer") is True,
        commute=activity.fields.get("commute") is True,
    )
