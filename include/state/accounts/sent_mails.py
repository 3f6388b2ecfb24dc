"""The causes of which an athlete was told by mail, each once."""

from __future__ import annotations

from include.clock import Clock
from include.errors import VersionConflict
from include.store.store import ABSENT, Key, Store


class SentMails:
    """One row for each cause, stored before its mail is sent: whoever stores it first sends.

    A worker that dies between the two leaves the row, and nobody knows whether the mail went out: it is not repeated.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def knows(self, athlete_id: int, cause: str) -> bool:
        """Whether a mail of this cause was sent, is being sent, or is in doubt."""
        return self._store.get(_key(athlete_id, cause)) is not None

    def claim(self, athlete_id: int, cause: str) -> bool:
        """Take the right to send the one mail of this cause; False where somebody has taken it."""
        fields = {"athlete_id": athlete_id, "claimed_at_epoch_s": int(self._clock()), "sent_at_epoch_s": None}
        try:
            self._store.put(_key(athlete_id, cause), fields, expected_version=ABSENT)
        except VersionConflict:
            return False
        return True

    def unclaim(self, athlete_id: int, cause: str) -> None:
        """Give the right back, after a mail that was certainly not sent."""
        item = self._store.get(_key(athlete_id, cause))
        if item is not None:
            self._store.delete(item.key, expected_version=item.version)

    def note_sent(self, athlete_id: int, cause: str) -> None:
        """Note that the mail was handed over; no effect where the athlete was erased meanwhile."""
        item = self._store.get(_key(athlete_id, cause))
        if item is not None:
            fields = {**item.fields, "sent_at_epoch_s": int(self._clock())}
            self._store.put(item.key, fields, expected_version=item.version)

    def forget(self, athlete_id: int) -> int:
        """Remove every row of the athlete, and return how many; safe to repeat."""
        items = list(self._store.query("sent_mails", str(athlete_id)))
        for item in items:
            self._store.delete(item.key, expected_version=item.version)
        return len(items)

    def count(self, athlete_id: int) -> int:
        """How many causes the athlete was told of."""
        return len(list(self._store.query("sent_mails", str(athlete_id))))


def _key(athlete_id: int, cause: str) -> Key:
    return Key("sent_mails", str(athlete_id), cause)
