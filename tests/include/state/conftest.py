"""A store that lets rows expire only where DynamoDB deletes them, and an athlete whose data is being removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from include.clock import Clock
from include.state.erasures.entry import EraseReason
from include.state.erasures.ledger import Erasures
from include.store.sqlite import SqliteStore
from include.store.store import TABLES, Key, Store


class _CheckedStore(SqliteStore):
    """Takes no expiry for a row of a table that does not expire: DynamoDB would keep that row for good."""

    def put(
        self,
        key: Key,
        fields: Mapping[str, Any],
        *,
        expected_version: int,
        expires_at_epoch_s: int | None = None,
    ) -> int:
        assert expires_at_epoch_s is None or TABLES[key.table].expires, f"{key.table} does not expire, see TABLES"
        return super().put(key, fields, expected_version=expected_version, expires_at_epoch_s=expires_at_epoch_s)

    def add(
        self,
        key: Key,
        increments: Mapping[str, int],
        *,
        ceilings: Mapping[str, int] | None = None,
        expires_at_epoch_s: int | None = None,
    ) -> Mapping[str, int]:
        assert expires_at_epoch_s is None or TABLES[key.table].expires, f"{key.table} does not expire, see TABLES"
        return super().add(key, increments, ceilings=ceilings, expires_at_epoch_s=expires_at_epoch_s)


@pytest.fixture
def store(path: Path, clock: Clock) -> Iterator[Store]:
    store = _CheckedStore(path, clock)
    yield store
    store.close()


@pytest.fixture
def erase(store: Store, clock: Clock) -> Callable[[int], None]:
    """Begins the athlete's erasure."""

    def erase(athlete_id: int) -> None:
        erasures = Erasures(store, clock)
        erasures.ask_now(athlete_id, EraseReason.OPERATOR)
        with erasures.held(athlete_id) as erasure:
            assert erasure is not None
            erasures.advance(erasure.confirmed())

    return erase
