"""The athletes who connected: profile, granted scopes, status."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.errors import NotConnected, ScopeMissing, UnexpectedShape, VersionConflict
from include.state.accounts.narrowing import Narrowing
from include.state.accounts.notices import Notice, Notices
from include.state.accounts.token_pair import SealedTokens, TokenPair, sealer
from include.state.accounts.wishes import Wish, WishKind
from include.state.erasures.ledger import Erasures
from include.store.codec import NOT_STORED, decode, encode, stored
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store
from include.strava.grant import NEWCOMER, TokenGrant
from include.strava.models import AthleteId
from include.strava.scopes import READ

KIND = "athlete"

REFUSED_FOR_LONG_S = 7 * 86_400
"""How long a refused athlete may take to reconnect; after this the athlete and an operator are notified."""


class AthleteStatus(StrEnum):
    """Whether an athlete's tokens can be used."""

    ACTIVE = "active"
    NEEDS_REAUTH = "needs_reauth"
    """Strava refuses the stored tokens; only the athlete can repair that, by connecting again."""
    REVOKED = "revoked"
    """The athlete disconnected; the tokens are destroyed."""


@dataclass(frozen=True, slots=True)
class AthleteRow:
    """An athlete as stored, without tokens."""

    athlete_id: AthleteId
    firstname: str
    lastname: str
    scopes: frozenset[str]
    status: AthleteStatus
    connected_at_epoch_s: int
    """When the athlete connected for the first time."""
    authorised_at_epoch_s: int = field(metadata=stored(older="connected_at_epoch_s"))
    """When the stored connection was authorised; each later one has a later time.

    Rows older than this field: their first connection is the only one whose time is known.
    """
    version: int = field(metadata=NOT_STORED)
    disconnect_asked_at_epoch_s: int | None = None
    """When the athlete last asked here to be disconnected, noted before the call to Strava."""
    refused_at_epoch_s: int | None = None
    """Since when Strava has refused the stored tokens; None too in rows older than this field."""

    city: str = ""
    """As the profile at Strava has it; empty too in rows older than this field, until the athlete connects again."""
    unwanted_scopes: frozenset[str] = frozenset()
    """Scopes that the athlete gave up, with the request to remove the data that they brought, until it is removed."""
    session_series: str = ""
    """The random id that the athlete's valid sessions carry; a new id ends every session that carries an older one."""

    wish: Wish | None = None
    """The athlete's wish, until Strava has confirmed the athlete's identity; None without one."""

    def is_refused_for_long(self, now_epoch_s: float) -> bool:
        """Whether Strava has refused the tokens for `REFUSED_FOR_LONG_S`, so that the athlete has to decide."""
        since_epoch_s = self.refused_at_epoch_s
        if self.status is not AthleteStatus.NEEDS_REAUTH or since_epoch_s is None:
            return False
        return now_epoch_s - since_epoch_s >= REFUSED_FOR_LONG_S

    @property
    def is_connected(self) -> bool:
        """Whether the athlete is connected, even if Strava refuses the tokens at the moment."""
        return self.status is not AthleteStatus.REVOKED

    @classmethod
    def from_item(cls, item: Item) -> AthleteRow:
        """The athlete in a row of the table `athletes`."""
        return decode(cls, item.fields, version=item.version)

    def to_fields(self) -> dict[str, Any]:
        """The athlete as fields of the row; `SealedTokens` adds the token part."""
        return {"kind": KIND, **encode(self)}


def athlete_key(athlete_id: int) -> Key:
    """The address of an athlete's row."""
    return Key("athletes", str(athlete_id))


