"""Links in an empty store."""

from __future__ import annotations

import pytest

from include.clock import Clock
from include.state.links import Links
from include.store.store import Store


@pytest.fixture
def links(store: Store, clock: Clock) -> Links:
    return Links(store, clock)
