"""The mail addresses that athletes gave, each confirmed by a link before anything else is sent there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.store.codec import NOT_STORED, decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store

CONFIRM_WITHIN_S = 86_400
"""How long an address may wait to be confirmed; then it is forgotten."""

_APP = "strava-data-ingest"
_KIND = "confirmed"


@dataclass(frozen=True, slots=True)
class MailAddress:
    """One athlete's address, sealed as tokens are."""

    athlete_id: int
    sealed: str = field(repr=False)
    nonce: str = field(default="", repr=False)
    """The random text in the link that confirms it; empty once it is confirmed."""
    asked_at_epoch_s: int = 0
    """When it was given."""
    version: int = field(default=ABSENT, metadata=NOT_STORED)

    @property
    def is_confirmed(self) -> bool:
        """Whether the athlete has opened the link that was sent there."""
        return not self.nonce

    def to_fields(self) -> dict[str, Any]:
        """The fields of its row, with the index's field."""
        return {"kind": _KIND if self.is_confirmed else None, **encode(self)}


class MailAddresses:
    """Every address that an athlete gave and has not taken back."""

    def __init__(self, store: Store, cipher: Cipher, clock: Clock) -> None:
        self._store = store
        self._cipher = cipher
        self._clock = clock

    def get(self, athlete_id: int) -> MailAddress | None:
        """The athlete's address, confirmed or not; None where there is none."""
        item = self._store.get(_key(athlete_id))
        return _address(item) if item else None

    def confirmed(self) -> Iterator[MailAddress]:
        """Every confirmed address, re-read after the index found it."""
        for found in list(self._store.find("mail_addresses", "all", _KIND)):
            address = self.get(int(found.key.partition))
            if address is not None and address.is_confirmed:
                yield address

    @retry_on_conflict
    def give(self, athlete_id: int, address: str) -> str:
        """Store an address in place of an earlier one; returns the nonce that confirms it.

        Effects: the row expires unless the address is confirmed within a day.
        """
        now_epoch_s, nonce = int(self._clock()), secrets.token_urlsafe(24)
        present = self.get(athlete_id)
        sealed = self._cipher.sealer(_context(athlete_id))(address.encode())
        given = MailAddress(athlete_id, sealed, nonce, now_epoch_s, present.version if present else ABSENT)
        self._put(given, now_epoch_s + CONFIRM_WITHIN_S)
        return nonce

    @retry_on_conflict
    def confirm(self, athlete_id: int, nonce: str) -> bool:
        """Confirm the address; False for a nonce that was used, has expired, or belongs to another address."""
        present = self.get(athlete_id)
        if present is None or present.is_confirmed or not secrets.compare_digest(present.nonce, nonce):
            return False
        self._put(replace(present, nonce=""), None)
        return True

    @retry_on_conflict
    def forget(self, athlete_id: int) -> None:
        """Remove the athlete's address; safe to repeat."""
        present = self.get(athlete_id)
        if present is not None:
            self._store.delete(_key(athlete_id), expected_version=present.version)

    def opened(self, athlete_id: int, sealed: str) -> str:
        """The address in the clear. Errors: `CipherError` when the key is gone or the text was changed."""
        return self._cipher.decrypt(sealed, _context(athlete_id)).decode()

    def _put(self, address: MailAddress, expires_at_epoch_s: int | None) -> None:
        self._store.put(
            _key(address.athlete_id),
            address.to_fields(),
            expected_version=address.version,
            expires_at_epoch_s=expires_at_epoch_s,
        )


def _key(athlete_id: int) -> Key:
    return Key("mail_addresses", str(athlete_id))


def _address(item: Item) -> MailAddress:
    return decode(MailAddress, item.fields, version=item.version)


def _context(athlete_id: int) -> dict[str, str]:
    return {"app": _APP, "athlete_id": str(athlete_id), "holds": "mail"}
