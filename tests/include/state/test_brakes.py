"""A client uses a costly operation so often within an hour of the clock, and no more."""

from __future__ import annotations

import pytest

from include.clock import Clock
from include.state.brakes import Brakes
from include.store.store import Key, Store
from local.testbed.manual_clock import ManualClock

HOUR_S = 3600
HOUR_BEGAN = 1_699_999_200
"""The full hour before the clock of these tests starts."""


@pytest.fixture
def brakes(store: Store, clock: Clock) -> Brakes:
    return Brakes(store, clock)


def test_client_is_refused_above_the_limit_until_the_next_full_hour(brakes: Brakes, clock: ManualClock) -> None:
    assert [brakes.count("ann", most=3) for _ in range(5)] == [True, True, True, False, False]

    clock.now_epoch_s = HOUR_BEGAN + HOUR_S - 1
    assert not brakes.count("ann", most=3)
    clock.now_epoch_s = HOUR_BEGAN + HOUR_S
    assert [brakes.count("ann", most=3) for _ in range(4)] == [True, True, True, False]


def test_use_of_one_client_counts_for_no_other(brakes: Brakes) -> None:
    assert [brakes.count(client, most=1) for client in ("ann", "bob", "ann", "bob")] == [True, True, False, False]


def test_refused_use_is_not_counted(brakes: Brakes) -> None:
    assert [brakes.count("ann", most=1) for _ in range(5)] == [True, False, False, False, False]

    assert [brakes.count("ann", most=2) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("passed_s", "resets_in_s"),
    [
        pytest.param(0, 3600, id="at the full hour"),
        pytest.param(1, 3599, id="a second after it"),
        pytest.param(1800.9, 1800, id="in the middle"),
        pytest.param(3599, 1, id="a second before the next"),
    ],
)
def test_counter_resets_and_its_row_is_gone_at_the_full_hour(
    brakes: Brakes, store: Store, clock: ManualClock, passed_s: float, resets_in_s: int
) -> None:
    clock.now_epoch_s = HOUR_BEGAN + passed_s

    assert brakes.resets_in_s() == resets_in_s
    brakes.count("ann", most=1)
    row = store.get(Key("brakes", f"ann.{HOUR_BEGAN // HOUR_S}"))
    assert row is not None
    assert row.expires_at_epoch_s == HOUR_BEGAN + HOUR_S
