"""How often somebody has done what costs others something, within the present hour."""

from __future__ import annotations

from include.clock import Clock
from include.errors import CeilingReached
from include.store.store import Key, Store

HOUR_S = 3_600


class Brakes:
    """Counters, each for one hour of the clock; whoever counts names a client by a hash."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def left_s(self) -> int:
        """The seconds until the next hour, when all counters begin anew."""
        return HOUR_S - int(self._clock()) % HOUR_S

    def count(self, client: str, *, most: int) -> bool:
        """Count one more; False where the client has reached `most`, and nothing was counted.

        Effects: the row is gone with the hour.
        """
        hour, left_s = int(self._clock()) // HOUR_S, self.left_s()
        expires_at_epoch_s = int(self._clock()) + left_s
        key = Key("brakes", f"{client}.{hour}")
        try:
            self._store.add(key, {"times": 1}, ceilings={"times": most}, expires_at_epoch_s=expires_at_epoch_s)
        except CeilingReached:
            return False
        return True
