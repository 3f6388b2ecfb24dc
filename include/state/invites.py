"""Invitations: a parent's offer to link an account, usable once by the holder of its secret address."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from include.clock import Clock
from include.errors import BeingErased, VersionConflict
from include.state.consent.feed import UNDO_S, Side
from include.state.consent.terms import Terms
from include.state.erasures.ledger import Erasures
from include.state.links import CopyOptions
from include.store.codec import NOT_STORED, decode, encode, stored
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store

LIFETIME_S = 7 * 86_400

CLOSED_KEPT_S = 30 * 86_400
"""How long the row of a declined or withdrawn invitation stays, so that the parent's page can show it."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How an invitation was declined or withdrawn."""

    by: Side
    at_epoch_s: int
    undo_until_epoch_s: int
    """Until then the side that closed it can reopen it; earlier if the other side closes it too."""
    good_until_epoch_s: int
    """When the invitation would have expired."""
    browser: str = ""
    """A hash of the browser's session in which it was declined: only that browser may reopen it, without an account."""


@dataclass(frozen=True, slots=True)
class Invite:
    """One invitation as stored, without its secret."""

    invite_id: str = field(metadata=NOT_STORED)
    """The SHA-256 of the secret: identifies the invitation, but cannot accept it."""
    parent_id: int
    names: tuple[str, ...]
    options: CopyOptions = field(metadata=stored("carried"))
    expires_at_epoch_s: int = field(metadata=NOT_STORED)
    starts_at_epoch_s: int = 0
    """Activities that begin at this time or later are copied; 0 means from the confirmation on."""
    child_id: int | None = None
    """The child who accepted; None until then."""
    accepted_at_epoch_s: int | None = None
    """When the child accepted; None until then, and in rows of older versions."""
    closing: Closing | None = None
    """How it was declined or withdrawn; None while it was not."""
    form_id: str = ""
    """What the invitation's address is derived from, with a key of the web edge; empty in rows of older versions."""
    version: int = field(default=ABSENT, metadata=NOT_STORED)

    @property
    def is_open(self) -> bool:
        """Whether nobody has accepted, declined or withdrawn it."""
        return self.child_id is None and self.closing is None

    @property
    def terms(self) -> Terms:
        """The terms to which a child agrees by accepting."""
        options = self.options
        return Terms(self.names, self.starts_at_epoch_s or None, options.allow_private, options.title, options.sports)


