"""The sealed token pair belongs to one athlete."""

from __future__ import annotations

import pytest

from include.crypto.cipher import Cipher
from include.errors import CipherError
from include.state.token_pair import SealedTokens, TokenPair, sealer
from include.strava.models import TokenGrant

GRANT = TokenGrant("ACCESS-SECRET", "REFRESH-SECRET", 1_700_021_600)


def test_pair_opens_for_its_athlete(cipher: Cipher) -> None:
    sealed = SealedTokens.seal(sealer(cipher, 42), GRANT)

    assert sealed.open(cipher, 42) == TokenPair("ACCESS-SECRET", "REFRESH-SECRET")
    assert SealedTokens.from_fields(sealed.to_fields()) == sealed


def test_pair_stays_closed_when_it_is_moved_to_another_athletes_row(cipher: Cipher) -> None:
    with pytest.raises(CipherError):
        SealedTokens.seal(sealer(cipher, 42), GRANT).open(cipher, 43)


def test_there_is_nothing_to_open_without_tokens(cipher: Cipher) -> None:
    with pytest.raises(CipherError):
        SealedTokens().open(cipher, 42)


def test_no_token_is_in_a_repr(cipher: Cipher) -> None:
    sealed = SealedTokens.seal(sealer(cipher, 42), GRANT)

    assert "SECRET" not in f"{sealed!r} {sealed.open(cipher, 42)!r}"
