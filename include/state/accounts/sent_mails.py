"""The ledger of sent mails: each athlete gets one mail for each cause."""

from __future__ import annotations

from include.clock import Clock
from include.errors import VersionConflict
from include.store.store import ABSENT, Key, Store


class SentMails:
    """One row for each athlete and cause. A worker stores it before it sends the mail; the first to store it sends.

    If the worker dies in between, the row stays and nobody knows whether the mail was sent: it is not sent again.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def knows(self, athlete_id: int, cause: str) -> bool:
        """Whether a mail of this cause was sent, is being sent, or is in doubt."""
        return self._store.get(_key(athlete_id, cause)) is not None

    def claim(self, athlete_id: int, cause: str) -> bool:
        """Claim the one mail of this cause; False where a worker has claimed it before."""
        fields = {"athlete_id": athlete_id, "claimed_at_epoch_s": int(self._clock()), "sent_at_epoch_s": None}
        try:
            self._store.put(_key(athlete_id, cause), fields, expected_version=ABSENT)
        except VersionConflict:
            return False
        return True

    def unclaim(self, athlete_id: int, cause: str) -> None:
        """Release the claim, after a mail that was certainly not sent."""
        item = self._store.get(_key(athlete_id, cause))
        if item is not None:
            self._store.delete(item.key, expected_version=item.version)

    def note_sent(self, athlete_id: int, cause: str) -> None:
        """Note that the mail was sent; no effect where the athlete was erased meanwhile."""
        item = self._store.get(_key(athlete_id, cause))
        if item is not None:
            fields = {**item.fields, "sent_at_epoch_s": int(self._clock())}
            self._store.put(item.key, fields, expected_version=item.version)

    def forget(self, athlete_id: int) -> int:
        """Remove every row of the athlete; returns their number. Safe to repeat."""
        items = list(self._store.query("sent_mails", str(athlete_id)))
        for item in items:
            self._store.delete(item.key, expected_version=item.version)
        return len(items)

    def count(self, athlete_id: int) -> int:
        """The number of the athlete's rows."""
        return len(list(self._store.query("sent_mails", str(athlete_id))))


def _key(athlete_id: int, cause: str) -> Key:
    return Key("sent_mails", str(athlete_id), cause)
