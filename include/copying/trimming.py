"""The radius that a link hides around the places where recordings begin and end."""

from __future__ import annotations

from collections.abc import Collection

from include.state.links import CopyOptions

DEFAULT_TRIM_M = 200
"""The default radius where Strava shows full tracks, which include homes."""

_FULL_TRACKS = "activity:read_all"


def hidden_radius_m(options: CopyOptions, parent_scopes: Collection[str] | None) -> int:
    """The radius that a new copy hides: the parent's choice, else the default for the parent's present grant.

    Without full tracks Strava itself crops the athlete's privacy zones. `parent_scopes` is None if the grant of the
    track's fetch is not known; then the default of the widest grant applies.
    """
    if options.trim_m is not None:
        return options.trim_m
    return DEFAULT_TRIM_M if parent_scopes is None or _FULL_TRACKS in parent_scopes else 0
