"""Strava's scopes: what an athlete can allow an application to do."""

from __future__ import annotations

import re

READ = "read"
"""The public profile: always granted, requested or not."""
ACTIVITY_READ = "activity:read"
"""Activities that others may see, cropped at privacy zones; also what activity webhooks need."""
ACTIVITY_READ_ALL = "activity:read_all"
"""Adds private activities and full tracks."""
ACTIVITY_WRITE = "activity:write"
"""Uploads."""


def parse_scopes(text: str) -> frozenset[str]:
    """The scopes in a text from Strava, separated by commas or spaces."""
    return frozenset(filter(None, re.split(r"[,\s]+", text)))
