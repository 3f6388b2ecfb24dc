"""Token pairs under another key: the same pairs, readable throughout."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from include.circle import Position
from include.clock import Clock
from include.crypto.key_file import KeyFileCipher
from include.errors import CipherError
from include.state.accounts.athletes import Athletes, AthleteStatus, athlete_key
from include.state.accounts.key_rotation import KeyRotation
from include.state.accounts.token_pair import SealedTokens
from include.state.accounts.tokens import Tokens
from include.state.copies.places import Places
from include.state.erasures.entry import EraseReason
from include.state.state import State
from include.store.codec import decode
from include.store.store import Item, Key, Store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId

SCOPES = frozenset({"read"})


@pytest.fixture
def cipher(tmp_path: Path) -> KeyFileCipher:
    return KeyFileCipher(tmp_path / "token.key")


@pytest.fixture
def athletes(store: Store, cipher: KeyFileCipher, clock: Clock) -> Athletes:
    return Athletes(store, cipher, clock)


@pytest.fixture
def rotation(store: Store, cipher: KeyFileCipher, clock: Clock) -> KeyRotation:
    return KeyRotation(store, State.on(store, cipher, clock), cipher)


def connect(athletes: Athletes, athlete_id: int = 42) -> None:
    athlete = Athlete(AthleteId(athlete_id), "Ann", "Bee")
    athletes.connect(TokenGrant(f"access-{athlete_id}", f"refresh-{athlete_id}", 1_700_021_600, athlete), SCOPES)


def row(store: Store, athlete_id: int = 42) -> Item:
    item = store.get(athlete_key(athlete_id))
    assert item is not None
    return item


def test_pairs_are_counted_by_their_key(athletes: Athletes, rotation: KeyRotation, cipher: KeyFileCipher) -> None:
    first = cipher.active_key
    assert rotation.secrets_by_key() == {}
    for athlete_id in (1, 2, 3):
        connect(athletes, athlete_id)
    athletes.mark(3, AthleteStatus.REVOKED)
    second = cipher.rotate()
    connect(athletes, 4)

    assert rotation.secrets_by_key() == {first: 2, second: 1}


def test_reencrypt_seals_the_same_pair_with_the_active_key_and_touches_nothing_else(
    athletes: Athletes, rotation: KeyRotation, cipher: KeyFileCipher, store: Store
) -> None:
    connect(athletes)
    leased = row(store)
    store.put(leased.key, {**leased.fields, "refresh_lease_until_epoch_s": 5.0}, expected_version=leased.version)
    before = row(store)
    active = cipher.rotate()

    assert rotation.reencrypt_tokens(42) == 1

    after = row(store)
    changed = {name for name in before.fields if before.fields[name] != after.fields[name]}
    assert changed == {"tokens"}
    assert rotation.secrets_by_key() == {active: 1}
    pairs = [decode(SealedTokens, item.fields).open(cipher, 42) for item in (before, after)]
    assert pairs[0] == pairs[1]


def test_reencrypt_writes_nothing_when_it_is_repeated(
    athletes: Athletes, rotation: KeyRotation, cipher: KeyFileCipher, store: Store
) -> None:
    connect(athletes)
    cipher.rotate()
    rotation.reencrypt_tokens(42)
    version = row(store).version

    assert not rotation.reencrypt_tokens(42)
    assert row(store).version == version


def test_reencrypt_has_nothing_to_do_without_a_pair(athletes: Athletes, rotation: KeyRotation) -> None:
    connect(athletes)
    athletes.mark(42, AthleteStatus.REVOKED)

    assert not rotation.reencrypt_tokens(42)
    assert not rotation.reencrypt_tokens(43)


def test_reencrypt_leaves_a_pair_alone_when_its_key_is_gone(
    athletes: Athletes, store: Store, clock: Clock, tmp_path: Path
) -> None:
    connect(athletes)
    before = row(store)
    other = KeyFileCipher(tmp_path / "other.key")

    with pytest.raises(CipherError, match="restore the key file"):
        KeyRotation(store, State.on(store, other, clock), other).reencrypt_tokens(42)
    assert row(store) == before


def test_pair_is_not_lost_when_it_is_sealed_again_while_it_is_being_refreshed(
    athletes: Athletes, rotation: KeyRotation, cipher: KeyFileCipher, store: Store, clock: Clock, tmp_path: Path
) -> None:
    connect(athletes)
    worker = KeyFileCipher(tmp_path / "token.key")  # still seals with the old key
    cipher.rotate()
    refreshed: list[str] = []

    def refresh(athlete_id: int, refresh_token: str) -> TokenGrant:
        refreshed.append(refresh_token)
        assert rotation.reencrypt_tokens(42)
        return TokenGrant("access-new", "refresh-new", 1_700_043_200)

    tokens = Tokens(store, worker, clock, refresh, wait=lambda _seconds: None)
    tokens.reject(42, "access-42")

    assert tokens.access_token(42, scope="read") == "access-new"
    assert refreshed == ["refresh-42"]
    stored = decode(SealedTokens, row(store).fields)
    assert stored.open(cipher, 42).refresh_token == "refresh-new"
    rotation.reencrypt_tokens(42)
    assert Tokens(store, worker, clock, refresh, wait=lambda _seconds: None).access_token(42, scope="read")


def test_no_pair_is_lost_when_rotations_and_refreshes_meet(
    athletes: Athletes, rotation: KeyRotation, cipher: KeyFileCipher, store: Store, clock: Clock, tmp_path: Path
) -> None:
    connect(athletes)
    present = ["refresh-42"]

    def refresh(athlete_id: int, refresh_token: str) -> TokenGrant:
        assert refresh_token == present[-1]
        present.append(f"refresh-{len(present)}")
        return TokenGrant(f"access-{len(present)}", present[-1], 1_700_021_600)

    def keep_refreshing() -> None:
        tokens = Tokens(store, KeyFileCipher(tmp_path / "token.key"), clock, refresh, wait=lambda _seconds: None)
        for _ in range(20):
            tokens.reject(42, tokens.access_token(42, scope="read"))

    worker = threading.Thread(target=keep_refreshing)
    worker.start()
    for _ in range(20):
        cipher.rotate()
        rotation.reencrypt_tokens(42)
    worker.join()

    stored = decode(SealedTokens, row(store).fields).open(cipher, 42)
    assert stored.refresh_token == present[-1]
    assert len(present) == 20


def test_places_are_counted_and_sealed_again_with_the_pairs(
    store: Store, athletes: Athletes, rotation: KeyRotation, cipher: KeyFileCipher
) -> None:
    connect(athletes)
    places = Places(store, cipher, lambda: 0.5)
    circles = places.circles(42, 200, [Position(48, 11)])
    assert rotation.secrets_by_key() == {cipher.active_key: 2}
    cipher.rotate()

    assert [rotation.reencrypt_places(42) for _ in range(2)] == [1, 0]
    rotation.reencrypt_tokens(42)
    assert rotation.secrets_by_key() == {cipher.active_key: 2}
    assert places.circles(42, 200, [Position(48, 11)]) == circles


def test_mail_addresses_are_counted_and_sealed_again_and_read_as_before(
    store: Store, athletes: Athletes, rotation: KeyRotation, cipher: KeyFileCipher, clock: Clock
) -> None:
    connect(athletes)
    state = State.on(store, cipher, clock)
    addresses = state.mail_addresses
    assert addresses.confirm(42, addresses.give(42, "ann@example.com"))
    nonce = addresses.give(42, "new@example.com")
    old, new = cipher.active_key, cipher.rotate()

    assert rotation.secrets_by_key() == {old: 3}
    assert [rotation.reencrypt_addresses(42) for _ in range(2)] == [2, 0]
    assert rotation.secrets_by_key() == {old: 1, new: 2}
    (confirmed,) = addresses.confirmed()
    assert addresses.opened(42, confirmed.sealed) == "ann@example.com"
    waiting = store.get(Key("mail_addresses", "42", "waiting"))
    assert waiting is not None
    assert waiting.expires_at_epoch_s == int(clock()) + 86_400
    assert addresses.confirm(42, nonce)


@pytest.mark.parametrize("is_finished", [False, True])
def test_address_that_waits_in_a_certificate_is_counted_and_sealed_again(
    store: Store, rotation: KeyRotation, cipher: KeyFileCipher, clock: Clock, is_finished: bool
) -> None:
    state = State.on(store, cipher, clock)
    addresses, certificates = state.mail_addresses, state.certificates
    erasure = state.erasures.ask_now(42, EraseReason.ATHLETE)
    addresses.confirm(42, addresses.give(42, "ann@example.com"))
    certificates.open(erasure, *addresses.sealed(42))
    addresses.erase(42)
    if is_finished:
        certificates.finish(erasure, "{}")
    old, new = cipher.active_key, cipher.rotate()

    assert rotation.secrets_by_key() == {old: 1}
    (link_id,) = rotation.certificate_ids()
    assert [rotation.reencrypt_certificate(link_id) for _ in range(2)] == [1, 0]
    assert rotation.secrets_by_key() == {new: 1}
    certificate = certificates.get(erasure.link_id)
    assert certificate is not None
    assert addresses.opened(42, certificate.sealed_address) == "ann@example.com"


def test_nothing_that_the_key_has_sealed_is_left_out() -> None:
    """Whoever seals anything else adds it to `KeyRotation`, and here."""
    root = Path(__file__).parents[4] / "include"
    sealing = {path.stem for path in root.rglob("*.py") if re.search(r"\bsealer\(", path.read_text())}

    assert sealing - {"cipher", "key_file", "kms"} == {"athletes", "tokens", "token_pair", "places", "mail_addresses"}


def test_certificate_without_an_address_has_nothing_to_seal(
    store: Store, rotation: KeyRotation, cipher: KeyFileCipher, clock: Clock
) -> None:
    state = State.on(store, cipher, clock)
    erasure = state.erasures.ask_now(42, EraseReason.ATHLETE)
    certificates = [rotation.certificate_ids()]
    state.certificates.open(erasure)
    certificates.append(rotation.certificate_ids())
    cipher.rotate()

    assert certificates == [[], []]
    assert [rotation.reencrypt_certificate(link_id) for link_id in (erasure.link_id, "nothing")] == [0, 0]
    assert rotation.secrets_by_key() == {}


def test_address_of_a_mail_that_still_has_to_be_sent_is_sealed_again_when_its_erasure_is_long_over(
    store: Store, rotation: KeyRotation, cipher: KeyFileCipher, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    state = State.on(store, cipher, clock)
    erasure = state.erasures.ask_now(42, EraseReason.ATHLETE)
    state.mail_addresses.give(42, "ann@example.com")
    state.certificates.open(erasure, *state.mail_addresses.sealed(42))
    state.mail_addresses.erase(42)
    state.certificates.finish(erasure, "{}")
    with state.erasures.held(42) as lease:
        assert lease is not None
        state.erasures.settle(lease.confirmed().finished(int(clock())))
    pass_time(31 * 86_400)
    old, new = cipher.active_key, cipher.rotate()

    assert (state.erasures.get(42), rotation.secrets_by_key()) == (None, {old: 1})
    assert rotation.certificate_ids() == [erasure.link_id]
    assert rotation.reencrypt_certificate(erasure.link_id) == 1
    assert rotation.secrets_by_key() == {new: 1}
