"""Which key seals each secret; seals them again with the active key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from include.crypto.key_file import KeyFileCipher
from include.state.accounts.athletes import athlete_key
from include.state.accounts.token_pair import SealedTokens
from include.state.erasures.certificates import LinkedCertificate
from include.store.codec import decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import Store

if TYPE_CHECKING:
    from include.state.state import State


class KeyRotation:
    """Every stored text that a key of the key file has sealed: token pairs, hidden places, mail addresses.

    Addresses in certificates are included: they are kept until the mail about the erasure is sent.
    AWS KMS rotates its keys by itself, without sealing any text again.
    """

    def __init__(self, store: Store, state: State, cipher: KeyFileCipher) -> None:
        self._store = store
        self._state = state
        self._cipher = cipher

    def secrets_by_key(self) -> Mapping[str, int]:
        """How many texts each key seals; keys that seal none are left out."""
        counts = Counter(
            key_id for athlete in self._state.athletes.all() for key_id in self._keys_of(athlete.athlete_id)
        )
        counts.update(self._cipher.key_of(certificate.sealed_address) for certificate in self._certificates())
        return counts

    def reencrypt_places(self, athlete_id: int) -> int:
        """Seal the athlete's hidden places with the active key; returns how many texts another key had sealed.

        Errors and effects: as `reencrypt_tokens`.
        """
        return self._state.places.reencrypt(athlete_id, self._is_current)

    def reencrypt_addresses(self, athlete_id: int) -> int:
        """Seal the athlete's mail addresses with the active key; returns how many another key had sealed.

        Errors and effects: as `reencrypt_tokens`.
        """
        return self._state.mail_addresses.reencrypt(athlete_id, self._is_current)

    @retry_on_conflict
    def reencrypt_tokens(self, athlete_id: int) -> int:
        """Seal the athlete's pair with the active key; 0 where that key seals it already, or without a pair.

        Errors: `CipherError` when the key that sealed it is no longer in the key file; nothing was written.
        Effects: one conditional write; safe to repeat, and beside refreshes: their new pair and lease stay.
        """
        item = self._store.get(athlete_key(athlete_id))
        tokens = decode(SealedTokens, item.fields) if item else SealedTokens()
        if item is None or tokens.sealed is None or self._is_current(tokens.sealed):
            return 0
        fields = {**item.fields, **encode(tokens.resealed(self._cipher, athlete_id))}
        self._store.put(item.key, fields, expected_version=item.version)
        return 1

    def certificate_ids(self) -> list[str]:
        """The certificates that hold an address."""
        return [certificate.link_id for certificate in self._certificates()]

    @retry_on_conflict
    def reencrypt_certificate(self, link_id: str) -> int:
        """Seal the address in a certificate with the active key; 0 where that key seals it already, or without one.

        Errors and effects: as `reencrypt_tokens`.
        """
        certificate = self._state.certificates.get(link_id)
        if certificate is None or not certificate.sealed_address or self._is_current(certificate.sealed_address):
            return 0
        sealed = self._state.mail_addresses.resealed(certificate.athlete_id, certificate.sealed_address)
        self._state.certificates.reseal(certificate, sealed)
        return 1

    def _certificates(self) -> Iterator[LinkedCertificate]:
        """Those of erasures that are under way, and those of which a mail still has to tell."""
        ids = {erasure.link_id for erasure in self._state.erasures.all()}
        ids |= {certificate.link_id for certificate in self._state.certificates.mail_due()}
        found = (self._state.certificates.get(link_id) for link_id in sorted(ids) if link_id)
        return (certificate for certificate in found if certificate and certificate.sealed_address)

    def _keys_of(self, athlete_id: int) -> list[str]:
        item = self._store.get(athlete_key(athlete_id))
        pair = decode(SealedTokens, item.fields).sealed if item else None
        texts = (pair, *self._state.places.sealed(athlete_id), *self._state.mail_addresses.sealed(athlete_id))
        return [self._cipher.key_of(text) for text in texts if text]

    def _is_current(self, sealed: str) -> bool:
        return self._cipher.key_of(sealed) == self._cipher.active_key
