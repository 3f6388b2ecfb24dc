"""An athlete's account: its row here, and its connection at Strava."""

from __future__ import annotations

from include.errors import BadRequest, NotConnected
from include.pipeline.erasure.access import end_access as end_access_under_lease
from include.state.accounts.athletes import AthleteStatus, athlete_key
from include.state.erasures.ledger import ErasureGrounds
from include.store.backend import open_store

PARENT_ID = 71


def end_access(services, athlete_id, reason, asked_at=None):
    """What becomes of the access when the wish is uttered now, or was at that second."""
    services.state.erasures.ask(
        athlete_id, ErasureGrounds(reason, int(services.clock() if asked_at is None else asked_at))
    )
    with services.state.erasures.held(athlete_id) as lease:
        return end_access_under_lease(services, lease)[0]


def stored(world, athlete_id=PARENT_ID):
    """The athlete's status, and whether there are tokens."""
    store = open_store(world.settings.state_url, world.services.clock)
    fields = store.get(athlete_key(athlete_id)).fields
    store.close()
    return AthleteStatus(fields["status"]), fields["tokens"] is not None


def is_connected_at_strava(world):
    try:
        world.services.strava.client.athlete(PARENT_ID)
    except (NotConnected, BadRequest):
        return False
    return True
