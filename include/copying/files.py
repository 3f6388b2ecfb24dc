"""The file that is uploaded into a child's account."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import replace

from include.circle import Circle
from include.copying.gpx import gpx_document
from include.copying.samples import Samples, chosen_samples, too_few_reason
from include.copying.tcx import tcx_document
from include.copying.title import written_title
from include.errors import Refused
from include.state.copies.ledger import external_id
from include.state.links import Link
from include.strava.models import Activity, StreamSet, UploadFile


def build_file(
    activity: Activity, streams: StreamSet, link: Link, hidden: Sequence[Circle], parent_name: str = ""
) -> UploadFile:
    """The activity as a gzipped GPX file for the link's child, without the points in the `hidden` circles.

    It is a TCX file without positions where the recording has none, or fewer than two of them lie outside the circles,
    which the description then says.

    The file itself contains the copy's title too: the child can download it from Strava.

    Shape: the same input gives the same bytes, so that a second upload is recognised as a duplicate.
    Errors: `Refused` when fewer than two points can be written; `ineligible_reason` tells this beforehand.
    """
    samples = chosen_samples(activity, streams, link.options, hidden)
    reason = too_few_reason(samples)
    if reason is not None:
        raise Refused(
            f"activity {activity.activity_id} cannot be copied to athlete {link.child_id}: {reason}"
            f" {samples.left_out} points lack a time or a position; skip this copy"
        )
    title = written_title(link.options.title, activity, parent_name)
    data_type, document = ("gpx.gz", gpx_document) if samples.has_positions else ("tcx.gz", tcx_document)
    return UploadFile(
        external_id=external_id(activity.activity_id, link.child_id),
        data_type=data_type,
        content=gzip.compress(document(replace(activity, name=title), samples), compresslevel=6, mtime=0),
        name=title,
        sport_type=activity.sport_type,
        description="\n".join(_description(activity, samples, link)),
        points=len(samples),
        trainer=activity.fields.get("trainer") is True,
        commute=activity.fields.get("commute") is True,
        track_hidden=samples.track_hidden,
    )


def _description(activity: Activity, samples: Samples, link: Link) -> Iterator[str]:
    if link.options.link_back:
        yield f"View on Strava: https://www.strava.com/activities/{activity.activity_id}"
    if samples.track_hidden:
        yield "Without its track, which lies too near to where it began or ended."
