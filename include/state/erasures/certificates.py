"""Certificates of erasures, each found by the secret in its link, and the mails that report them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from include.clock import Clock
from include.errors import VersionConflict
from include.state.erasures.entry import Erasure
from include.store.codec import NOT_STORED, decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store

DRAFT_KEPT_S = 90 * 86_400
"""How long a certificate is kept that is never finished, since the erasure was withdrawn."""

_DUE = "due"


@dataclass(frozen=True, slots=True)
class LinkedCertificate:
    """One erasure's certificate, a draft until the erasure is finished."""

    link_id: str = field(metadata=NOT_STORED)
    athlete_id: int
    began_at_epoch_s: int
    document: str = ""
    """The finished certificate in JSON; empty before."""
    sealed_address: str = field(default="", repr=False)
    """The encrypted mail address of the athlete, for the mail that reports the end; empty without one, or after it."""
    claimed_at_epoch_s: int | None = None
    """When a worker claimed that mail."""
    version: int = field(default=ABSENT, metadata=NOT_STORED)

    @property
    def is_finished(self) -> bool:
        """Whether everything is removed."""
        return bool(self.document)

    def to_fields(self) -> dict[str, Any]:
        """The fields of its row, with the index's field."""
        return {"mail_due": _DUE if self.is_finished and self.sealed_address else None, **encode(self)}


class Certificates:
    """Every certificate, by the secret at the end of its link; a finished certificate is kept for good.

    A mail is sent at most once: a worker stores its claim before it sends. If the worker dies in between, nobody knows
    whether the mail was sent, so it is not sent again.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, link_id: str) -> LinkedCertificate | None:
        """The certificate of a link, or None."""
        item = self._store.get(_key(link_id))
        return _certificate(item) if item else None

    @retry_on_conflict
    def open(self, erasure: Erasure, sealed_address: str = "") -> None:
        """Store the draft of an erasure, and the address for its mail. Safe to repeat, also without the address."""
        present = self.get(erasure.link_id)
        if present is None:
            drafted = LinkedCertificate(erasure.link_id, erasure.athlete_id, erasure.began_at_epoch_s)
            self._put(replace(drafted, sealed_address=sealed_address))
        elif sealed_address and not present.sealed_address and not present.is_finished:
            self._put(replace(present, sealed_address=sealed_address))

    @retry_on_conflict
    def finish(self, erasure: Erasure, document: str) -> None:
        """Store the finished certificate; an already finished one stays unchanged."""
        present = self.get(erasure.link_id)
        if present is None:
            present = LinkedCertificate(erasure.link_id, erasure.athlete_id, erasure.began_at_epoch_s)
        if not present.is_finished:
            self._put(replace(present, document=document))

    def mail_due(self) -> Iterator[LinkedCertificate]:
        """The finished certificates whose mail is not settled, claimed or not."""
        for found in list(self._store.find("certificates", "mail_due", _DUE)):
            certificate = self.get(found.key.partition)
            if certificate is not None and certificate.is_finished and certificate.sealed_address:
                yield certificate

    def claim(self, certificate: LinkedCertificate) -> LinkedCertificate | None:
        """The certificate, with its mail claimed; None where another worker has claimed it."""
        if certificate.claimed_at_epoch_s is not None:
            return None
        try:
            return self._put(replace(certificate, claimed_at_epoch_s=int(self._clock())))
        except VersionConflict:
            return None

    def unclaim(self, certificate: LinkedCertificate) -> None:
        """Release the claim, after a mail that was certainly not sent."""
        with suppress(VersionConflict):
            self._put(replace(certificate, claimed_at_epoch_s=None))

    def reseal(self, certificate: LinkedCertificate, sealed_address: str) -> None:
        """Store the address, sealed with another key. Errors: `VersionConflict` where the row has changed since."""
        self._put(replace(certificate, sealed_address=sealed_address))

    def forget_address(self, certificate: LinkedCertificate) -> None:
        """Remove the address, after the mail was sent or its outcome is unknown."""
        with suppress(VersionConflict):
            self._put(replace(certificate, sealed_address=""))

    def _put(self, certificate: LinkedCertificate) -> LinkedCertificate:
        expires_at_epoch_s = None if certificate.is_finished else int(self._clock()) + DRAFT_KEPT_S
        version = self._store.put(
            _key(certificate.link_id),
            certificate.to_fields(),
            expected_version=certificate.version,
            expires_at_epoch_s=expires_at_epoch_s,
        )
        return replace(certificate, version=version)


def _key(link_id: str) -> Key:
    return Key("certificates", link_id)


def _certificate(item: Item) -> LinkedCertificate:
    return decode(LinkedCertificate, item.fields, link_id=item.key.partition, version=item.version)
