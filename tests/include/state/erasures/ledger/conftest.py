"""The ledger of erasures on an empty store."""

from __future__ import annotations

import pytest

from include.clock import Clock
from include.state.erasures.ledger import Erasures
from include.store.store import Store


@pytest.fixture
def erasures(store: Store, clock: Clock) -> Erasures:
    return Erasures(store, clock)
