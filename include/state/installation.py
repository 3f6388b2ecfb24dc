"""Whether Strava's API was seen to answer at the configured base URL."""

from __future__ import annotations

from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Key, Store

_KEY = Key("subscriptions", "installation")
"""A row among the application's other one, the webhook subscription: both are what Strava knows of this application."""


class Installation:
    """The proof of one base URL; that of another says nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def is_proved(self, api_url: str) -> bool:
        """Whether the last clear answer at `api_url` was the API's own; a state that knows of none says no."""
        item = self._store.get(_KEY)
        return item is not None and item.fields["api_url"] == api_url and bool(item.fields["is_proved"])

    @retry_on_conflict
    def note(self, api_url: str, *, is_proved: bool, now_epoch_s: float) -> None:
        """Something answered clearly at `api_url`: the API or something else. Effects: safe to repeat."""
        item = self._store.get(_KEY)
        fields = {"api_url": api_url, "is_proved": is_proved, "seen_at_epoch_s": now_epoch_s}
        self._store.put(_KEY, fields, expected_version=item.version if item else ABSENT)
