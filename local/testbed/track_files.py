"""Whole tracks in the file formats of copies, without a link and without compression."""

from __future__ import annotations

from include.copying.gpx import gpx_document
from include.copying.samples import positioned_samples, timed_samples
from include.copying.tcx import tcx_document
from include.state.links import CopyOptions
from include.strava.models import Activity, StreamSet


def write_gpx(activity: Activity, streams: StreamSet, options: CopyOptions) -> bytes:
    """The activity's whole track as a GPX file, see `gpx_document`."""
    return gpx_document(activity, positioned_samples(activity, streams, options, ()))


def write_tcx(activity: Activity, streams: StreamSet, options: CopyOptions) -> bytes:
    """The activity's points without positions as a TCX file, see `tcx_document`."""
    return tcx_document(activity, timed_samples(activity, streams, options))
