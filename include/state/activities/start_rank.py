"""By what the index by start sorts activities: their start; those without one come before or after all others."""

from __future__ import annotations

from include.state.activities.states import ActivityState

_NEWEST = 253_370_764_800
"""The year 9999: an activity that waits for its first fetch comes before those whose start is known."""
_OLDEST = -62_135_596_800
"""The year 1: one that was never fetched and waits no more comes behind them."""


def rank_of(start_at_epoch_s: int | None, state: ActivityState) -> int:
    """What a row holds as the start, which is never None: the index finds no row without it."""
    if start_at_epoch_s is not None:
        return start_at_epoch_s
    return _NEWEST if state is ActivityState.PENDING else _OLDEST


def start_of(rank: int | None) -> int | None:
    """The start in a row; None where it is unknown, as in older rows that hold none."""
    return None if rank in (_NEWEST, _OLDEST) else rank
