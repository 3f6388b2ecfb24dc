"""The rows of erasures: which step follows which, who may write for whom meanwhile, and who works on one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.errors import BeingErased, LeaseLost, Refused, VersionConflict
from include.state.activities.ledger import ActivityLedger, LedgerEntry
from include.state.copies.ledger import Copy, CopyLedger, CopyState
from include.state.erasures.entry import NEXT_TRY_S, TRANSITIONS
from include.state.erasures.ledger import KEPT_S, LEASE_S, EraseReason, Erasure, Erasures, ErasureStage, Wish
from include.store.store import ABSENT, Key, Store

ANN, REX = 42, 43
OPERATOR, ATHLETE, EVENT = EraseReason.OPERATOR, EraseReason.ATHLETE, EraseReason.DEAUTHORISATION
S = ErasureStage


@pytest.fixture
def erasures(store: Store, clock: Clock) -> Erasures:
    return Erasures(store, clock)


def begin(erasures: Erasures, athlete_id: int, reason: EraseReason = OPERATOR) -> Erasure:
    """An erasure under way, with the lease on it."""
    erasures.ask_now(athlete_id, reason)
    lease = erasures.acquire(athlete_id)
    assert lease is not None
    return erasures.advance(lease.confirmed())


def finish(erasures: Erasures, lease: Erasure, now: float = 0) -> Erasure:
    return erasures.settle(erasures.check(lease).finished(int(now)))


# --- steps ---------------------------------------------------------------------------------------

ALLOWED = {
    (S.ASKED, S.UNDER_WAY),
    (S.ASKED, S.FINISHED),
    (S.ASKED, S.WITHDRAWN),
    (S.UNDER_WAY, S.UNDER_WAY),
    (S.UNDER_WAY, S.FINISHED),
    (S.UNDER_WAY, S.WITHDRAWN),
    (S.FINISHED, S.ASKED),
    (S.FINISHED, S.WITHDRAWN),
    (S.WITHDRAWN, S.ASKED),
}
STEPS: dict[ErasureStage, Callable[[Erasure], Erasure]] = {
    S.ASKED: lambda erasure: erasure.asked(Wish(OPERATOR, 1), 1),
    S.UNDER_WAY: Erasure.confirmed,
    S.FINISHED: lambda erasure: erasure.finished(1),
    S.WITHDRAWN: Erasure.withdrawn,
}


def test_table_of_steps_is_what_is_allowed() -> None:
    assert {(source, step.target) for step in TRANSITIONS for source in step.sources} == ALLOWED


@pytest.mark.parametrize("source", list(S))
@pytest.mark.parametrize("target", list(S))
def test_erasure_takes_a_step_exactly_when_the_table_has_it(source: ErasureStage, target: ErasureStage) -> None:
    erasure = replace(Erasure.first(ANN, Wish(OPERATOR, 0), 0), stage=source)

    if (source, target) in ALLOWED:
        assert STEPS[target](erasure).stage is target
    else:
        with pytest.raises(Refused, match=f"that is {source} cannot become {target}"):
            STEPS[target](erasure)


@pytest.mark.parametrize(
    ("stored", "stage"),
    [
        pytest.param("under_way", S.UNDER_WAY, id="under way"),
        pytest.param("finished", S.FINISHED, id="finished"),
        pytest.param("lifted", S.WITHDRAWN, id="lifted"),
    ],
)
def test_row_of_the_version_before_is_read(erasures: Erasures, store: Store, stored: str, stage: ErasureStage) -> None:
    row = {"kind": "erasure", "athlete_id": ANN, "reason": "athlete", "began_at_epoch_s": 5, "stage": stored}
    store.put(Key("erasures", str(ANN)), row, expected_version=ABSENT)

    erasure = erasures.get(ANN)

    assert erasure is not None
    assert (erasure.stage, erasure.wish, erasure.lease_until_epoch_s) == (stage, Wish(ATHLETE, 5), 0)
    assert [found.athlete_id for found in erasures.due()] == ([ANN] if stage is S.UNDER_WAY else [])


# --- the barrier ---------------------------------------------------------------------------------


def test_nobody_is_erased_at_first(erasures: Erasures) -> None:
    assert erasures.get(ANN) is None
    assert not erasures.forbid_writing(ANN, REX)
    assert list(erasures.all()) == []
    assert erasures.acquire(ANN) is None


@pytest.mark.parametrize(
    ("reason", "forbidden"),
    [
        pytest.param(ATHLETE, True, id="athlete"),
        pytest.param(OPERATOR, True, id="operator"),
        pytest.param(EVENT, False, id="event"),
    ],
)
def test_wish_of_a_person_forbids_writing_at_once_and_an_event_only_when_confirmed(
    erasures: Erasures, reason: EraseReason, forbidden: bool
) -> None:
    erasures.ask_now(ANN, reason)
    assert (erasures.forbid_writing(ANN), erasures.forbid_writing(REX)) == (forbidden, False)

    lease = erasures.acquire(ANN)
    assert lease is not None
    erasures.advance(lease.confirmed())
    assert erasures.forbid_writing(REX, ANN)


def test_writing_is_forbidden_from_the_beginning_until_30_days_after_the_end(
    erasures: Erasures, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    begin(erasures, ANN)
    pass_time(KEPT_S * 2)
    assert erasures.forbid_writing(REX, ANN)

    lease = erasures.acquire(ANN)
    assert lease is not None
    finish(erasures, lease, clock())
    pass_time(KEPT_S - 1)
    assert [found.stage for found in erasures.all()] == [S.FINISHED]
    assert erasures.forbid_writing(ANN)

    pass_time(2)
    assert not erasures.forbid_writing(ANN)


# --- asking --------------------------------------------------------------------------------------


def test_open_erasure_is_joined(erasures: Erasures, pass_time: Callable[[float], None]) -> None:
    first = begin(erasures, ANN)
    pass_time(10)
    assert erasures.ask_now(ANN, ATHLETE) == first


@pytest.mark.parametrize(
    ("wishes", "left"),
    [
        pytest.param([Wish(EVENT, 5), Wish(ATHLETE, 3)], Wish(ATHLETE, 3), id="a person's word after an event"),
        pytest.param([Wish(ATHLETE, 3), Wish(EVENT, 5)], Wish(ATHLETE, 3), id="an event after a person's word"),
        pytest.param([Wish(EVENT, 5), Wish(EVENT, 9)], Wish(EVENT, 9), id="a later event"),
        pytest.param([Wish(EVENT, 9), Wish(EVENT, 5)], Wish(EVENT, 9), id="an event that comes late"),
        pytest.param([Wish(OPERATOR, 3), Wish(ATHLETE, 5)], Wish(OPERATOR, 5), id="two persons"),
    ],
)
def test_wish_that_joins_another_keeps_the_stronger_word_and_the_later_time(
    erasures: Erasures, wishes: list[Wish], left: Wish
) -> None:
    for wish in wishes:
        joined = erasures.ask(ANN, wish)

    assert (joined.stage, joined.wish) == (S.ASKED, left)
    assert erasures.get(ANN) == joined


@pytest.mark.parametrize("connected", [pytest.param(True, id="connected again"), pytest.param(False, id="not")])
def test_next_erasure_begins_later_even_in_the_same_second(erasures: Erasures, connected: bool) -> None:
    first = begin(erasures, ANN)
    finish(erasures, first)
    if connected:
        erasures.admit(ANN)
        assert not erasures.forbid_writing(ANN)

    second = erasures.ask_now(ANN, OPERATOR)

    assert second.stage is S.ASKED
    assert second.began_at_epoch_s == first.began_at_epoch_s + 1
    with pytest.raises(LeaseLost):
        erasures.check(first)


def test_event_of_whatever_time_keeps_no_wish_of_a_person_away(erasures: Erasures, clock: Clock) -> None:
    year_9999 = 253_402_300_799
    erasures.ask(ANN, Wish(EVENT, year_9999))
    erasures.withdraw(ANN)

    asked = erasures.ask(ANN, Wish(OPERATOR, int(clock())))
    erasures.withdraw(ANN)

    assert asked.stage is S.ASKED
    assert erasures.ask_now(ANN, ATHLETE).wish == Wish(ATHLETE, int(clock()) + 1)


@pytest.mark.parametrize("end", [pytest.param(S.FINISHED, id="erased"), pytest.param(S.WITHDRAWN, id="withdrawn")])
def test_wish_of_a_person_that_is_delivered_again_is_answered_already(erasures: Erasures, end: ErasureStage) -> None:
    wish = erasures.ask_now(ANN, ATHLETE).wish
    if end is S.WITHDRAWN:
        erasures.withdraw(ANN)
    else:
        finish(erasures, begin(erasures, ANN, ATHLETE))

    again = erasures.ask(ANN, wish)

    assert again.stage is end
    assert erasures.ask(ANN, replace(again.wish, asked_at_epoch_s=again.wish.asked_at_epoch_s + 1)).stage is S.ASKED


def test_event_after_the_erasure_does_not_take_the_barrier_down(erasures: Erasures) -> None:
    finish(erasures, begin(erasures, ANN))

    assert erasures.ask(ANN, Wish(EVENT, 2**40)).stage is S.FINISHED
    assert erasures.forbid_writing(ANN)


# --- connecting ----------------------------------------------------------------------------------


def test_athlete_is_admitted_exactly_while_nothing_is_being_removed(erasures: Erasures) -> None:
    erasures.admit(ANN)
    erasures.ask_now(ANN, ATHLETE)
    erasures.admit(ANN)
    lease = begin(erasures, ANN)

    with pytest.raises(BeingErased, match="connect again when that is done"):
        erasures.admit(ANN)
    erasures.withdraw(ANN)
    assert erasures.check(lease).stage is S.UNDER_WAY

    finish(erasures, lease)
    erasures.admit(ANN)
    assert not erasures.forbid_writing(ANN)


def test_worker_loses_an_erasure_that_is_withdrawn(erasures: Erasures) -> None:
    erasures.ask_now(ANN, ATHLETE)
    with erasures.held(ANN) as lease:
        assert lease is not None
        erasures.withdraw(ANN)

        with pytest.raises(LeaseLost, match="has connected again"):
            erasures.check(lease)
        with pytest.raises(VersionConflict):
            erasures.advance(lease.confirmed())
    present = erasures.get(ANN)
    assert present is not None
    assert present.stage is S.WITHDRAWN


# --- one worker at a time ------------------------------------------------------------------------


def test_one_of_two_workers_has_the_erasure_and_the_other_takes_over_where_it_died(
    erasures: Erasures, pass_time: Callable[[float], None]
) -> None:
    erasures.ask_now(ANN, ATHLETE)
    first = erasures.acquire(ANN)
    assert first is not None
    assert erasures.acquire(ANN) is None
    pass_time(LEASE_S - 1)
    assert erasures.acquire(ANN) is None

    pass_time(1)
    second = erasures.acquire(ANN)

    assert second is not None
    assert erasures.check(second).fence == first.fence + 1
    with pytest.raises(LeaseLost):
        erasures.check(first)


def test_sign_of_life_keeps_the_lease_and_costs_nothing_while_half_of_it_is_left(
    erasures: Erasures, pass_time: Callable[[float], None]
) -> None:
    lease = begin(erasures, ANN)
    assert erasures.renew(lease) is lease
    for _ in range(5):
        pass_time(LEASE_S / 2)
        lease = erasures.renew(lease)

    assert erasures.check(lease) == lease
    pass_time(LEASE_S)
    with pytest.raises(LeaseLost):
        erasures.renew(lease)


def test_lease_is_let_go_at_the_end_of_the_block_by_an_error_too(erasures: Erasures) -> None:
    erasures.ask_now(ANN, ATHLETE)
    with pytest.raises(ZeroDivisionError), erasures.held(ANN) as lease:
        assert 1 / int(lease is None)

    assert erasures.acquire(ANN) is not None


def test_wish_that_is_joined_meanwhile_makes_the_worker_decide_again(erasures: Erasures) -> None:
    erasures.ask(ANN, Wish(EVENT, 5))
    lease = erasures.acquire(ANN)
    assert lease is not None
    erasures.ask(ANN, Wish(ATHLETE, 6))

    with pytest.raises(VersionConflict):
        erasures.settle(lease.withdrawn())
    assert erasures.check(lease).wish.reason is ATHLETE


def test_erasure_is_due_a_window_after_a_run_was_started_for_it_while_nobody_works_on_it(
    erasures: Erasures, pass_time: Callable[[float], None]
) -> None:
    def due() -> list[int]:
        return [erasure.athlete_id for erasure in erasures.due()]

    asked = erasures.ask_now(ANN, ATHLETE)
    assert due() == []
    pass_time(NEXT_TRY_S)
    assert due() == [ANN]

    erasures.postpone(asked)
    assert due() == []
    pass_time(NEXT_TRY_S)
    lease = erasures.acquire(ANN)
    assert lease is not None
    assert due() == []
    erasures.postpone(asked)  # an older view changes nothing
    finish(erasures, lease)
    assert due() == []


# --- the ledgers ---------------------------------------------------------------------------------


def test_no_activity_is_leased_for_an_erased_athlete_and_no_row_is_left(
    erasures: Erasures, store: Store, clock: Clock
) -> None:
    ledger = ActivityLedger(store, clock)
    begin(erasures, ANN)

    assert ledger.acquire(ANN, 1) is None
    assert store.get(Key("activities", str(ANN), "1")) is None
    assert ledger.acquire(REX, 2) is not None


def test_row_of_an_activity_outlives_a_wish_that_is_withdrawn(erasures: Erasures, store: Store, clock: Clock) -> None:
    ledger = ActivityLedger(store, clock)
    lease = ledger.acquire(ANN, 1)
    assert lease is not None
    ledger.settle(lease, replace(LedgerEntry.unknown(ANN, 1), object_keys=("a",)))
    before = ledger.get(ANN, 1)
    erasures.ask_now(ANN, ATHLETE)

    assert ledger.acquire(ANN, 1) is None
    assert ledger.acquire(ANN, 2) is None

    assert [entry.activity_id for entry in ledger.of_athlete(ANN)] == [1]
    assert ledger.get(ANN, 1) == before
    assert not ledger.in_hand(ANN)
    erasures.withdraw(ANN)
    assert ledger.acquire(ANN, 1) is not None


def test_running_lease_is_seen_and_not_forgotten_before_it_ends(
    erasures: Erasures, store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger = ActivityLedger(store, clock)
    ledger.acquire(ANN, 1)
    begin(erasures, ANN)

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
    begin(erasures, erased)

    assert copies.acquire(1, REX) is None
    assert copies.get(1, REX) is None


@pytest.mark.parametrize("leaving", [pytest.param(ANN, id="parent"), pytest.param(REX, id="child")])
def test_copy_outlives_a_wish_that_is_withdrawn(erasures: Erasures, store: Store, clock: Clock, leaving: int) -> None:
    copies = CopyLedger(store, clock)
    planned = copies.plan(Copy(1, REX, ANN, CopyState.PLANNED))
    erasures.ask_now(leaving, ATHLETE)

    assert copies.acquire(1, REX) is None
    assert not copies.in_hand(planned)

    erasures.withdraw(leaving)
    assert copies.acquire(1, REX) is not None


def test_copy_in_a_workers_hands_is_not_forgotten_before_it_is_let_go(store: Store, clock: Clock) -> None:
    copies = CopyLedger(store, clock)
    copies.plan(Copy(1, REX, ANN, CopyState.PLANNED))
    claimed = copies.acquire(1, REX)
    assert claimed is not None

    assert copies.in_hand(claimed)
    assert not copies.forget(1, REX)
    copies.settle(claimed)
    assert not copies.in_hand(claimed)
    assert copies.forget(1, REX)
    assert copies.forget(1, REX)
