"""The barrier of an erasure: who may write for whom, and for how long it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.errors import VersionConflict
from include.state.activities import ActivityLedger
from include.state.copies import Copy, CopyLedger, CopyState
from include.state.erasures import KEPT_S, Erasure, Erasures, ErasureStage
from include.state.store import Key, Store

ANN, REX = 42, 43


@pytest.fixture
def erasures(store: Store, clock: Clock) -> Erasures:
    return Erasures(store, clock)


def test_nobody_is_erased_at_first(erasures: Erasures) -> None:
    assert erasures.get(ANN) is None
    assert not erasures.forbid_writing(ANN, REX)
    assert list(erasures.all()) == []


def test_writing_is_forbidden_from_the_beginning_until_30_days_after_the_end(
    erasures: Erasures, pass_time: Callable[[float], None]
) -> None:
    erasure = erasures.begin(ANN, "operator")
    pass_time(KEPT_S * 2)
    assert erasures.forbid_writing(REX, ANN)

    erasures.finish(erasure)
    erasures.finish(erasure)
    pass_time(KEPT_S - 1)
    assert [found.stage for found in erasures.all()] == [ErasureStage.FINISHED]
    assert erasures.forbid_writing(ANN)

    pass_time(2)
    assert not erasures.forbid_writing(ANN)


def test_erasure_under_way_is_joined(erasures: Erasures, pass_time: Callable[[float], None]) -> None:
    first = erasures.begin(ANN, "operator")
    pass_time(10)
    assert erasures.begin(ANN, "athlete") == first


@pytest.mark.parametrize("connected", [pytest.param(True, id="connected again"), pytest.param(False, id="not")])
def test_next_erasure_begins_later_even_in_the_same_second(erasures: Erasures, connected: bool) -> None:
    first = erasures.begin(ANN, "operator")
    erasures.finish(first)
    if connected:
        erasures.lift(ANN)
        assert not erasures.forbid_writing(ANN)

    second = erasures.begin(ANN, "operator")

    assert second.began_at_epoch_s == first.began_at_epoch_s + 1
    erasures.finish(first)
    assert erasures.get(ANN) == replace(second, stage=ErasureStage.UNDER_WAY)


def test_who_decided_on_an_older_view_has_to_decide_again(erasures: Erasures) -> None:
    class Late(Erasures):
        """Saw no erasure; meanwhile another began and ended."""

        def get(self, athlete_id: int) -> Erasure | None:
            return None

    erasures.finish(erasures.begin(ANN, "operator"))
    with pytest.raises(VersionConflict):
        Late(erasures._store, erasures._clock).begin(ANN, "operator")


# --- the ledgers ---------------------------------------------------------------------------------


def test_no_activity_is_leased_for_an_erased_athlete_and_no_row_is_left(
    erasures: Erasures, store: Store, clock: Clock
) -> None:
    ledger = ActivityLedger(store, clock)
    erasures.begin(ANN, "operator")

    assert ledger.acquire(ANN, 1) is None
    assert store.get(Key("activities", str(ANN), "1")) is None
    assert ledger.acquire(REX, 2) is not None


def test_running_lease_is_seen_and_not_forgotten_before_it_ends(
    erasures: Erasures, store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger = ActivityLedger(store, clock, lease_s=300)
    ledger.acquire(ANN, 1)
    erasures.begin(ANN, "operator")

    assert ledger.in_hand(ANN)
    assert not ledger.forget(ANN, 1)
    pass_time(300)
    assert not ledger.in_hand(ANN)
    assert ledger.forget(ANN, 1)
    assert ledger.forget(ANN, 1)
    assert list(ledger.of_athlete(ANN)) == []


@pytest.mark.parametrize("erased", [pytest.param(ANN, id="parent"), pytest.param(REX, id="child")])
def test_no_copy_is_claimed_of_or_for_an_erased_athlete(
    erasures: Erasures, store: Store, clock: Clock, erased: int
) -> None:
    copies = CopyLedger(store, clock)
    copies.plan(Copy(1, REX, ANN, CopyState.PLANNED))
    erasures.begin(erased, "operator")

    assert copies.acquire(1, REX) is None
    assert copies.get(1, REX) is None


def test_copy_in_a_workers_hands_is_not_forgotten_before_it_is_let_go(store: Store, clock: Clock) -> None:
    copies = CopyLedger(store, clock)
    copies.plan(Copy(1, REX, ANN, CopyState.PLANNED))
    claimed = copies.acquire(1, REX)
    assert claimed is not None

    assert copies.in_hand(claimed)
    assert not copies.forget(1, REX)
    copies.release(claimed)
    assert not copies.in_hand(claimed)
    assert copies.forget(1, REX)
    assert copies.forget(1, REX)
