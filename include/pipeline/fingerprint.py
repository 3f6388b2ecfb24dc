"""What of an activity has to change before work is done again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from include.strava.models import Activity


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Two digests of fields that a list row and a detail both carry.

    `track` changes when the recording itself did (a crop, another upload): only then streams are fetched again.
    `face` changes with what is written about it: title, sport, visibility.
    """

    track: str
    face: str

    @classmethod
    def of(cls, activity: Activity) -> Fingerprint:
        """The fingerprint of a list row or a detail; equal for both while Strava holds the same activity."""
        return cls(
            track=_digest(
                activity.start_at.timestamp(),
                activity.elapsed_s,
                round(activity.distance_m, 1),
                activity.upload_id,
                activity.manual,
            ),
            face=_digest(activity.name, activity.sport_type, activity.visibility, activity.fields.get("gear_id")),
        )

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """The fingerprint that `str()` wrote; an empty text equals no activity's fingerprint."""
        track, _, face = text.partition(".")
        return cls(track=track, face=face)

    def __str__(self) -> str:
        return f"{self.track}.{self.face}"


def _digest(*values: Any) -> str:
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=8).hexdigest()
