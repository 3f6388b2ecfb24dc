"""What Strava grants to the athletes of these tests, and their rows."""

from __future__ import annotations

from typing import Any

from include.state.accounts.athletes import AthleteRow, Athletes, athlete_key
from include.store.store import Store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId

READ = frozenset({"read", "activity:read"})
WRITE = frozenset({"activity:write"})
NOW = 1_700_000_000


def grant(athlete_id: int = 42, suffix: str = "1") -> TokenGrant:
    athlete = Athlete(AthleteId(athlete_id), "Zoë", "O'Brien", city="Turku")
    return TokenGrant(f"ACCESS-SECRET-{suffix}", f"REFRESH-SECRET-{suffix}", NOW + 21_600, athlete)


def fields(store: Store, athlete_id: int = 42) -> dict[str, Any]:
    item = store.get(athlete_key(athlete_id))
    assert item is not None
    return dict(item.fields)


def row(athletes: Athletes, athlete_id: int = 42) -> AthleteRow:
    found = athletes.get(athlete_id)
    assert found is not None
    return found
