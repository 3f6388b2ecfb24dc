"""Whom an operator has to write to, because Strava has refused their tokens for long."""

from __future__ import annotations

import pytest

from include.pipeline.reconcile.refused_athletes import RefusedAthlete, refused_athletes
from include.state.accounts.athletes import REFUSED_FOR_LONG_S, AthleteStatus

DAY_S = 86_400


@pytest.fixture
def world(alone):
    """No Strava answers here but by a test's own words."""
    return alone


def test_athletes_are_listed_refused_longest_first_in_whole_days(world):
    for athlete_id in (73, 72):
        world.connect(athlete_id)
    for athlete_id, days in ((73, 2), (71, 1), (72, 3.5)):
        world.services.state.athletes.mark(athlete_id, AthleteStatus.NEEDS_REAUTH)
        world.services.state.athletes.note_refused(athlete_id)
        world.clock.advance(days * DAY_S)
    world.clock.advance(REFUSED_FOR_LONG_S - 3.5 * DAY_S)

    assert refused_athletes(world.services) == [RefusedAthlete(73, 10), RefusedAthlete(71, 8), RefusedAthlete(72, 7)]


def test_athlete_whose_access_has_ended_or_works_is_not_listed(world):
    world.connect(72)
    world.services.state.athletes.mark(72, AthleteStatus.REVOKED)
    refused_athletes(world.services)
    world.clock.advance(REFUSED_FOR_LONG_S)

    assert refused_athletes(world.services) == []
    assert [athlete.refused_at_epoch_s for athlete in world.services.state.athletes.all()] == [None, None]


@pytest.mark.parametrize(("days", "left"), [(7, 23), (29, 1), (30, 0), (31, 0)])
def test_message_says_whom_how_long_and_what_to_do(days, left):
    assert RefusedAthlete(71, days).message == (
        f"Strava has refused the tokens of athlete 71 for {days} days, and no event says why: ask the athlete to "
        "connect again, or erase what is stored by starting strava_erase for athlete 71 with the reason operator. "
        f"{left} of 30 days are left to decide."
    )
