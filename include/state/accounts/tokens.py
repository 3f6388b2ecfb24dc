"""Valid access tokens: one refresh at a time per athlete, and no rotated pair is ever lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from include.clock import Clock
from include.crypto.cipher import Cipher, Seal
from include.deadline import without_deadline
from include.errors import (
    IngestError,
    NotConnected,
    RetryLater,
    ScopeMissing,
    TokenEndpointFault,
    TokenRefused,
    VersionConflict,
)
from include.state.accounts.athletes import AthleteRow, AthleteStatus, athlete_key
from include.state.accounts.token_pair import SealedTokens, TokenPair, sealer
from include.store.codec import decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import Item, Store
from include.strava.grant import TokenGrant

_log = logging.getLogger(__name__)

MARGIN_S = 300
"""A token that expires within this time is refreshed before it is handed out."""

LEASE_S = 60
"""How long one worker has for a refresh before another may try."""

_DOUBTED = (
    "Strava's answer to the token refresh of athlete %s is doubtful (%s), so the former refresh token is kept too. "
    "Check this machine's clock, and any proxy between it and Strava."
)

_READS = 40
"""How often a worker rereads the row for another worker's pair: over 71 s, longer than a crashed worker's lease."""


class _ReadAgain(RetryLater):
    """Another worker is refreshing, or has just done so: the row has to be read again."""


class Tokens:
    """Hands out access tokens and keeps them fresh.

    `refresh` exchanges an athlete's refresh token for a new pair, which makes the old refresh token useless at once.
    So the new pair is stored before it is used, and it replaces only the pair that it was exchanged for:
    neither a slow worker nor a disconnection in between can bring a dead pair back.
    The pair of a doubtful answer is stored and used too, beside the refresh token that it was exchanged for.
    """

    def __init__(
        self,
        store: Store,
        cipher: Cipher,
        clock: Clock,
        refresh: Callable[[int, str], TokenGrant],
        wait: Callable[[float], None],
    ) -> None:
        self._store = store
        self._cipher = cipher
        self._clock = clock
        self._refresh = refresh
        self._reads = Retrying(
            retry=retry_if_exception_type(_ReadAgain),
            wait=wait_exponential(multiplier=0.1, max=2),
            stop=stop_after_attempt(_READS),
            sleep=wait,
            reraise=True,
        )
        self._writes = self._reads.copy(retry=retry_if_exception_type(RetryLater))

    def access_token(self, athlete_id: int, *, scope: str) -> str:
        """A token that is valid for at least five more minutes; refreshes it where needed.

        Errors: `NotConnected` without usable tokens, `ScopeMissing` when `scope` was not granted (`x:read_all`
        includes `x:read`), `TokenRefused` when Strava refuses the refresh, `RetryLater` when another worker's refresh
        does not end, and every other error of `refresh`, none of which is the athlete's fault.
        Effects: stores the new pair; an athlete whose refresh token is refused is marked `needs_reauth`.
        """
        return self._reads.copy()(self._read, athlete_id, scope)

    def prove(self, athlete_id: int) -> bool:
        """Whether Strava still accepts the stored pair: renews it now, whatever its age and the athlete's status.

        Errors: `NotConnected` where no pair is stored, and what `refresh` raises that is no athlete's fault.
        Effects: an accepted athlete has the new pair and is active again, a refused one is marked `needs_reauth`.
        """
        return self._reads.copy()(self._prove, athlete_id)

    @retry_on_conflict
    def reject(self, athlete_id: int, access_token: str) -> None:
        """Note that Strava answered 401 to this token: the next `access_token` refreshes.

        Effects: none when another pair has been stored since; safe to repeat.
        """
        item = self._store.get(athlete_key(athlete_id))
        tokens = decode(SealedTokens, item.fields) if item else SealedTokens()
        if item is None or tokens.sealed is None:
            return
        if tokens.open(self._cipher, athlete_id).access_token == access_token:
            self._put(item, replace(tokens, expires_at_epoch_s=0))

    def _read(self, athlete_id: int, scope: str) -> str:
        item = self._usable(athlete_id, scope)
        tokens = decode(SealedTokens, item.fields)
        if tokens.expires_at_epoch_s - self._clock() >= MARGIN_S:
            return tokens.open(self._cipher, athlete_id).access_token
        return self._renew(athlete_id, item, tokens)

    def _prove(self, athlete_id: int) -> bool:
        item = self._store.get(athlete_key(athlete_id))
        tokens = decode(SealedTokens, item.fields) if item else SealedTokens()
        if item is None or tokens.sealed is None:
            raise NotConnected(f"athlete {athlete_id} has no tokens here: ask the athlete to connect")
        try:
            self._renew(athlete_id, item, tokens)
        except TokenRefused:
            return False
        return True

    def _renew(self, athlete_id: int, item: Item, tokens: SealedTokens) -> str:
        pair = tokens.open(self._cipher, athlete_id)
        leased = self._lease(item, tokens)
        try:
            seal = sealer(self._cipher, athlete_id)
            grant = self._refresh(athlete_id, pair.refresh_token)
        except TokenRefused as err:
            if self._give_up(athlete_id, pair, seal):
                raise TokenRefused(
                    f"Strava refuses to refresh the tokens of athlete {athlete_id}: ask the athlete to connect again"
                ) from err
            raise _ReadAgain(f"athlete {athlete_id} has another token pair") from err
        except IngestError:
            self._release(leased)
            raise
        new = SealedTokens.seal(seal, pair.renewed(grant), grant.expires_at_epoch_s)
        with without_deadline():  # Strava has forgotten the old pair: the new one is lost if this gives up
            is_kept = self._writes.copy()(self._keep, leased, pair, new)
        if not is_kept:
            raise _ReadAgain(f"athlete {athlete_id} got another token pair meanwhile")
        if grant.doubts:
            _log.warning(_DOUBTED, athlete_id, ", ".join(grant.doubts))
        if not grant.access_token:
            raise TokenEndpointFault(
                f"Strava's /oauth/token gave athlete {athlete_id} no access token. The refresh token is kept; try again"
            )
        return grant.access_token

    def _usable(self, athlete_id: int, scope: str) -> Item:
        item = self._store.get(athlete_key(athlete_id))
        if item is None:
            raise NotConnected(f"athlete {athlete_id} has not connected: ask the athlete to connect")
        athlete = AthleteRow.from_item(item)
        if athlete.status is not AthleteStatus.ACTIVE or item.fields["tokens"] is None:
            raise NotConnected(f"athlete {athlete_id} is {athlete.status}: ask the athlete to connect again")
        if not athlete.scopes & {scope, f"{scope}_all"}:
            raise ScopeMissing(
                f"athlete {athlete_id} did not grant {scope}: ask the athlete to connect again and tick it", scope=scope
            )
        return item

    def _lease(self, item: Item, tokens: SealedTokens) -> Item:
        """Acquire the refresh lease; returns the row with it."""
        now_epoch_s = self._clock()
        busy = f"another worker is renewing the access of athlete {item.key.partition}: try again in a minute"
        if tokens.lease_until_epoch_s > now_epoch_s:
            raise _ReadAgain(busy)
        tokens = replace(tokens, lease_until_epoch_s=now_epoch_s + LEASE_S)
        try:
            version = self._put(item, tokens)
        except VersionConflict as err:
            raise _ReadAgain(busy) from err
        return replace(item, fields={**item.fields, **encode(tokens)}, version=version)

    def _release(self, leased: Item) -> None:
        """Release the lease so that others may refresh at once; `leased` is the row as this worker leased it."""
        try:
            self._put(leased, replace(decode(SealedTokens, leased.fields), lease_until_epoch_s=0.0))
        except VersionConflict:
            return  # The row has changed: the lease expires by itself.

    def _keep(self, leased: Item, used: TokenPair, new: SealedTokens) -> bool:
        """Store the new pair in place of the one it was exchanged for; False when the row no longer holds that one.

        Until then only this worker has the new pair, so it is one write without a read before it.
        """
        try:
            self._put(leased, new, AthleteStatus.ACTIVE)
        except VersionConflict:
            return self._replace(leased.fields["athlete_id"], used, new)
        return True

    @retry_on_conflict
    def _replace(self, athlete_id: int, used: TokenPair, new: SealedTokens) -> bool:
        item = self._holding(athlete_id, used)
        if item is None:
            return False
        self._put(item, new, AthleteStatus.ACTIVE)
        return True

    @retry_on_conflict
    def _give_up(self, athlete_id: int, refused: TokenPair, seal: Seal) -> bool:
        """Mark the athlete `needs_reauth`, unless the row holds another pair.

        That is a newer pair, after a lost race, or the former one, if the refused one was doubtful.
        """
        item = self._holding(athlete_id, refused)
        if item is None:
            return False
        former = refused.fallen_back()
        if former is not None:
            self._put(item, SealedTokens.seal(seal, former, 0))
            return False
        tokens = decode(SealedTokens, item.fields)
        self._put(item, replace(tokens, lease_until_epoch_s=0.0), AthleteStatus.NEEDS_REAUTH)
        return True

    def _holding(self, athlete_id: int, pair: TokenPair) -> Item | None:
        """The row if it holds this pair, sealed with whichever key."""
        item = self._store.get(athlete_key(athlete_id))
        tokens = decode(SealedTokens, item.fields) if item else SealedTokens()
        return item if tokens.sealed and tokens.open(self._cipher, athlete_id) == pair else None

    def _put(self, item: Item, tokens: SealedTokens, status: AthleteStatus | None = None) -> int:
        fields = {**item.fields, **encode(tokens)}
        if status is not None:
            fields["status"] = str(status)
            fields["refused_at_epoch_s"] = self._refused_at(item) if status is AthleteStatus.NEEDS_REAUTH else None
        return self._store.put(item.key, fields, expected_version=item.version)

    def _refused_at(self, item: Item) -> int:
        """When Strava first refused the pair; it may refuse it again at each try."""
        before = item.fields.get("refused_at_epoch_s")
        return int(self._clock()) if before is None else before
