"""What linking takes: ledgers on a file, and a clock; nothing else is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from include.crypto.key_file import KeyFileCipher
from include.state.links import Link
from include.state.state import State
from include.store.sqlite import SqliteStore
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from local.testbed.manual_clock import ManualClock
from tests.include.linking.agreed import LINK

ADA, REX, ZOE = 11, 22, 33


@dataclass
class Linking:
    """The services of these tests, and the time, which a test sets."""

    state: State
    clock: ManualClock


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Linking]:
    clock = ManualClock(1_760_000_000.0)
    store = SqliteStore(tmp_path / "state.sqlite", clock)
    services = Linking(State.on(store, KeyFileCipher(tmp_path / "token.key"), clock), clock)
    for athlete_id in (ADA, REX):
        grant = TokenGrant("a" * 40, "r" * 40, 2_000_000_000, Athlete(AthleteId(athlete_id), "A", "B"))
        services.state.athletes.connect(grant, frozenset({"activity:read"}))
    yield services
    store.close()


@pytest.fixture
def linked(services: Linking) -> Link:
    return services.state.links.save(LINK)


@pytest.fixture
def stored(services: Linking) -> Callable[[], Link | None]:
    return lambda: services.state.links.get(ADA, REX)
