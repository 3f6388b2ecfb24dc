"""One refresh at a time, whoever asks meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.errors import (
    NotConnected,
    RetryLater,
    TokenRefused,
)
from include.state.accounts.athletes import Athletes, AthleteStatus, athlete_key
from include.state.accounts.token_pair import SealedTokens, sealer
from include.state.accounts.tokens import Tokens
from include.store.codec import decode, encode
from include.store.store import Store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete
from local.testbed.manual_clock import ManualClock
from tests.include.state.accounts.tokens.athlete import ATHLETE, access_token, status_of
from tests.include.state.meanwhile import Meanwhile

LIFETIME_S, LEASE_S = 21_600, 60
READ = frozenset({"read", "activity:read"})


def test_lease_of_a_crashed_worker_runs_out(
    tokens: Tokens, athletes: Athletes, strava: Any, clock: ManualClock
) -> None:
    clock.advance(LIFETIME_S)
    started = clock.now_epoch_s
    strava.while_busy.append(Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        access_token(tokens)
    strava.newest = 0  # as if the call had never reached Strava

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert LEASE_S <= clock.now_epoch_s - started < LEASE_S + 3
    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_waiting_ends_when_the_other_worker_never_finishes(
    tokens: Tokens, store: Store, cipher: Cipher, clock: Clock, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    waits: list[float] = []
    patient = Tokens(store, cipher, clock, strava.refresh, wait=waits.append)

    def second_worker() -> None:
        with pytest.raises(RetryLater, match="another worker is renewing the access of athlete 42"):
            access_token(patient)

    strava.while_busy.append(second_worker)

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert LEASE_S < 71 < sum(waits) < 72
    assert strava.calls == 1


def test_loser_takes_the_winners_pair_when_its_refresh_is_refused(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    """The first worker is so slow that its lease runs out; the second is refused, the first then stores its pair."""
    pass_time(LIFETIME_S)

    def second_worker() -> None:
        pass_time(LEASE_S)
        with pytest.raises(TokenRefused):
            access_token(tokens)

    strava.while_busy.append(second_worker)

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_refused_worker_reads_again_before_it_gives_up(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    calls = []

    def refused_after_another_won(athlete_id: int, refresh_token: str) -> TokenGrant:
        calls.append(refresh_token)
        strava.newest = 5
        athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), READ)
        raise TokenRefused("the refresh token is no longer valid")

    tokens._refresh = refused_after_another_won

    assert access_token(tokens) == "ACCESS-SECRET-5"
    assert (len(calls), status_of(athletes)) == (1, AthleteStatus.ACTIVE)


def test_pair_of_a_new_connection_wins_over_a_refresh_under_way(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)

    def connect_again() -> None:
        strava.newest = 50
        athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), READ)

    strava.while_busy.append(connect_again)

    assert access_token(tokens) == "ACCESS-SECRET-50"
    assert strava.calls == 1


def test_refresh_under_way_does_not_undo_a_disconnection(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.while_busy.append(lambda: athletes.mark(ATHLETE, AthleteStatus.REVOKED))

    with pytest.raises(NotConnected):
        access_token(tokens)

    assert status_of(athletes) is AthleteStatus.REVOKED


def test_pair_is_stored_when_the_row_changed_otherwise_meanwhile(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.while_busy.append(lambda: tokens.reject(ATHLETE, "ACCESS-SECRET-0"))

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert strava.calls == 1


def test_pair_is_stored_when_the_old_one_was_sealed_anew_meanwhile(
    tokens: Tokens, store: Store, cipher: Cipher, strava: Any, pass_time: Callable[[float], None]
) -> None:
    """A rotation of keys replaces every ciphertext, and the pair in it stays the same."""
    pass_time(LIFETIME_S)

    def seal_anew() -> None:
        item = store.get(athlete_key(ATHLETE))
        assert item is not None
        sealed = decode(SealedTokens, item.fields)
        pair = sealed.open(cipher, ATHLETE)
        anew = SealedTokens.seal(sealer(cipher, ATHLETE), pair, 0)
        fields = {**item.fields, **encode(replace(sealed, sealed=anew.sealed))}
        store.put(item.key, fields, expected_version=item.version)

    strava.while_busy.append(seal_anew)

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert strava.calls == 1


def test_one_refresh_serves_all_when_many_workers_want_a_token(
    athletes: Athletes, store: Store, cipher: Cipher, strava: Any, clock: ManualClock
) -> None:
    clock.advance(LIFETIME_S)
    workers = 8
    barrier = threading.Barrier(workers)
    stored = threading.Event()

    def work(_: int) -> str:
        tokens = Tokens(store, cipher, clock, strava.refresh, wait=lambda _: stored.wait(0.02) and None)
        barrier.wait()
        return access_token(tokens)

    with ThreadPoolExecutor(workers) as pool:
        for round_number in range(1, 6):
            assert set(pool.map(work, range(workers))) == {f"ACCESS-SECRET-{round_number}"}
            assert strava.calls == round_number
            clock.advance(LIFETIME_S)
    assert status_of(athletes) is AthleteStatus.ACTIVE


@pytest.mark.parametrize(
    ("remaining_s", "waited_s"),
    [pytest.param(0, [], id="over"), pytest.param(0.05, [0.1], id="still running")],
)
def test_lease_is_respected_to_its_very_end(
    tokens: Tokens, store: Store, cipher: Cipher, clock: ManualClock, strava: Any, remaining_s: float, waited_s: Any
) -> None:
    clock.advance(LIFETIME_S)
    item = store.get(athlete_key(ATHLETE))
    assert item is not None
    leased = {**item.fields, "refresh_lease_until_epoch_s": clock() + remaining_s}
    store.put(item.key, leased, expected_version=item.version)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(seconds)

    assert access_token(Tokens(store, cipher, clock, strava.refresh, wait=wait)) == "ACCESS-SECRET-1"
    assert waits == pytest.approx(waited_s)


def test_worker_that_loses_the_lease_to_another_takes_its_pair(
    tokens: Tokens, store: Store, cipher: Cipher, clock: ManualClock, strava: Any, pass_time: Callable[[float], None]
) -> None:
    clock.advance(LIFETIME_S)
    raced = Meanwhile(store, "athletes", lambda: access_token(tokens))

    assert access_token(Tokens(raced, cipher, clock, strava.refresh, wait=pass_time)) == "ACCESS-SECRET-1"
    assert strava.calls == 1


def test_rejection_of_a_pair_that_is_replaced_meanwhile_changes_nothing(
    tokens: Tokens, athletes: Athletes, store: Store, cipher: Cipher, clock: ManualClock, strava: Any
) -> None:
    def connect_again() -> None:
        strava.newest = 50
        athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), READ)

    raced = Meanwhile(store, "athletes", connect_again)
    Tokens(raced, cipher, clock, strava.refresh, wait=clock.advance).reject(ATHLETE, "ACCESS-SECRET-0")

    assert access_token(tokens) == "ACCESS-SECRET-50"
    assert strava.calls == 0


@pytest.mark.parametrize(("passed_s", "waits"), [(59.95, 1), (60, 0)], ids=["within its minute", "at its end"])
def test_worker_that_crashed_is_waited_for_a_minute_and_no_longer(
    tokens: Tokens, store: Store, cipher: Cipher, clock: ManualClock, strava: Any, passed_s: float, waits: int
) -> None:
    clock.advance(LIFETIME_S)
    strava.while_busy.append(Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        access_token(tokens)
    strava.newest = 0  # as if the call had never reached Strava
    clock.advance(passed_s)
    wait = Mock(side_effect=clock.advance)

    assert access_token(Tokens(store, cipher, clock, strava.refresh, wait=wait)) == "ACCESS-SECRET-1"
    assert wait.call_count == waits
