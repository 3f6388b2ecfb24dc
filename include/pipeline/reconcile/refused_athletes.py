"""Athletes whose tokens Strava has refused for days: they may have revoked the access, but no event has said so."""

from __future__ import annotations

from dataclasses import dataclass

from include.state.accounts.athletes import AthleteStatus
from include.state.state import UsesState
from include.strava.quota import DAY_S

DECIDE_WITHIN_DAYS = 30
"""Within this time somebody has to decide whether the athlete's data stays."""


@dataclass(frozen=True, slots=True)
class RefusedAthlete:
    """An athlete whose tokens Strava refuses, and for how many whole days."""

    athlete_id: int
    days: int

    @property
    def message(self) -> str:
        """The message to the operator."""
        days_left = max(0, DECIDE_WITHIN_DAYS - self.days)
        return (
            f"Strava has refused the tokens of athlete {self.athlete_id} for {self.days} days, and no event says why: "
            f"ask the athlete to connect again, or erase what is stored by starting strava_erase for athlete "
            f"{self.athlete_id} with the reason operator. {days_left} of {DECIDE_WITHIN_DAYS} days are left to decide."
        )


def refused_athletes(services: UsesState) -> list[RefusedAthlete]:
    """The athletes whom an operator has to contact, refused longest first.

    Effects: for an athlete without a time, as older versions left them, the time starts now.
    """
    now_epoch_s = services.clock()
    listed = []
    for athlete in services.state.athletes.all():
        if athlete.status is AthleteStatus.NEEDS_REAUTH and athlete.refused_at_epoch_s is None:
            services.state.athletes.note_refused(athlete.athlete_id)
        if athlete.is_refused_for_long(now_epoch_s):
            listed.append(
                RefusedAthlete(
                    athlete.athlete_id, int(now_epoch_s - (athlete.refused_at_epoch_s or now_epoch_s)) // DAY_S
                )
            )
    return sorted(listed, key=lambda refused: -refused.days)
