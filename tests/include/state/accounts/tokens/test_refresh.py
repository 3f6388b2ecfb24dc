"""Fresh access tokens: refreshed when little of the old one is left, and no rotated pair is ever lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.deadline import ending_at, remaining_s
from include.errors import (
    RetryLater,
)
from include.state.accounts.athletes import Athletes, AthleteStatus
from include.state.accounts.tokens import Tokens
from include.store.store import Store
from local.testbed.forwarding_store import ForwardingStore
from tests.include.state.accounts.tokens.athlete import ATHLETE, access_token, status_of

LIFETIME_S = 21_600


@pytest.mark.parametrize(
    ("remaining_s", "calls"),
    [
        pytest.param(LIFETIME_S, 0, id="new"),
        pytest.param(300, 0, id="at the margin"),
        pytest.param(299, 1, id="within the margin"),
        pytest.param(0, 1, id="at its end"),
        pytest.param(-86_400, 1, id="long expired"),
    ],
)
def test_token_is_refreshed_only_when_little_is_left(
    tokens: Tokens, strava: Any, pass_time: Callable[[float], None], remaining_s: int, calls: int
) -> None:
    pass_time(LIFETIME_S - remaining_s)

    assert access_token(tokens) == access_token(tokens) == f"ACCESS-SECRET-{calls}"
    assert strava.calls == calls


def test_pair_is_not_asked_for_while_it_could_not_be_sealed(
    tokens: Tokens, strava: Any, cipher: Cipher, monkeypatch: pytest.MonkeyPatch, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    with monkeypatch.context() as patched:
        patched.setattr(cipher, "sealer", Mock(side_effect=RetryLater("the key does not answer")))
        with pytest.raises(RetryLater, match="the key does not answer"):
            access_token(tokens)

    assert strava.calls == 0
    assert access_token(tokens) == "ACCESS-SECRET-1"


def test_each_refresh_uses_the_pair_of_the_one_before(
    tokens: Tokens, strava: Any, pass_time: Callable[[float], None]
) -> None:
    for number in range(1, 5):
        pass_time(LIFETIME_S)
        assert access_token(tokens) == f"ACCESS-SECRET-{number}"

    assert strava.calls == 4


def test_new_pair_is_stored_when_the_worker_dies_at_once(
    tokens: Tokens, strava: Any, store: Store, cipher: Cipher, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    access_token(tokens)

    other = Tokens(store, cipher, clock, strava.refresh, wait=pass_time)

    assert access_token(other) == "ACCESS-SECRET-1"
    assert strava.calls == 1


def test_rejected_token_is_refreshed_next_time(tokens: Tokens, strava: Any) -> None:
    tokens.reject(ATHLETE, access_token(tokens))

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert strava.calls == 1


@pytest.mark.parametrize(
    ("athlete_id", "token"),
    [
        pytest.param(ATHLETE, "ACCESS-SECRET-7", id="a token that is no longer stored"),
        pytest.param(43, "ACCESS-SECRET-0", id="an unknown athlete"),
    ],
)
def test_rejecting_changes_nothing(tokens: Tokens, strava: Any, athlete_id: int, token: str) -> None:
    tokens.reject(athlete_id, token)

    assert access_token(tokens) == "ACCESS-SECRET-0"
    assert strava.calls == 0


def test_rejecting_changes_nothing_when_the_athlete_disconnected(tokens: Tokens, athletes: Athletes) -> None:
    athletes.mark(ATHLETE, AthleteStatus.REVOKED)

    tokens.reject(ATHLETE, "ACCESS-SECRET-0")

    assert status_of(athletes) is AthleteStatus.REVOKED


def test_only_one_write_lies_between_the_answer_and_the_stored_pair(
    tokens: Tokens, store: Store, strava: Any, pass_time: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_time(LIFETIME_S)
    asked: list[str] = []

    def watch() -> None:
        for name in ("get", "put", "query", "find", "add", "delete"):
            operation = getattr(store, name)
            monkeypatch.setattr(
                store, name, lambda *args, _name=name, _do=operation, **kw: (asked.append(_name), _do(*args, **kw))[1]
            )

    strava.while_busy.append(watch)

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert asked == ["put"]


@pytest.mark.parametrize("is_written", [pytest.param(False, id="refused"), pytest.param(True, id="answer lost")])
def test_new_pair_is_stored_when_the_store_fails_for_a_while(
    tokens: Tokens,
    store: Store,
    strava: Any,
    pass_time: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    is_written: bool,
) -> None:
    pass_time(LIFETIME_S)
    put, failures = store.put, [RetryLater("throttled")] * 3

    def throttled(*args: Any, **options: Any) -> int:
        if failures and is_written:
            put(*args, **options)
        if failures:
            raise failures.pop()
        return put(*args, **options)

    strava.while_busy.append(lambda: monkeypatch.setattr(store, "put", throttled))

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert strava.calls == 1


def test_no_token_is_in_the_file_or_in_a_repr(
    tokens: Tokens, store: Store, path: Path, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    access_token(tokens)
    files = b"".join(found.read_bytes() for found in path.parent.iterdir() if found.is_file())

    assert b"SECRET" not in files
    assert "SECRET" not in f"{tokens!r} {vars(tokens)!r}"


class WatchedStore(ForwardingStore):
    """Notes how long each write may last."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.remaining_s: list[float] = []

    def put(self, *args: Any, **options: Any) -> int:
        self.remaining_s.append(remaining_s())
        return super().put(*args, **options)


def test_new_pair_is_stored_however_little_time_the_work_has_left(
    athletes: Athletes, store: Store, cipher: Cipher, clock: Clock, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    watched = WatchedStore(store)

    with ending_at(0):
        access_token(Tokens(watched, cipher, clock, strava.refresh, wait=pass_time))

    assert watched.remaining_s[0] < 0  # the lease
    assert watched.remaining_s[1:] == [math.inf]
