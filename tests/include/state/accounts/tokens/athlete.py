"""The athlete of these tests, with the access token and the status that are stored."""

from __future__ import annotations

from include.state.accounts.athletes import Athletes, AthleteStatus
from include.state.accounts.tokens import Tokens
from include.strava.models import AthleteId

ATHLETE = AthleteId(42)


def access_token(tokens: Tokens) -> str:
    return tokens.access_token(ATHLETE, scope="activity:read")


def status_of(athletes: Athletes) -> AthleteStatus | None:
    row = athletes.get(ATHLETE)
    return row.status if row else None