class Invites:
    """Every invitation that has not expired, and those that were declined or withdrawn in the last 30 days."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._erasures = Erasures(store, clock)

    def create(
        self,
        secret: str,
        parent_id: int,
        names: tuple[str, ...],
        options: CopyOptions,
        *,
        starts_at_epoch_s: int = 0,
        form_id: str = "",
    ) -> Invite:
        """An open invitation, valid for a week; only the hash of `secret` is stored.

        Errors: `VersionConflict` when the secret was used for another invitation; `BeingErased` where the parent's data
        is being removed, or was: then none is kept.
        """
        expires_at_epoch_s = int(self._clock()) + LIFETIME_S
        invite_id = invite_id_of(secret)
        created = self._put(
            Invite(invite_id, parent_id, names, options, expires_at_epoch_s, starts_at_epoch_s, form_id=form_id)
        )
        if self._erasures.clear_away(parent_id):  # checked after the write, see `Erasures`
            self.forget(invite_id)
            raise BeingErased(f"athlete {parent_id} is being erased or was: no invitation was made")
        return created

    def find(self, secret: str) -> Invite | None:
        """The invitation of a secret; None if there is none, or it has expired."""
        return self.get(invite_id_of(secret))

    def of_parent(self, parent_id: int) -> Iterator[Invite]:
        """The parent's invitations, used or not. The index may be late: re-read one before deciding."""
        return map(_invite, self._store.find("invites", "by_parent", parent_id))

    def of_child(self, child_id: int) -> Iterator[Invite]:
        """The invitations that the child has accepted; for finding. Rows of older versions may be missing."""
        return map(_invite, self._store.find("invites", "by_child", child_id))

    @retry_on_conflict
    def forget(self, invite_id: str) -> None:
        """Remove the invitation, used or not; safe to repeat."""
        item = self._store.get(_key(invite_id))
        if item is not None:
            self._store.delete(item.key, expected_version=item.version)

    def get(self, invite_id: str) -> Invite | None:
        """The invitation; None if there is none, or it has expired."""
        item = self._store.get(_key(invite_id))
        return _invite(item) if item else None

    def open_of_parent(self, parent_id: int) -> list[Invite]:
        """The parent's open invitations, sorted by expiry."""
        found = (invite for invite in self.of_parent(parent_id) if invite.is_open)
        return sorted(found, key=lambda invite: invite.expires_at_epoch_s)

    @retry_on_conflict
    def close(self, invite_id: str, by: Side, browser: str = "") -> bool:
        """Decline or withdraw an open invitation; False where it is used, expired or does not exist.

        Effects: nobody can accept it; its row stays for `CLOSED_KEPT_S`, so that `reopen` can open it again and the
        parent's page can show it. If the other side has closed it before, neither side can reopen it. Safe to repeat.
        """
        invite = self.get(invite_id)
        if invite is None or invite.child_id is not None:
            return False
        closing, now_epoch_s = invite.closing, int(self._clock())
        if closing is None:
            closing = Closing(by, now_epoch_s, now_epoch_s + UNDO_S, invite.expires_at_epoch_s, browser)
        elif (closing.by, closing.browser) != (by, browser):
            closing = replace(closing, undo_until_epoch_s=min(closing.undo_until_epoch_s, now_epoch_s))
        if closing != invite.closing:
            self._put(replace(invite, closing=closing))
        return True

    @retry_on_conflict
    def reopen(self, invite_id: str, by: Side, browser: str = "") -> bool:
        """Reopen an invitation that this side closed, a child in this browser; returns whether it is no longer closed.

        False after a day, after the invitation's own expiry, and where the other side has closed it too. Effects: safe
        to repeat.
        """
        invite = self.get(invite_id)
        if invite is None or invite.closing is None:
            return invite is not None
        closing, now_epoch_s = invite.closing, self._clock()
        if now_epoch_s >= min(closing.undo_until_epoch_s, closing.good_until_epoch_s):
            return False
        if (closing.by, closing.browser) != (by, browser):
            return False
        self._put(replace(invite, closing=None))
        return True

    def accept(self, invite_id: str, child_id: int) -> Invite | None:
        """The invitation, now used by the child; None if another child has used it, or it is closed or expired.

        Effects: safe to repeat for the same child, for a retry after a crash.
        """
        invite = self.get(invite_id)
        if invite is None or invite.closing is not None:
            return None
        if invite.child_id is not None:
            return invite if invite.child_id == child_id else None
        try:
            return self._put(replace(invite, child_id=child_id, accepted_at_epoch_s=int(self._clock())))
        except VersionConflict:
            return self.accept(invite_id, child_id)  # another child has used it, as the next read shows

    def _put(self, invite: Invite) -> Invite:
        version = self._store.put(
            _key(invite.invite_id),
            encode(invite),
            expected_version=invite.version,
            expires_at_epoch_s=(
                invite.closing.at_epoch_s + CLOSED_KEPT_S if invite.closing else invite.expires_at_epoch_s
            ),
        )
        return replace(invite, version=version)


def invite_id_of(secret: str) -> str:
    """The id of the invitation with this secret."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _key(invite_id: str) -> Key:
    return Key("invites", invite_id)


def _invite(item: Item) -> Invite:
    invite = decode(
        Invite,
        item.fields,
        invite_id=item.key.partition,
        expires_at_epoch_s=item.expires_at_epoch_s or 0,
        version=item.version,
    )
    return replace(invite, expires_at_epoch_s=invite.closing.good_until_epoch_s) if invite.closing else invite
