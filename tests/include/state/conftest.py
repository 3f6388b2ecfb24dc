"""An athlete whose data is being removed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.clock import Clock
from include.state.erasures.entry import EraseReason
from include.state.erasures.ledger import Erasures
from include.store.store import Store


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
