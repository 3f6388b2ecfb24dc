"""The fingerprint of an activity: the fields whose change makes it be fetched again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from include.strava.models import Activity

_FORMAT = "2"
_LARGEST = 1e12
_MEASURES = ("moving_time", "total_elevation_gain", "elev_high", "elev_low")
"""Fields that change with a corrected recording, beside distance and elapsed time."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Two digests of fields that a list row and a detail both carry.

    `track` changes when the recording itself did (a crop, a correction, another upload): only then streams are fetched
    again. `metadata` changes with the fields that copies depend on: title, sport, visibility.
    """

    track: str
    metadata: str

    @classmethod
    def of(cls, activity: Activity) -> Fingerprint:
        """The fingerprint of a list row or a detail; equal for both while Strava holds the same activity."""
        fields = activity.fields
        return cls(
            track=_digest(*_recording(activity), *(_rounded(fields.get(name)) for name in _MEASURES)),
            metadata=_digest(activity.name, activity.sport_type, activity.visibility),
        )

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """The fingerprint that `str()` wrote; an empty text or an older version's equals no activity's fingerprint.

        So the next sync fetches the streams once more of an activity that an older version stored.
        """
        if not text.startswith(f"{_FORMAT}."):
            return cls(track="", metadata="")
        _, track, metadata = text.split(".")
        return cls(track=track, metadata=metadata)

    def __str__(self) -> str:
        return f"{_FORMAT}.{self.track}.{self.metadata}"


def matches(activity: Activity, text: str) -> bool:
    """Whether a list row or a detail has the fingerprint `text`, which may be an older version's."""
    return text == (in_old_format(activity) if is_old_format(text) else str(Fingerprint.of(activity)))


def is_old_format(text: str) -> bool:
    """Whether an older version made the fingerprint: it does not cover elevation and moving time."""
    return bool(text) and not text.startswith(f"{_FORMAT}.")


def in_old_format(activity: Activity) -> str:
    """The activity's fingerprint in the format of older versions."""
    metadata = _digest(activity.name, activity.sport_type, activity.visibility, activity.fields.get("gear_id"))
    return f"{_digest(*_recording(activity))}.{metadata}"


def _recording(activity: Activity) -> tuple[Any, ...]:
    return (
        activity.start_at.timestamp(),
        activity.elapsed_s,
        round(activity.distance_m, 1),
        activity.upload_id,
        activity.manual,
    )


def _rounded(value: Any) -> Any:
    is_measure = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
    return round(float(value), 1) if is_measure else value


def _digest(*values: Any) -> str:
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=8).hexdigest()
