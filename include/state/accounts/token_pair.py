"""The sealed token pair in an athlete's row, with its expiry and the refresh lease."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from include.crypto.cipher import Cipher, Seal
from include.store.codec import stored
from include.strava.grant import TokenGrant

_APP = "strava-data-ingest"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and the refresh token that renews it, in the clear: never stored or logged in this form."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    former_refresh_token: str | None = field(default=None, repr=False)
    """The last refresh token from a certain answer, if the answer with this pair was doubtful."""

    def renewed(self, grant: TokenGrant) -> TokenPair:
        """The pair of `grant`, exchanged for this one; a doubtful refresh token does not replace a certain one."""
        former = (self.former_refresh_token or self.refresh_token) if grant.doubts else None
        return TokenPair(grant.access_token, grant.refresh_token, former)

    def fallen_back(self) -> TokenPair | None:
        """This pair with the former refresh token in place of the doubtful one; None where there is none."""
        former = self.former_refresh_token
        return None if former is None else TokenPair(self.access_token, former)


@dataclass(frozen=True, slots=True)
class SealedTokens:
    """A token pair as it is stored; the default value is "no tokens".

    `sealed` opens only in the context of its own athlete.
    """

    sealed: str | None = field(default=None, repr=False, metadata=stored("tokens"))
    expires_at_epoch_s: int = field(default=0, metadata=stored("tokens_expire_at_epoch_s"))
    lease_until_epoch_s: float = field(default=0.0, metadata=stored("refresh_lease_until_epoch_s"))
    """The end of the lease under which one worker refreshes; 0 without a lease."""

    @classmethod
    def seal(cls, seal: Seal, pair: TokenPair, expires_at_epoch_s: int) -> SealedTokens:
        """The pair, encrypted with the athlete's `sealer`, with no lease."""
        tokens = {name: token for name, token in asdict(pair).items() if token is not None}
        return cls(seal(json.dumps(tokens).encode()), expires_at_epoch_s)

    def open(self, cipher: Cipher, athlete_id: int) -> TokenPair:
        """The pair in the clear. Errors: `CipherError` when the key is gone or the row was tampered with."""
        return TokenPair(**json.loads(cipher.decrypt(self.sealed or "", _context(athlete_id))))

    def resealed(self, cipher: Cipher, athlete_id: int) -> SealedTokens:
        """The same pair, expiry and lease, sealed with the cipher's present key. Errors: as `open`."""
        context = _context(athlete_id)
        return replace(self, sealed=cipher.sealer(context)(cipher.decrypt(self.sealed or "", context)))


def sealer(cipher: Cipher, athlete_id: int) -> Seal:
    """The sealer of the athlete's tokens; get it before requesting a pair that no one else has."""
    return cipher.sealer(_context(athlete_id))


def _context(athlete_id: int) -> dict[str, str]:
    return {"app": _APP, "athlete_id": str(athlete_id)}
