"""How often each athlete's activities are listed, as the day's budget of calls allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from include.settings import Settings
from include.state.accounts.athletes import AthleteRow
from include.state.state import UsesState
from include.strava.quota import DAY_S, HOUR_S, Limits
from include.strava.scopes import ACTIVITY_READ

CALLS = 2
"""What one listing costs: the newest page and one older page."""

EARLY_S = 300
"""Runs start a few seconds early or late: an athlete is due again this much before the hour is over."""


def intervals_s(
    services: UsesState, settings: Settings, athletes: Sequence[AthleteRow], limits: Limits
) -> Mapping[int, float]:
    """The interval between two listings of each athlete, by the athlete's id.

    It is an hour; longer while Strava's events arrive, for athletes whose grant includes `activity:read`, since Strava
    sends events of those alone; and longer for all where that would take more than half of the day's read calls.
    """
    gets_events = services.state.subscriptions.event_at_epoch_s() + DAY_S > services.clock()
    with_events_s = int(settings.list_every_h) * HOUR_S if gets_events else HOUR_S
    wanted_s = {each.athlete_id: with_events_s if ACTIVITY_READ in each.scopes else HOUR_S for each in athletes}
    longer = stretch_factor(wanted_s.values(), limits)
    return {athlete_id: every_s * longer - EARLY_S for athlete_id, every_s in wanted_s.items()}


def stretch_factor(intervals_s: Iterable[float], limits: Limits) -> float:
    """The factor by which all intervals grow, so that the listings together take at most half of the day's reads."""
    wanted_calls = sum(CALLS * DAY_S / every_s for every_s in intervals_s)
    return max(1.0, wanted_calls * 2 / limits.read_day)
