"""The proof that Strava's API answers at the configured base URL."""

from __future__ import annotations

from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Key, Store

_KEY = Key("subscriptions", "installation")
"""A row of the table of the webhook subscription: both concern this application at Strava."""


class Installation:
    """The proof for one base URL; it says nothing about another."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def is_proved(self, api_url: str) -> bool:
        """Whether the last clear answer at `api_url` was the API's own; False without any."""
        item = self._store.get(_KEY)
        return item is not None and item.fields["api_url"] == api_url and bool(item.fields["is_proved"])

    @retry_on_conflict
    def note(self, api_url: str, *, is_proved: bool, now_epoch_s: float) -> None:
        """Note a clear answer at `api_url`: from the API, or from something else. Effects: safe to repeat."""
        item = self._store.get(_KEY)
        fields = {"api_url": api_url, "is_proved": is_proved, "seen_at_epoch_s": now_epoch_s}
        self._store.put(_KEY, fields, expected_version=item.version if item else ABSENT)
