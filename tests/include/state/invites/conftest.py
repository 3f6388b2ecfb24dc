"""Invitations in an empty store."""

from __future__ import annotations

import pytest

from include.clock import Clock
from include.state.invites import Invites
from include.store.store import Store


@pytest.fixture
def invites(store: Store, clock: Clock) -> Invites:
    return Invites(store, clock)
