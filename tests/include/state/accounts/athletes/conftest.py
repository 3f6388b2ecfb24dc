"""Athletes in an empty store."""

from __future__ import annotations

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.state.accounts.athletes import Athletes
from include.store.store import Store


@pytest.fixture
def athletes(store: Store, cipher: Cipher, clock: Clock) -> Athletes:
    return Athletes(store, cipher, clock)
