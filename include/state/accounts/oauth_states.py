"""OAuth states that a callback has used: each can be used once."""

from __future__ import annotations

import hashlib

from include.clock import Clock
from include.errors import VersionConflict
from include.store.store import ABSENT, Key, Store


class OAuthStates:
    """The nonces of used states; a state that no callback returns has no row.

    A nonce is stored as its SHA-256, so that keys have a bounded length and do not reveal it.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def use(self, nonce: str, *, lifetime_s: int) -> bool:
        """Mark the nonce as used; returns whether it was unused. Of two concurrent calls, one gets True.

        Effects: the row expires after `lifetime_s`, the lifetime of a state.
        """
        expires_at_epoch_s = int(self._clock()) + lifetime_s
        try:
            self._store.put(_key(nonce), {}, expected_version=ABSENT, expires_at_epoch_s=expires_at_epoch_s)
        except VersionConflict:
            return False
        return True


def _key(nonce: str) -> Key:
    return Key("oauth_states", hashlib.sha256(nonce.encode(errors="replace")).hexdigest())
