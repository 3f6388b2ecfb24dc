"""The mail addresses that athletes gave, each confirmed by a link before anything else is sent there."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.errors import VersionConflict
from include.store.codec import NOT_STORED, decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store

CONFIRM_WITHIN_S = 86_400
"""How long an address may wait to be confirmed; then it is forgotten."""

ASK_AGAIN_AFTER_S = 60
"""How long an athlete waits before another link is sent to confirm an address."""

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
    """The stored addresses: for each athlete at most one confirmed address, and one that waits to be confirmed.

    The two have separate rows, so that the confirmed address stays in use until the other one is confirmed.
    """

    def __init__(self, store: Store, cipher: Cipher, clock: Clock) -> None:
        self._store = store
        self._cipher = cipher
        self._clock = clock

    def get(self, athlete_id: int) -> MailAddress | None:
        """The athlete's confirmed address, to which mails are sent; None if there is none."""
        address = self._read(_key(athlete_id))
        return address if address and address.is_confirmed else None

    def waiting(self, athlete_id: int) -> MailAddress | None:
        """The athlete's address that waits to be confirmed; None if there is none."""
        address = self._read(_waiting_key(athlete_id)) or self._read(_key(athlete_id))  # where older versions kept it
        return None if address is None or address.is_confirmed else address

    def confirmed(self) -> Iterator[MailAddress]:
        """Every confirmed address, re-read after the index found it."""
        for found in list(self._store.find("mail_addresses", "all", _KIND)):
            address = self.get(int(found.key.partition))
            if address is not None:
                yield address

    def claim_link(self, athlete_id: int) -> bool:
        """Claim the right to send the athlete a link; False within `ASK_AGAIN_AFTER_S` of an earlier claim.

        Effects: stores the claim in a row of its own, which stays if the address is removed or the link is not sent.
        """
        until_epoch_s = int(self._clock()) + ASK_AGAIN_AFTER_S
        try:
            self._store.put(_asked_key(athlete_id), {}, expected_version=ABSENT, expires_at_epoch_s=until_epoch_s)
        except VersionConflict:
            return False
        return True

    @retry_on_conflict
    def give(self, athlete_id: int, address: str) -> str:
        """Store an unconfirmed address in place of an earlier unconfirmed one; returns the nonce that confirms it.

        Effects: the row expires unless the address is confirmed within a day.
        """
        now_epoch_s, nonce = int(self._clock()), secrets.token_urlsafe(24)
        present = self._store.get(_waiting_key(athlete_id))
        sealed = self._cipher.sealer(_context(athlete_id))(address.encode())
        given = MailAddress(athlete_id, sealed, nonce, now_epoch_s, present.version if present else ABSENT)
        self._put(_waiting_key(athlete_id), given, now_epoch_s + CONFIRM_WITHIN_S)
        return nonce

    @retry_on_conflict
    def confirm(self, athlete_id: int, nonce: str) -> bool:
        """Confirm the address; it replaces the address that was confirmed before.

        False for a nonce that was used, has expired, or belongs to another address.
        """
        waiting = self.waiting(athlete_id)
        if waiting is None or not secrets.compare_digest(waiting.nonce, nonce):
            return False
        present = self._store.get(_key(athlete_id))
        confirmed = replace(waiting, nonce="", version=present.version if present else ABSENT)
        self._put(_key(athlete_id), confirmed, None)
        self.drop(athlete_id, nonce)
        return True

    def drop(self, athlete_id: int, nonce: str) -> None:
        """Remove the address that waits for this nonce; a later one stays, and so does the confirmed one."""
        waiting = self._read(_waiting_key(athlete_id))
        if waiting is not None and waiting.nonce == nonce:
            with suppress(VersionConflict):
                self._store.delete(_waiting_key(athlete_id), expected_version=waiting.version)

    def forget(self, athlete_id: int) -> None:
        """Remove the athlete's addresses, confirmed or not; safe to repeat."""
        for key in (_waiting_key(athlete_id), _key(athlete_id)):
            self._forget(key)

    def count(self, athlete_id: int) -> int:
        """The number of the athlete's rows."""
        return len(list(self._store.query("mail_addresses", str(athlete_id))))

    def erase(self, athlete_id: int) -> None:
        """Remove every row of the athlete; safe to repeat."""
        for item in list(self._store.query("mail_addresses", str(athlete_id))):
            self._forget(item.key)

    def opened(self, athlete_id: int, sealed: str) -> str:
        """The address in the clear. Errors: `CipherError` when the key is gone or the text was changed."""
        return self._cipher.decrypt(sealed, _context(athlete_id)).decode()

    def sealed(self, athlete_id: int) -> list[str]:
        """The athlete's sealed addresses."""
        found = [self._read(key) for key in (_key(athlete_id), _waiting_key(athlete_id))]
        return [address.sealed for address in found if address]

    def resealed(self, athlete_id: int, sealed: str) -> str:
        """The same address, sealed with the cipher's present key. Errors: as `opened`."""
        return self._cipher.sealer(_context(athlete_id))(self.opened(athlete_id, sealed).encode())

    def reencrypt(self, athlete_id: int, is_current: Callable[[str], bool]) -> int:
        """Seal the athlete's addresses with the cipher's present key; returns how many were not `is_current` before.

        Effects: safe to repeat, also while the athlete enters, confirms or removes an address.
        """
        return sum(self._reencrypt(key, is_current) for key in (_key(athlete_id), _waiting_key(athlete_id)))

    @retry_on_conflict
    def _reencrypt(self, key: Key, is_current: Callable[[str], bool]) -> int:
        item = self._store.get(key)
        if item is None or is_current((address := _address(item)).sealed):
            return 0
        sealed = self.resealed(address.athlete_id, address.sealed)
        self._put(key, replace(address, sealed=sealed), item.expires_at_epoch_s)
        return 1

    def _read(self, key: Key) -> MailAddress | None:
        item = self._store.get(key)
        return _address(item) if item else None

    @retry_on_conflict
    def _forget(self, key: Key) -> None:
        item = self._store.get(key)
        if item is not None:
            self._store.delete(key, expected_version=item.version)

    def _put(self, key: Key, address: MailAddress, expires_at_epoch_s: int | None) -> None:
        self._store.put(
            key, address.to_fields(), expected_version=address.version, expires_at_epoch_s=expires_at_epoch_s
        )


def _key(athlete_id: int) -> Key:
    return Key("mail_addresses", str(athlete_id))


def _waiting_key(athlete_id: int) -> Key:
    return Key("mail_addresses", str(athlete_id), "waiting")


def _asked_key(athlete_id: int) -> Key:
    return Key("mail_addresses", str(athlete_id), "asked")


def _address(item: Item) -> MailAddress:
    return decode(MailAddress, item.fields, version=item.version)


def _context(athlete_id: int) -> dict[str, str]:
    return {"app": _APP, "athlete_id": str(athlete_id), "holds": "mail"}
