"""The application's one webhook subscription, as created by us."""

from __future__ import annotations

from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Key, Store
from include.strava.models import Subscription

_KEY = Key("subscriptions", "strava")
_CHECK = Key("subscriptions", "check")
_EVENT = Key("subscriptions", "event")
_NOTED_AGAIN_S = 3600
"""How much later than the noted event a further event has to be to be noted."""


class Subscriptions:
    """The subscription whose events are ours.

    Only the id is stored: the callback URL holds the webhook's secret and follows from the settings.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @retry_on_conflict
    def save(self, subscription: Subscription) -> None:
        """Make this the current subscription. Effects: replaces an earlier one; safe to repeat."""
        item = self._store.get(_KEY)
        self._store.put(
            _KEY,
            {"subscription_id": subscription.subscription_id},
            expected_version=item.version if item else ABSENT,
        )

    def current(self) -> Subscription | None:
        """The current subscription with an empty `callback_url`, or None."""
        item = self._store.get(_KEY)
        return Subscription(item.fields["subscription_id"], callback_url="") if item else None

    @retry_on_conflict
    def forget(self) -> None:
        """Remove the current subscription. Effects: safe to repeat."""
        item = self._store.get(_KEY)
        if item is not None:
            self._store.delete(_KEY, expected_version=item.version)

    def checked_at_epoch_s(self) -> float:
        """When Strava was last asked for the subscription; 0 if never."""
        item = self._store.get(_CHECK)
        return float(item.fields["checked_at_epoch_s"]) if item else 0.0

    @retry_on_conflict
    def note_check(self, now_epoch_s: float) -> None:
        """Note that Strava was asked now. Effects: safe to repeat."""
        item = self._store.get(_CHECK)
        fields = {"checked_at_epoch_s": now_epoch_s}
        self._store.put(_CHECK, fields, expected_version=item.version if item else ABSENT)

    def event_at_epoch_s(self) -> float:
        """When the last event of the current subscription was sent, to the hour; 0 without any."""
        item, current = self._store.get(_EVENT), self.current()
        if item is None or current is None or item.fields["subscription_id"] != current.subscription_id:
            return 0.0
        return float(item.fields["event_at_epoch_s"])

    @retry_on_conflict
    def note_event(self, subscription_id: int, event_at_epoch_s: float) -> None:
        """Note an event of that subscription, sent then. Effects: writes at most once an hour."""
        item = self._store.get(_EVENT)
        noted = item.fields if item and item.fields["subscription_id"] == subscription_id else None
        if noted is None or noted["event_at_epoch_s"] + _NOTED_AGAIN_S <= event_at_epoch_s:
            fields = {"subscription_id": subscription_id, "event_at_epoch_s": event_at_epoch_s}
            self._store.put(_EVENT, fields, expected_version=item.version if item else ABSENT)
