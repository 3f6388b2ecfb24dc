"""The sealed token pair belongs to one athlete."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.crypto.cipher import Cipher
from include.errors import CipherError
from include.state.accounts.token_pair import SealedTokens, TokenPair, sealer
from include.store.codec import decode, encode
from include.strava.grant import TokenGrant

PAIR = TokenPair("ACCESS-SECRET", "REFRESH-SECRET")


def test_pair_opens_for_its_athlete(cipher: Cipher) -> None:
    sealed = SealedTokens.seal(sealer(cipher, 42), PAIR, 1_700_021_600)

    assert sealed.open(cipher, 42) == PAIR
    assert decode(SealedTokens, encode(sealed)) == sealed


def test_pair_opens_with_the_former_refresh_token_beside_it(cipher: Cipher) -> None:
    pair = replace(PAIR, former_refresh_token="FORMER-SECRET")

    sealed = SealedTokens.seal(sealer(cipher, 42), pair, 1_700_021_600)

    assert sealed.open(cipher, 42) == pair
    assert "SECRET" not in repr(pair)


def test_pair_stays_closed_when_it_is_moved_to_another_athletes_row(cipher: Cipher) -> None:
    with pytest.raises(CipherError):
        SealedTokens.seal(sealer(cipher, 42), PAIR, 1_700_021_600).open(cipher, 43)


def test_there_is_nothing_to_open_without_tokens(cipher: Cipher) -> None:
    with pytest.raises(CipherError):
        SealedTokens().open(cipher, 42)


def test_no_token_is_in_a_repr(cipher: Cipher) -> None:
    sealed = SealedTokens.seal(sealer(cipher, 42), PAIR, 1_700_021_600)

    assert sealed.sealed
    assert sealed.sealed not in repr(sealed)
    assert "SECRET" not in f"{sealed!r} {sealed.open(cipher, 42)!r}"


def test_pair_that_is_sealed_again_keeps_its_expiry_and_lease(cipher: Cipher) -> None:
    sealed = replace(SealedTokens.seal(sealer(cipher, 42), PAIR, 1_700_021_600), lease_until_epoch_s=5.5)

    again = sealed.resealed(cipher, 42)

    assert again.open(cipher, 42) == PAIR
    assert replace(again, sealed="") == replace(sealed, sealed="")
    assert again.sealed != sealed.sealed
    with pytest.raises(CipherError):
        sealed.resealed(cipher, 43)
    with pytest.raises(CipherError):
        SealedTokens().resealed(cipher, 42)


@pytest.mark.parametrize(
    ("former", "doubts", "kept"),
    [
        pytest.param(None, (), None, id="certain"),
        pytest.param("FORMER-SECRET", (), None, id="certain after a doubt"),
        pytest.param(None, ("time",), "REFRESH-SECRET", id="doubtful"),
        pytest.param("FORMER-SECRET", ("time",), "FORMER-SECRET", id="doubtful after a doubt"),
    ],
)
def test_last_certain_refresh_token_is_kept_beside_a_doubtful_one(
    former: str | None, doubts: tuple[str, ...], kept: str | None
) -> None:
    grant = TokenGrant("ACCESS-2", "REFRESH-2", 5, doubts=doubts)

    renewed = replace(PAIR, former_refresh_token=former).renewed(grant)

    assert renewed == TokenPair("ACCESS-2", "REFRESH-2", kept)
    assert renewed.fallen_back() == (None if kept is None else TokenPair("ACCESS-2", kept))


def test_row_without_tokens_has_none_that_are_valid_or_being_refreshed() -> None:
    assert decode(SealedTokens, {}) == SealedTokens(None, 0, 0.0)
