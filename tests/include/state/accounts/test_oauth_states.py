"""An OAuth state is used once, whoever races for it; what was never used leaves nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.clock import Clock
from include.state.accounts.oauth_states import OAuthStates
from include.store.sqlite import SqliteStore
from include.store.store import Store

LIFETIME_S = 600


@pytest.fixture
def states(store: Store, clock: Clock) -> OAuthStates:
    return OAuthStates(store, clock)


def test_state_is_used_once(states: OAuthStates) -> None:
    assert [states.use("nonce", lifetime_s=LIFETIME_S) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize(
    ("passed_s", "is_kept"), [pytest.param(599, True, id="within"), pytest.param(600, False, id="after")]
)
def test_use_is_remembered_as_long_as_a_state_lasts(
    states: OAuthStates, pass_time: Callable[[float], None], passed_s: int, is_kept: bool
) -> None:
    states.use("nonce", lifetime_s=LIFETIME_S)
    pass_time(passed_s)

    assert states.use("nonce", lifetime_s=LIFETIME_S) is not is_kept


@pytest.mark.parametrize(
    "nonce",
    [
        pytest.param("", id="empty"),
        pytest.param("nonce2", id="another"),
        pytest.param("NONCE", id="other case"),
        pytest.param("x" * 1_000_000, id="a megabyte"),
        pytest.param("\0'\"🐕\ud800", id="hostile"),
    ],
)
def test_use_of_one_state_uses_no_other(states: OAuthStates, nonce: str) -> None:
    states.use(nonce, lifetime_s=LIFETIME_S)

    assert states.use("nonce", lifetime_s=LIFETIME_S) is True


def test_one_of_many_racing_callbacks_wins(path: Path, clock: Clock) -> None:
    callbacks = 8
    barrier = threading.Barrier(callbacks)
    SqliteStore(path, clock).close()

    def use(_: int) -> bool:
        states = OAuthStates(SqliteStore(path, clock), clock)
        barrier.wait()
        return states.use("nonce", lifetime_s=LIFETIME_S)

    with ThreadPoolExecutor(callbacks) as pool:
        assert sum(pool.map(use, range(callbacks))) == 1


def test_nonce_is_not_in_the_file(states: OAuthStates, path: Path) -> None:
    states.use("THE-NONCE", lifetime_s=LIFETIME_S)

    assert b"THE-NONCE" not in b"".join(found.read_bytes() for found in path.parent.iterdir())
