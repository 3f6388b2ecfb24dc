"""An athlete and a webhook subscription for the measures."""

from __future__ import annotations

from include.clock import Clock
from include.crypto.backend import open_cipher
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.application.subscriptions import Subscriptions
from include.store.backend import open_store
from include.strava.grant import TokenGrant
from include.strava.models import Subscription
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_READ_ALL, READ

SUBSCRIPTION_ID = 9


def connect(settings: Settings, grant: TokenGrant, clock: Clock) -> None:
    """Connect the athlete whose tokens these are, and store a subscription."""
    store = open_store(settings.state_url, clock)
    try:
        Subscriptions(store).save(Subscription(SUBSCRIPTION_ID, ""))
        athletes = Athletes(store, open_cipher(settings.key_url), clock)
        athletes.connect(grant, frozenset({READ, ACTIVITY_READ, ACTIVITY_READ_ALL}))
    finally:
        store.close()
