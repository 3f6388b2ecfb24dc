"""Rate limits: how often a client or an athlete has used a costly operation within the present hour."""

from __future__ import annotations

from include.clock import Clock
from include.errors import CeilingReached
from include.store.store import Key, Store

HOUR_S = 3_600


class Brakes:
    """One counter for each key and hour of the clock; the key of a client is a hash, so no address is stored."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def resets_in_s(self) -> int:
        """The seconds until the next hour, when all counters start at 0."""
        return HOUR_S - int(self._clock()) % HOUR_S

    def count(self, client: str, *, most: int) -> bool:
        """Count one use; False where the client has reached `most`, and then nothing is counted.

        Effects: the row expires at the end of the hour.
        """
        hour, resets_in_s = int(self._clock()) // HOUR_S, self.resets_in_s()
        expires_at_epoch_s = int(self._clock()) + resets_in_s
        key = Key("brakes", f"{client}.{hour}")
        try:
            self._store.add(key, {"times": 1}, ceilings={"times": most}, expires_at_epoch_s=expires_at_epoch_s)
        except CeilingReached:
            return False
        return True
