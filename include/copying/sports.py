"""The sports that a link can be limited to, and their names in words."""

from __future__ import annotations

import re

SPORT_TYPES = (
    "AlpineSki", "BackcountrySki", "Badminton", "Basketball", "Canoeing", "Cricket", "Crossfit", "Dance", "EBikeRide",
    "Elliptical", "EMountainBikeRide", "Golf", "GravelRide", "Handcycle", "HighIntensityIntervalTraining", "Hike",
    "IceSkate", "InlineSkate", "Kayaking", "Kitesurf", "MountainBikeRide", "NordicSki", "Padel", "Pickleball",
    "Pilates", "Racquetball", "Ride", "RockClimbing", "RollerSki", "Rowing", "Run", "Sail", "Skateboard", "Snowboard",
    "Snowshoe", "Soccer", "Squash", "StairStepper", "StandUpPaddling", "Surfing", "Swim", "TableTennis", "Tennis",
    "TrailRun", "Velomobile", "VirtualRide", "VirtualRow", "VirtualRun", "Volleyball", "Walk", "WeightTraining",
    "Wheelchair", "Windsurf", "Workout", "Yoga",
)  # fmt: skip
"""The sports to choose from. Strava adds sports now and then; a link without a choice copies those too.

Source: https://developers.strava.com/docs/reference/#api-models-SportType (2026).
"""


def sport_in_words(sport_type: str) -> str:
    """Strava's name of a sport in words: `TrailRun` is Trail Run, `EBikeRide` E-Bike Ride."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"^E(?=[A-Z])", "E-", sport_type)) or "Activity"
