"""An OAuth state is good once, for a short time, and only where it was issued."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.clock import Clock
from include.errors import VersionConflict
from include.state.accounts.oauth_states import OAuthStates
from include.store.sqlite import SqliteStore
from include.store.store import Store


@pytest.fixture
def states(store: Store, clock: Clock) -> OAuthStates:
    return OAuthStates(store, clock)


def test_state_is_good_once(states: OAuthStates) -> None:
    states.issue("nonce")

    assert [states.consume("nonce") for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize(
    ("passed_s", "good"), [pytest.param(599, True, id="just in time"), pytest.param(600, False, id="too late")]
)
def test_state_is_good_for_ten_minutes(
    states: OAuthStates, pass_time: Callable[[float], None], passed_s: int, good: bool
) -> None:
    states.issue("nonce")
    pass_time(passed_s)

    assert states.consume("nonce") is good


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
def test_state_that_was_not_issued_is_refused(states: OAuthStates, nonce: str) -> None:
    states.issue("nonce")

    assert states.consume(nonce) is False
    assert states.consume("nonce") is True


def test_state_is_not_issued_twice(states: OAuthStates) -> None:
    states.issue("nonce")
    states.consume("nonce")

    with pytest.raises(VersionConflict):
        states.issue("nonce")
    assert states.consume("nonce") is False


def test_one_of_many_racing_consumers_wins(path: Path, clock: Clock) -> None:
    consumers = 8
    barrier = threading.Barrier(consumers)
    OAuthStates(SqliteStore(path, clock), clock).issue("nonce")

    def consume(_: int) -> bool:
        states = OAuthStates(SqliteStore(path, clock), clock)
        barrier.wait()
        return states.consume("nonce")

    with ThreadPoolExecutor(consumers) as pool:
        assert sum(pool.map(consume, range(consumers))) == 1


def test_state_is_not_in_the_file(states: OAuthStates, path: Path) -> None:
    states.issue("THE-NONCE")

    assert b"THE-NONCE" not in b"".join(found.read_bytes() for found in path.parent.iterdir())
