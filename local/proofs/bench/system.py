"""A small embedded system under one directory, for rows that measure more than one module."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from include.clock import Clock
from include.crypto.backend import open_cipher
from include.settings import EXAMPLES, Settings
from include.state.accounts.athletes import Athletes
from include.state.subscriptions import Subscriptions
from include.store.backend import open_store
from include.strava.grant import TokenGrant
from include.strava.models import Subscription

DATABASE = "state.sqlite"
SUBSCRIPTION_ID = 9


def embedded_settings(directory: Path) -> Settings:
    """Settings whose every leaf lies in `directory`."""
    return replace(
        Settings.from_environ({name: value for name, value in EXAMPLES.items() if name != "WEBHOOK_SIGNING_KEY"}),
        webhook_path_secret="w" * 32,
        webhook_verify_token="v" * 32,
        state_url=f"sqlite://{directory}/{DATABASE}",
        queue_url=f"sqlite://{directory}/{DATABASE}",
        lake_url=f"file://{directory}/lake",
        key_url=f"file://{directory}/token.key",
        catalog_url=f"duckdb://{directory}/catalog.duckdb",
    )


def environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables."""
    return {setting.name.upper(): getattr(settings, setting.name) for setting in fields(settings)}


def connect(settings: Settings, grant: TokenGrant, clock: Clock) -> None:
    """Connect the athlete whose tokens these are, and store a subscription."""
    store = open_store(settings.state_url, clock)
    try:
        Subscriptions(store).save(Subscription(SUBSCRIPTION_ID, ""))
        scopes = frozenset({"read", "activity:read", "activity:read_all"})
        Athletes(store, open_cipher(settings.key_url), clock).connect(grant, scopes)
    finally:
        store.close()
