"""An athlete's address: sealed, in use once it is confirmed, and replaced only by another confirmed one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.errors import CipherError
from include.state.accounts.mail_addresses import MailAddress, MailAddresses
from include.store.store import ABSENT, Key, Store
from tests.include.state.meanwhile import Meanwhile

ANN, BOB = 42, 43
CONFIRM_WITHIN_S, ASK_AGAIN_AFTER_S = 86_400, 60
FIRST, SECOND = "ann@example.com", "zoë@example.org"
PassTime = Callable[[float], None]


@pytest.fixture
def addresses(store: Store, cipher: Cipher, clock: Clock) -> MailAddresses:
    return MailAddresses(store, cipher, clock)


def opened(addresses: MailAddresses, address: MailAddress | None) -> str | None:
    return None if address is None else addresses.opened(address.athlete_id, address.sealed)


def stored(addresses: MailAddresses, athlete_id: int = ANN) -> tuple[str | None, str | None]:
    """The confirmed address and the one that waits."""
    return opened(addresses, addresses.get(athlete_id)), opened(addresses, addresses.waiting(athlete_id))


def rows(store: Store, athlete_id: int = ANN) -> list[str]:
    return [item.key.sort for item in store.query("mail_addresses", str(athlete_id))]


def test_address_is_in_use_once_it_is_confirmed(addresses: MailAddresses, store: Store) -> None:
    assert stored(addresses) == (None, None)
    nonce = addresses.give(ANN, FIRST)
    assert stored(addresses) == (None, FIRST)
    assert list(addresses.confirmed()) == []

    assert [addresses.confirm(ANN, nonce) for _ in range(2)] == [True, False]

    assert stored(addresses) == (FIRST, None)
    assert stored(addresses, BOB) == (None, None)
    (confirmed,) = addresses.confirmed()
    assert confirmed == addresses.get(ANN)
    assert (confirmed.athlete_id, confirmed.asked_at_epoch_s, confirmed.is_confirmed) == (ANN, 1_700_000_000, True)
    assert rows(store) == ["-"]


def test_address_is_not_confirmed_by_anything_but_its_own_nonce(addresses: MailAddresses) -> None:
    nonce, of_bob = addresses.give(ANN, FIRST), addresses.give(BOB, SECOND)

    assert [addresses.confirm(ANN, wrong) for wrong in ("", "x", nonce[:-1], f"{nonce}x", of_bob)] == [False] * 5
    assert not addresses.confirm(44, nonce)
    assert (stored(addresses), stored(addresses, BOB)) == ((None, FIRST), (None, SECOND))


def test_later_address_replaces_the_one_that_waits_and_then_the_one_in_use(
    addresses: MailAddresses, store: Store
) -> None:
    addresses.confirm(ANN, addresses.give(ANN, FIRST))
    earlier = addresses.give(ANN, "typo@example.org")
    nonce = addresses.give(ANN, SECOND)
    assert stored(addresses) == (FIRST, SECOND)

    assert not addresses.confirm(ANN, earlier)
    assert stored(addresses) == (FIRST, SECOND)
    assert addresses.confirm(ANN, nonce)
    assert stored(addresses) == (SECOND, None)
    assert rows(store) == ["-"]


@pytest.mark.parametrize("seconds", [pytest.param(-1, id="in time"), pytest.param(0, id="too late")])
def test_address_that_is_not_confirmed_within_a_day_is_forgotten(
    addresses: MailAddresses, pass_time: PassTime, seconds: int
) -> None:
    nonce = addresses.give(ANN, FIRST)
    pass_time(CONFIRM_WITHIN_S + seconds)

    assert stored(addresses) == (None, FIRST if seconds else None)
    assert addresses.confirm(ANN, nonce) is bool(seconds)


def test_address_in_use_never_expires(addresses: MailAddresses, pass_time: PassTime) -> None:
    addresses.confirm(ANN, addresses.give(ANN, FIRST))
    pass_time(10 * 365 * 86_400)

    assert stored(addresses) == (FIRST, None)


def test_next_link_is_sent_a_minute_later_whatever_was_taken_back(
    addresses: MailAddresses, pass_time: PassTime
) -> None:
    claimed = [addresses.claim_link(ANN), addresses.claim_link(ANN), addresses.claim_link(BOB)]
    addresses.give(ANN, FIRST)
    addresses.forget(ANN)
    pass_time(ASK_AGAIN_AFTER_S - 1)
    claimed.append(addresses.claim_link(ANN))
    pass_time(1)
    claimed += [addresses.claim_link(ANN), addresses.claim_link(ANN)]

    assert claimed == [True, False, True, False, True, False]


def test_dropped_is_the_address_of_that_nonce_alone(addresses: MailAddresses) -> None:
    used = addresses.give(ANN, FIRST)
    addresses.confirm(ANN, used)
    earlier, later = addresses.give(ANN, "typo@example.org"), addresses.give(ANN, SECOND)

    for nonce in (used, earlier, ""):
        addresses.drop(ANN, nonce)
    assert stored(addresses) == (FIRST, SECOND)
    for _ in range(2):
        addresses.drop(ANN, later)
    assert stored(addresses) == (FIRST, None)


def test_address_that_is_given_while_another_is_dropped_stays(
    addresses: MailAddresses, store: Store, cipher: Cipher, clock: Clock
) -> None:
    earlier = addresses.give(ANN, FIRST)
    raced = Meanwhile(store, "mail_addresses", lambda: addresses.give(ANN, SECOND))

    MailAddresses(raced, cipher, clock).drop(ANN, earlier)

    assert stored(addresses) == (None, SECOND)


def test_addresses_are_forgotten_but_not_that_a_link_was_sent(addresses: MailAddresses, store: Store) -> None:
    for athlete_id in (ANN, BOB):
        addresses.claim_link(athlete_id)
        addresses.confirm(athlete_id, addresses.give(athlete_id, FIRST))
        addresses.give(athlete_id, SECOND)
    assert (addresses.count(ANN), len(addresses.sealed(ANN))) == (3, 2)

    for _ in range(2):
        addresses.forget(ANN)

    assert (stored(addresses), addresses.sealed(ANN), addresses.count(ANN)) == ((None, None), [], 1)
    assert not addresses.claim_link(ANN)
    assert (stored(addresses, BOB), addresses.count(BOB)) == ((FIRST, SECOND), 3)


def test_every_row_is_erased(addresses: MailAddresses, store: Store) -> None:
    for athlete_id in (ANN, BOB):
        addresses.claim_link(athlete_id)
        addresses.confirm(athlete_id, addresses.give(athlete_id, FIRST))
        addresses.give(athlete_id, SECOND)

    for _ in range(2):
        addresses.erase(ANN)

    assert [addresses.count(ANN), addresses.count(BOB)] == [0, 3]
    assert addresses.claim_link(ANN)


def test_sealed_address_opens_for_its_athlete_alone(addresses: MailAddresses) -> None:
    addresses.confirm(ANN, addresses.give(ANN, FIRST))
    (sealed,) = addresses.sealed(ANN)

    assert FIRST not in sealed
    assert addresses.opened(ANN, sealed) == addresses.opened(ANN, addresses.resealed(ANN, sealed)) == FIRST
    with pytest.raises(CipherError):
        addresses.opened(BOB, sealed)
    assert FIRST not in repr(addresses.get(ANN))


def test_address_that_waits_in_the_row_of_an_older_version_is_confirmed_there(
    addresses: MailAddresses, store: Store
) -> None:
    nonce = addresses.give(ANN, FIRST)
    waiting = store.get(Key("mail_addresses", str(ANN), "waiting"))
    assert waiting is not None
    store.delete(waiting.key, expected_version=waiting.version)
    key = Key("mail_addresses", str(ANN))
    store.put(key, waiting.fields, expected_version=ABSENT, expires_at_epoch_s=waiting.expires_at_epoch_s)

    assert stored(addresses) == (None, FIRST)
    assert list(addresses.confirmed()) == []
    assert addresses.confirm(ANN, nonce)
    assert stored(addresses) == (FIRST, None)


def test_only_what_another_key_has_sealed_is_sealed_again(addresses: MailAddresses) -> None:
    addresses.confirm(ANN, addresses.give(ANN, FIRST))
    addresses.give(ANN, SECOND)
    confirmed, waiting = addresses.sealed(ANN)

    assert addresses.reencrypt(ANN, lambda sealed: sealed == confirmed) == 1

    after = addresses.sealed(ANN)
    assert [after[0] == confirmed, after[1] == waiting] == [True, False]
    assert stored(addresses) == (FIRST, SECOND)
    assert addresses.reencrypt(ANN, lambda _sealed: True) == addresses.reencrypt(BOB, lambda _sealed: False) == 0


def test_address_confirmed_while_it_is_sealed_again_stays_confirmed(
    addresses: MailAddresses, store: Store, cipher: Cipher, clock: Clock
) -> None:
    addresses.confirm(ANN, addresses.give(ANN, FIRST))
    nonce = addresses.give(ANN, SECOND)
    raced = Meanwhile(store, "mail_addresses", lambda: addresses.confirm(ANN, nonce))

    assert MailAddresses(raced, cipher, clock).reencrypt(ANN, lambda _sealed: False) == 1

    assert stored(addresses) == (SECOND, None)


def test_row_of_a_confirmed_address_that_went_meanwhile_is_not_among_them(
    addresses: MailAddresses, store: Store
) -> None:
    for athlete_id in (ANN, BOB):
        addresses.confirm(athlete_id, addresses.give(athlete_id, FIRST))
    found = addresses.confirmed()
    first = next(found)
    addresses.forget(BOB)

    assert replace(first, sealed="") == MailAddress(ANN, "", "", 1_700_000_000, version=1)
    assert list(found) == []


def test_neither_the_sealed_address_nor_the_nonce_of_its_link_is_in_a_repr(addresses: MailAddresses) -> None:
    nonce = addresses.give(ANN, FIRST)
    waiting = addresses.waiting(ANN)

    assert waiting is not None
    assert waiting.nonce == nonce
    assert nonce not in repr(waiting)
    assert waiting.sealed not in repr(waiting)
