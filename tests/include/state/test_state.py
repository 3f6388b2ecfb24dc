"""Every ledger of a system, on one store."""

from __future__ import annotations

from typing import get_type_hints

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.state.state import State
from include.store.store import Store


def test_state_has_each_of_its_ledgers(store: Store, cipher: Cipher, clock: Clock) -> None:
    state = State.on(store, cipher, clock)

    assert {name: type(getattr(state, name)) for name in get_type_hints(State)} == get_type_hints(State)
