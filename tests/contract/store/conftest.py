"""Each implementation of `Store`, empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.clock import Clock
from include.store.backend import open_store
from include.store.store import Store


@pytest.fixture
def store(store_url: str, clock: Clock) -> Iterator[Store]:
    store = open_store(store_url, clock)
    yield store
    store.close()
