"""OAuth states that a callback has used up: none is good twice."""

from __future__ import annotations

import hashlib

from include.clock import Clock
from include.errors import VersionConflict
from include.store.store import ABSENT, Key, Store


class OAuthStates:
    """The nonces of the states that were used; a state that nobody brings back leaves nothing.

    Stored under their SHA-256: keys have a bounded length and do not reveal the nonce.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def use(self, nonce: str, *, lifetime_s: int) -> bool:
        """Whether nobody used the nonce before; now it is used. It is kept for `lifetime_s`: as long as a state lasts.

        Of two at once one gets True.
        """
        expires_at_epoch_s = int(self._clock()) + lifetime_s
        try:
            self._store.put(_key(nonce), {"used": True}, expected_version=ABSENT, expires_at_epoch_s=expires_at_epoch_s)
        except VersionConflict:
            return False
        return True


def _key(nonce: str) -> Key:
    return Key("oauth_states", hashlib.sha256(nonce.encode(errors="replace")).hexdigest())