def without_sessions(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an athlete's row after every session has ended, and what one of them asked for is forgotten."""
    return {**fields, "session_series": _new_series(), "wish": None}


class Athletes:
    """Every athlete who ever connected and was not erased since."""

    def __init__(self, store: Store, cipher: Cipher, clock: Clock) -> None:
        self._store = store
        self._cipher = cipher
        self._clock = clock
        self._erasures = Erasures(store, clock)
        self._notices = Notices(store, clock)

    @retry_on_conflict
    def connect(self, grant: TokenGrant, scopes: frozenset[str], narrowing: Narrowing | None = None) -> AthleteRow:
        """Store the grant of a code exchange and make the athlete active.

        An existing connection loses only scopes that this athlete's `narrowing` names.
        Errors: `UnexpectedShape` when the grant names no athlete; `BeingErased` while an erasure is under way;
        `ScopeMissing` when another scope would be lost; then nothing is stored.
        Effects: creates the row, or replaces its tokens, scopes and profile; withdraws an earlier erasure request, of
        which the athlete gets a notice; ends the athlete's sessions; safe to repeat.
        """
        if grant.athlete is None:
            raise UnexpectedShape(f"/oauth/token named no athlete for {NEWCOMER}: ask the athlete to connect again")
        athlete = grant.athlete
        item = self._store.get(athlete_key(athlete.athlete_id))
        self._erasures.admit(athlete.athlete_id)  # after the read: an erasure that begins now changes the row
        kept: Mapping[str, Any] = item.fields if item else {}
        before = AthleteRow.from_item(item) if item else None
        given_up = narrowing if narrowing and narrowing.athlete_id == athlete.athlete_id else None
        _refuse_loss(before, scopes | (given_up.scopes if given_up else frozenset()))
        now_epoch_s = int(self._clock())
        unwanted = before.unwanted_scopes if before else frozenset()
        if given_up is not None and given_up.removes:
            unwanted |= given_up.scopes
        row = AthleteRow(
            athlete_id=athlete.athlete_id,
            firstname=athlete.firstname,
            lastname=athlete.lastname,
            city=athlete.city,
            scopes=scopes,
            status=AthleteStatus.ACTIVE,
            connected_at_epoch_s=before.connected_at_epoch_s if before else now_epoch_s,
            authorised_at_epoch_s=max(now_epoch_s, before.authorised_at_epoch_s + 1) if before else now_epoch_s,
            version=item.version if item else ABSENT,
            unwanted_scopes=unwanted - scopes,
            session_series=_new_series(),
        )
        tokens = SealedTokens.seal(
            sealer(self._cipher, athlete.athlete_id),
            TokenPair(grant.access_token, grant.refresh_token),
            grant.expires_at_epoch_s,
        )
        connected = self._put({**kept, **row.to_fields(), **encode(tokens)}, row.version)
        self._withdraw_erasure(athlete.athlete_id)
        return connected

    @retry_on_conflict
    def note_disconnect(self, athlete_id: int) -> None:
        """Note that the athlete asks to be disconnected: Strava's following event reports that, and starts no erasure.

        Effects: none for an athlete who is not known; connecting again clears it; safe to repeat.
        """
        item = self._store.get(athlete_key(athlete_id))
        if item is not None:
            self._put({**item.fields, "disconnect_asked_at_epoch_s": int(self._clock())}, item.version)

    @retry_on_conflict
    def end_sessions(self, athlete_id: int) -> None:
        """End the athlete's sessions in every browser, and forget what one of them has asked for; safe to repeat."""
        item = self._store.get(athlete_key(athlete_id))
        if item is not None:
            self._put(without_sessions(item.fields), item.version)

    @retry_on_conflict
    def note_wish(self, athlete_id: int, kind: WishKind, scopes: frozenset[str] = frozenset()) -> Wish:
        """Store the athlete's wish in place of an earlier one. Errors: `NotConnected` for an unknown athlete."""
        item = self._store.get(athlete_key(athlete_id))
        if item is None:
            raise NotConnected(f"athlete {athlete_id} is not known here, so nothing was noted: connect first")
        wish = Wish(kind, int(self._clock()), scopes)
        self._put({**item.fields, "wish": encode(wish)}, item.version)
        return wish

    @retry_on_conflict
    def withdraw_wish(self, athlete_id: int) -> None:
        """Remove the athlete's wish; safe to repeat."""
        item = self._store.get(athlete_key(athlete_id))
        if item is not None:
            self._put({**item.fields, "wish": None}, item.version)

    @retry_on_conflict
    def note_refused(self, athlete_id: int) -> None:
        """Note that Strava refuses the tokens from now on, if the athlete is refused and no time is stored."""
        item = self._store.get(athlete_key(athlete_id))
        row = AthleteRow.from_item(item) if item else None
        if item and row and row.status is AthleteStatus.NEEDS_REAUTH and row.refused_at_epoch_s is None:
            self._put({**item.fields, "refused_at_epoch_s": int(self._clock())}, item.version)

    def get(self, athlete_id: int) -> AthleteRow | None:
        """The athlete; None for one who never connected, or was erased."""
        item = self._store.get(athlete_key(athlete_id))
        return AthleteRow.from_item(item) if item else None

    def get_all(self, athlete_ids: Iterable[int]) -> Mapping[int, AthleteRow]:
        """These athletes by id, without those who never connected or were erased."""
        rows = map(AthleteRow.from_item, self._store.get_all(map(athlete_key, athlete_ids)).values())
        return {row.athlete_id: row for row in rows}

    def all(self) -> Iterator[AthleteRow]:
        """Every athlete, whatever the status, sorted by id. The index may be late: re-read a row before deciding."""
        return map(AthleteRow.from_item, self._store.find("athletes", "all", KIND))

    @retry_on_conflict
    def forget(self, athlete_id: int) -> bool:
        """Remove the row of an athlete whose access has ended; False for a connected athlete, whose row stays.

        Effects: safe to repeat; connecting again starts afresh.
        """
        item = self._store.get(athlete_key(athlete_id))
        if item is None:
            return True
        if AthleteRow.from_item(item).status is AthleteStatus.ACTIVE:
            return False
        self._store.delete(item.key, expected_version=item.version)
        return True

    @retry_on_conflict
    def mark(self, athlete_id: int, status: AthleteStatus) -> AthleteRow:
        """Give the athlete a status. Errors: `NotConnected` when there is no such athlete.

        Effects: `REVOKED` destroys the token pair; safe to repeat.
        """
        item = self._store.get(athlete_key(athlete_id))
        if item is None:
            raise NotConnected(
                f"athlete {athlete_id} is not known here, so cannot be marked {status}: check the number"
            )
        tokens = encode(SealedTokens()) if status is AthleteStatus.REVOKED else {}
        return self._put({**item.fields, "status": str(status), **tokens}, item.version)

    def revoke(self, seen: AthleteRow) -> AthleteRow:
        """Mark the athlete `REVOKED` and destroy the token pair, if the row has not changed since it was `seen`.

        Errors: `VersionConflict` when it has: the athlete may have connected again, so decide again.
        """
        item = self._store.get(athlete_key(seen.athlete_id))
        if item is None or item.version != seen.version:
            raise VersionConflict(f"athlete {seen.athlete_id} changed meanwhile: read the row again and decide again")
        fields = {**item.fields, "status": str(AthleteStatus.REVOKED), "wish": None, **encode(SealedTokens())}
        return self._put(fields, item.version)

    @retry_on_conflict
    def note_removed(self, seen: AthleteRow) -> None:
        """Note that the data of the scopes given up is removed, if the row has not changed since it was `seen`.

        Effects: none where another connection was authorised since; safe to repeat.
        """
        item = self._store.get(athlete_key(seen.athlete_id))
        if item is None or AthleteRow.from_item(item).authorised_at_epoch_s != seen.authorised_at_epoch_s:
            return
        self._put({**item.fields, "unwanted_scopes": []}, item.version)

    def _withdraw_erasure(self, athlete_id: int) -> None:
        """Withdraw the erasure request of an athlete who is connected now; after a crash the erasure's run does it."""
        erasure = self._erasures.get(athlete_id)
        if erasure is not None and erasure.is_withdrawable:
            self._notices.save(Notice.of_withdrawn(erasure))
        self._erasures.withdraw(athlete_id)

    def _put(self, fields: Mapping[str, Any], expected_version: int) -> AthleteRow:
        key = athlete_key(fields["athlete_id"])
        version = self._store.put(key, fields, expected_version=expected_version)
        return AthleteRow.from_item(Item(key, fields, version))


def _new_series() -> str:
    return secrets.token_urlsafe(12)


def _refuse_loss(before: AthleteRow | None, scopes: frozenset[str]) -> None:
    """Errors: `ScopeMissing` where the present connection has a scope that is not among these."""
    lost = before.scopes - scopes - {READ} if before and before.is_connected else frozenset()
    if before and lost:
        raise ScopeMissing(
            f"athlete {before.athlete_id} did not grant {', '.join(sorted(lost))} this time and did not choose "
            "to give it up: request the scopes that were granted before, or ask the athlete",
            scope=min(lost),
        )
