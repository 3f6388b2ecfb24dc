"""GPX 1.1 with the elements that Strava reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from include.copying.markup import elements, escaped, interleaved, timestamps
from include.copying.samples import Samples, holds_any
from include.strava.models import Activity

_CREATOR = "Strava Data Ingest"

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="{creator}" xmlns="http://www.topografix.com/GPX/1/1"\
 xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"\
 xmlns:gpxtpx2="http://www.garmin.com/xmlschemas/TrackPointExtension/v2"\
 xmlns:gpxdata="http://www.cluetrust.com/XML/GPXDATA/1/0">
<metadata><name>{title}</name><time>{time}</time></metadata>
<trk><name>{title}</name><type>{sport_type}</type><trkseg>
"""
_TRKPT = '<trkpt lat="%.7f" lon="%.7f">'
_SPEED = ("<gpxtpx2:TrackPointExtension><gpxtpx2:speed>", "</gpxtpx2:speed></gpxtpx2:TrackPointExtension>")
_NEXT_SEGMENT = "</trkseg><trkseg>\n"
_TAIL = "</trkseg></trk>\n</gpx>\n"


def gpx_document(activity: Activity, samples: Samples) -> bytes:
    """`samples` as one track; a new segment begins after points that trimming removed; a pause is a gap in the times.

    =============  =====================================  ==============================================
    value          written as                             why
    =============  =====================================  ==============================================
    elevation      `ele`, and a creator that ends in      else Strava computes the elevation anew, and
                   "with barometer" where there is any    the copy's differs from the original's
    temperature,   `gpxtpx` v1: atemp, hr, cad in the     documented by Strava (cad: in its own exports);
    heart rate,    schema's order                         a run's cadence stays that of one leg
    cadence
    power          bare `power`                           the one form that Strava reads, and writes itself;
                                                          the GPX schema forbids it, the only such breach
    distance       `gpxdata:distance` (Cluetrust)         documented by Strava, and valid
    speed          `gpxtpx2:speed` (Garmin v2)            Strava derives speed itself; for other readers
    sport          `type`                                 for other readers; Strava takes it from the upload
    =============  =====================================  ==============================================

    Units: degrees with seven decimals, all else as in `Samples` with at most three; times in UTC.
    Source: Strava's upload guide and its own GPX exports, 2026-11.
    """
    times = timestamps(samples.epoch_s)
    head = _HEAD.format(
        creator=f"{_CREATOR} with barometer" if holds_any(samples.altitude_m) else _CREATOR,
        title=escaped(activity.name),
        time=times[0] if times else timestamps([int(activity.start_at.timestamp())])[0],
        sport_type=escaped(activity.sport_type),
    )
    return "".join(chain([head], interleaved(*_columns(samples, times)), [_TAIL])).encode()


def _points(samples: Samples) -> Iterable[str]:
    points = map(_TRKPT.__mod__, zip(samples.lat, samples.lon, strict=True))
    if not samples.segment_starts:
        return points
    parted = list(points)
    for at in samples.segment_starts:
        parted[at] = _NEXT_SEGMENT + parted[at]
    return parted


def _columns(samples: Samples, times: Iterable[str]) -> Iterator[str | Iterable[str]]:
    """The columns of a point's text, in the schema's order.

    Version 1 comes before version 2: a reader that takes the first `TrackPointExtension` of any version finds it.
    """
    yield _points(samples)
    yield elements("<ele>", samples.altitude_m, "</ele>")
    yield "<time>"
    yield times
    yield "</time><extensions>"
    yield elements("<power>", samples.watts, "</power>")
    if holds_any(samples.temp_c, samples.heartrate_bpm, samples.cadence_rpm):
        yield "<gpxtpx:TrackPointExtension>"
        yield elements("<gpxtpx:atemp>", samples.temp_c, "</gpxtpx:atemp>")
        yield elements("<gpxtpx:hr>", samples.heartrate_bpm, "</gpxtpx:hr>")
        yield elements("<gpxtpx:cad>", samples.cadence_rpm, "</gpxtpx:cad>")
        yield "</gpxtpx:TrackPointExtension>"
    yield elements("<gpxdata:distance>", samples.distance_m, "</gpxdata:distance>")
    yield elements(_SPEED[0], samples.velocity_mps, _SPEED[1])
    yield "</extensions></trkpt>\n"
