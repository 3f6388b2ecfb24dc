"""The sport types that Strava knows.

Source: https://developers.strava.com/docs/reference/#api-models-SportType (2026).
"""

from __future__ import annotations

import re

SPORT_TYPES = frozenset((
    "AlpineSki", "BackcountrySki", "Badminton", "Basketball", "Canoeing", "Cricket", "Crossfit", "Dance", "EBikeRide",
    "Elliptical", "EMountainBikeRide", "Golf", "GravelRide", "Handcycle", "HighIntensityIntervalTraining", "Hike",
    "IceSkate", "InlineSkate", "Kayaking", "Kitesurf", "MountainBikeRide", "NordicSki", "Padel", "Pickleball",
    "Pilates", "Racquetball", "Ride", "RockClimbing", "RollerSki", "Rowing", "Run", "Sail", "Skateboard", "Snowboard",
    "Snowshoe", "Soccer", "Squash", "StairStepper", "StandUpPaddling", "Surfing", "Swim", "TableTennis", "Tennis",
    "TrailRun", "Velomobile", "VirtualRide", "VirtualRow", "VirtualRun", "Volleyball", "Walk", "WeightTraining",
    "Wheelchair", "Windsurf", "Workout", "Yoga",
))  # fmt: skip

DEFAULT = "Ride"
"""The sport of an upload that names none, until its athlete chooses another default."""


def noun(sport_type: str) -> str:
    """The sport in words, as in "Morning Trail Run"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", sport_type)
