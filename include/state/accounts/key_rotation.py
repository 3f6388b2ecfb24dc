"""Which key seals each athlete's secrets; seals them again with the active key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from include.crypto.key_file import KeyFileCipher
from include.state.accounts.athletes import Athletes, athlete_key
from include.state.accounts.token_pair import SealedTokens
from include.state.copies.places import Places
from include.store.codec import decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import Store


class KeyRotation:
    """The stored token pairs and hidden places, by the key of the key file that sealed them.

    AWS KMS rotates its keys by itself, without sealing any text again.
    """

    def __init__(self, store: Store, athletes: Athletes, places: Places, cipher: KeyFileCipher) -> None:
        self._store = store
        self._athletes = athletes
        self._places = places
        self._cipher = cipher

    def secrets_by_key(self) -> Mapping[str, int]:
        """How many texts (token pairs, and lists of places) each key seals; keys that seal none are left out."""
        return Counter(key_id for athlete in self._athletes.all() for key_id in self._keys_of(athlete.athlete_id))

    def reencrypt_places(self, athlete_id: int) -> int:
        """Seal the athlete's hidden places with the active key; returns how many texts another key had sealed.

        Errors and effects: as `reencrypt`.
        """
        return self._places.reencrypt(athlete_id, lambda text: self._cipher.key_of(text) == self._cipher.active_key)

    @retry_on_conflict
    def reencrypt(self, athlete_id: int) -> bool:
        """Seal the athlete's pair with the active key; False where that key seals it already, or without a pair.

        Errors: `CipherError` when the key that sealed it is no longer in the key file; nothing was written.
        Effects: one conditional write; safe to repeat, and beside refreshes: their new pair and lease stay.
        """
        item = self._store.get(athlete_key(athlete_id))
        tokens = decode(SealedTokens, item.fields) if item else SealedTokens()
        if item is None or tokens.sealed is None or self._cipher.key_of(tokens.sealed) == self._cipher.active_key:
            return False
        fields = {**item.fields, **encode(tokens.resealed(self._cipher, athlete_id))}
        self._store.put(item.key, fields, expected_version=item.version)
        return True

    def _keys_of(self, athlete_id: int) -> list[str]:
        item = self._store.get(athlete_key(athlete_id))
        pair = decode(SealedTokens, item.fields).sealed if item else None
        return [self._cipher.key_of(text) for text in (pair, *self._places.sealed(athlete_id)) if text]
