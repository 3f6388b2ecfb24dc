"""Training Center XML for activities without positions, which GPX cannot carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from include.copying.markup import elements, escaped, interleaved, timestamps
from include.copying.samples import Samples, holds_any
from include.strava.models import Activity

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"\
 xmlns:ns3="http://www.garmin.com/xmlschemas/ActivityExtension/v2">
<Activities><Activity Sport="{sport}"><Id>{start}</Id>
<Lap StartTime="{start}"><TotalTimeSeconds>{elapsed_s}</TotalTimeSeconds>\
<DistanceMeters>{distance_m:.3f}</DistanceMeters><Calories>0</Calories>\
<Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod>
"""
_TAIL = "</Lap><Notes>{title}</Notes></Activity></Activities>\n</TrainingCenterDatabase>\n"
_ON_FOOT = ("Run", "Walk", "Hike")


def tcx_document(activity: Activity, samples: Samples) -> bytes:
    """`samples` as one activity of one lap, valid TrainingCenterDatabase v2.

    Elevation, distance, heart rate and cadence are the format's own elements; speed and power are in Garmin's `TPX`,
    which repeats the cadence of sports on foot as `RunCadence`. Both hold strides: Strava is reported to read `Cadence`
    for these sports too, in strides. The format has no temperature.
    Calories are written as 0: the format requires a value, and the parent's would be wrong for the child.

    Units: as in `Samples`, with at most three decimals; times in UTC.
    Source: Garmin's schemas TrainingCenterDatabase v2 and ActivityExtension v2.
    """
    times = timestamps(samples.epoch_s)
    start_epoch_s = samples.epoch_s[0] if samples else int(activity.start_at.timestamp())
    head = _HEAD.format(
        sport=_sport(activity.sport_type),
        start=timestamps([start_epoch_s])[0],
        elapsed_s=activity.elapsed_s,
        distance_m=activity.distance_m,
    )
    track = chain(["<Track>\n"], interleaved(*_columns(activity, samples, times)), ["</Track>"]) if samples else ()
    return "".join(chain([head], track, [_TAIL.format(title=escaped(activity.name))])).encode()


def _columns(activity: Activity, samples: Samples, times: Iterable[str]) -> Iterator[str | Iterable[str]]:
    """The columns of a point's text, in the schemas' order."""
    on_foot = activity.sport_type.endswith(_ON_FOOT)
    yield "<Trackpoint><Time>"
    yield times
    yield "</Time>"
    yield elements("<AltitudeMeters>", samples.altitude_m, "</AltitudeMeters>")
    yield elements("<DistanceMeters>", samples.distance_m, "</DistanceMeters>")
    yield elements("<HeartRateBpm><Value>", samples.heartrate_bpm, "</Value></HeartRateBpm>")
    yield elements("<Cadence>", samples.cadence_rpm, "</Cadence>")
    if holds_any(samples.velocity_mps, samples.watts, samples.cadence_rpm if on_foot else ()):
        yield "<Extensions><ns3:TPX>"
        yield elements("<ns3:Speed>", samples.velocity_mps, "</ns3:Speed>")
        if on_foot:
            yield elements("<ns3:RunCadence>", samples.cadence_rpm, "</ns3:RunCadence>")
        yield elements("<ns3:Watts>", samples.watts, "</ns3:Watts>")
        yield "</ns3:TPX></Extensions>"
    yield "</Trackpoint>\n"


def _sport(sport_type: str) -> str:
    """The nearest of the schema's three sports; Strava takes the exact sport from the upload."""
    if sport_type.endswith("Run"):
        return "Running"
    return "Biking" if sport_type.endswith("Ride") else "Other"
