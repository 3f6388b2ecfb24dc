"""OAuth states: proof that a callback belongs to a flow that began here, usable once."""

from __future__ import annotations

import hashlib

from include.clock import Clock
from include.errors import VersionConflict
from include.store.store import ABSENT, Key, Store


class OAuthStates:
    """Nonces that can be used once, within a short time.

    Stored under their SHA-256: keys have a bounded length and do not reveal the nonce.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def issue(self, nonce: str, lifetime_s: int = 600) -> None:
        """Make the nonce valid for one use. Errors: `VersionConflict` when it was issued before."""
        self._store.put(
            _key(nonce),
            {"used": False},
            expected_version=ABSENT,
            expires_at_epoch_s=int(self._clock()) + lifetime_s,
        )

    def consume(self, nonce: str) -> bool:
        """Use the nonce up; returns whether it was issued, has not expired and was not used before."""
        item = self._store.get(_key(nonce))
        if item is None or item.fields["used"]:
            return False
        try:
            self._store.put(
                item.key,
                {"used": True},  # kept until it expires: of two concurrent deletes, neither knows which was first
                expected_version=item.version,
                expires_at_epoch_s=item.expires_at_epoch_s,
            )
        except VersionConflict:
            return False
        return True


def _key(nonce: str) -> Key:
    return Key("oauth_states", hashlib.sha256(nonce.encode(errors="replace")).hexdigest())
