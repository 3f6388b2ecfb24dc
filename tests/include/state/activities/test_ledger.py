"""One writer per activity: leases, marks, fences."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import pytest

from include.clock import Clock
from include.errors import LeaseLost
from include.state.activities.ledger import LEASE_S, ActivityLedger, ActivityState, Lease, LedgerEntry, Mark
from include.state.erasures.entry import EraseReason
from include.state.erasures.ledger import Erasures
from include.store.sqlite import SqliteStore
from include.store.store import Store
from include.strava.models import ActivityId, AthleteId

ENTRY = LedgerEntry(
    athlete_id=AthleteId(42),
    activity_id=ActivityId(2**53 + 1),
    state=ActivityState.SYNCED,
    sport_type="TrailRun",
    start_at_epoch_s=1_699_999_999,
    fingerprint="abc",
    object_keys=("streams/athlete_id=42/year=2023/2023-11.parquet", "raw/athlete_id=42/1.streams.json.gz"),
    points=18_000,
    reason="trop été",
    rounds=3,
    fetched_at_epoch_s=1_700_000_000.125,
    next_try_epoch_s=None,
)


@pytest.fixture
def ledger(store: Store, clock: Clock) -> ActivityLedger:
    return ActivityLedger(store, clock)


def acquired(ledger: ActivityLedger, activity_id: int = ENTRY.activity_id) -> Lease:
    lease = ledger.acquire(42, activity_id)
    assert lease is not None
    return lease


def stored(ledger: ActivityLedger) -> LedgerEntry | None:
    return ledger.get(42, ENTRY.activity_id)


def pending(activity_id: int, next_try_epoch_s: int | None) -> LedgerEntry:
    return LedgerEntry(AthleteId(42), ActivityId(activity_id), ActivityState.PENDING, next_try_epoch_s=next_try_epoch_s)


# --- lease ---------------------------------------------------------------------------------------


def test_unknown_activity_is_leased_with_no_entry_and_pending_meanwhile(ledger: ActivityLedger, clock: Clock) -> None:
    lease = acquired(ledger)

    assert lease == Lease(AthleteId(42), ENTRY.activity_id, 1, clock() + LEASE_S, None)
    assert stored(ledger) == pending(ENTRY.activity_id, int(clock()) + LEASE_S)
    ledger.check(lease)


@pytest.mark.parametrize("settled", [pytest.param(False, id="unknown activity"), pytest.param(True, id="known one")])
def test_activity_of_a_run_that_died_is_due_when_its_lease_ends(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None], settled: bool
) -> None:
    if settled:
        ledger.settle(acquired(ledger), ENTRY)
    acquired(ledger)

    assert list(ledger.due(clock() + LEASE_S - 1)) == []
    pass_time(LEASE_S)
    assert [entry.activity_id for entry in ledger.due(clock())] == [ENTRY.activity_id]


def test_noted_object_keys_outlive_the_run_and_are_added_to_the_known_ones(
    ledger: ActivityLedger, pass_time: Callable[[float], None]
) -> None:
    ledger.settle(acquired(ledger), replace(ENTRY, object_keys=("a", "c")))
    ledger.note(acquired(ledger), ["b", "c"])
    pass_time(LEASE_S)

    entry = acquired(ledger).entry
    assert entry is not None
    assert entry.object_keys == ("a", "b", "c")


def test_settled_entry_reads_as_stored_and_comes_with_the_next_lease(ledger: ActivityLedger) -> None:
    assert ledger.settle(acquired(ledger), ENTRY) is False

    assert stored(ledger) == ENTRY
    lease = acquired(ledger)
    assert (lease.fence, lease.entry) == (2, ENTRY)


def test_second_worker_gets_no_lease_and_the_holder_is_told_to_fetch_again(
    ledger: ActivityLedger, pass_time: Callable[[float], None]
) -> None:
    lease = acquired(ledger)
    pass_time(LEASE_S - 1)
    seconds = [ledger.acquire(42, ENTRY.activity_id) for _ in range(3)]
    asked_at_first = ledger.settle(lease, ENTRY)
    asked_again = ledger.settle(acquired(ledger), replace(ENTRY, fingerprint="def"))

    assert seconds == [None] * 3
    assert (asked_at_first, asked_again) == (True, False)
    entry = stored(ledger)
    assert entry is not None
    assert entry.fingerprint == "def"


def test_settled_entry_is_stored_and_due_at_once_when_somebody_asked_meanwhile(
    ledger: ActivityLedger, clock: Clock
) -> None:
    lease = acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)

    assert ledger.settle(lease, ENTRY) is True
    now = int(clock())
    assert stored(ledger) == replace(ENTRY, object_keys=tuple(sorted(ENTRY.object_keys)), asked=Mark(now, now))
    assert ledger.acquire(42, ENTRY.activity_id) is not None


def test_postponed_entry_releases_the_lease_whoever_asked(ledger: ActivityLedger, clock: Clock) -> None:
    lease = acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)
    entry = pending(ENTRY.activity_id, 1_700_000_900)

    ledger.postpone(lease, entry)

    now = int(clock())
    assert stored(ledger) == replace(entry, asked=Mark(now, now + 1800))
    assert ledger.settle(acquired(ledger), ENTRY) is False


@pytest.mark.parametrize(
    ("next_try_epoch_s", "wait_s"),
    [pytest.param(None, 0, id="no time given"), pytest.param(1_900_000_000, 1800, id="later")],
)
def test_postponed_entry_is_due_for_who_asked_meanwhile(
    ledger: ActivityLedger, clock: Clock, next_try_epoch_s: int | None, wait_s: int
) -> None:
    lease = acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)

    ledger.postpone(lease, pending(ENTRY.activity_id, next_try_epoch_s))

    entry = stored(ledger)
    assert entry is not None
    assert (entry.next_try_epoch_s, entry.due_at_epoch_s) == (next_try_epoch_s, int(clock()) + wait_s)


def test_advanced_entry_stays_leased_and_due_when_the_lease_ends(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger.settle(acquired(ledger), ENTRY)
    lease = acquired(ledger)
    expired = replace(ENTRY, state=ActivityState.EXPIRED, object_keys=tuple(sorted(ENTRY.object_keys)))

    held = ledger.advance(lease, expired)

    assert held == replace(lease, entry=expired)
    assert stored(ledger) == replace(expired, next_try_epoch_s=int(clock()) + LEASE_S)
    ledger.check(held)
    assert ledger.acquire(42, ENTRY.activity_id) is None
    pass_time(LEASE_S)
    assert [entry.state for entry in ledger.due(clock())] == [ActivityState.EXPIRED]


WRITES = [
    pytest.param(lambda ledger, lease: ledger.advance(lease, ENTRY), id="advance"),
    pytest.param(lambda ledger, lease: ledger.check(lease), id="check"),
    pytest.param(lambda ledger, lease: ledger.settle(lease, ENTRY), id="settle"),
    pytest.param(lambda ledger, lease: ledger.postpone(lease, ENTRY), id="postpone"),
    pytest.param(lambda ledger, lease: ledger.note(lease, ENTRY.object_keys), id="note"),
]
Write = Callable[[ActivityLedger, Lease], object]


@pytest.mark.parametrize("write", WRITES)
def test_expired_lease_is_lost(ledger: ActivityLedger, pass_time: Callable[[float], None], write: Write) -> None:
    lease = acquired(ledger)
    pass_time(LEASE_S)

    with pytest.raises(LeaseLost, match="athlete 42"):
        write(ledger, lease)

    entry = stored(ledger)
    assert entry is not None
    assert (entry.state, entry.object_keys) == (ActivityState.PENDING, ())


@pytest.mark.parametrize("write", WRITES)
def test_lease_that_was_taken_over_is_lost(
    ledger: ActivityLedger, pass_time: Callable[[float], None], write: Write
) -> None:
    slow = acquired(ledger)
    pass_time(LEASE_S)
    quick = acquired(ledger)

    with pytest.raises(LeaseLost):
        write(ledger, slow)

    entry = stored(ledger)
    assert entry is not None
    assert (entry.state, entry.object_keys, quick.fence) == (ActivityState.PENDING, (), slow.fence + 1)
    ledger.check(quick)


@pytest.mark.parametrize("write", WRITES)
def test_settled_lease_is_lost(ledger: ActivityLedger, write: Write) -> None:
    lease = acquired(ledger)
    ledger.settle(lease, replace(ENTRY, fingerprint="settled"))

    with pytest.raises(LeaseLost):
        write(ledger, lease)

    entry = stored(ledger)
    assert entry is not None
    assert entry.fingerprint == "settled"


def test_mark_of_a_crashed_workers_time_does_not_reach_the_next_holder(
    ledger: ActivityLedger, pass_time: Callable[[float], None]
) -> None:
    acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)
    pass_time(LEASE_S)

    assert ledger.settle(acquired(ledger), ENTRY) is False


def test_entry_of_a_lease_taken_over_unsettled_is_doubtful_until_an_orderly_lease_settles_it(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger.note(acquired(ledger), ["noted by one who stalls"])
    pass_time(LEASE_S)

    assert ledger.settle(acquired(ledger), ENTRY) is False
    doubtful = replace(
        ENTRY,
        fingerprint="",
        object_keys=("noted by one who stalls", *sorted(ENTRY.object_keys)),
        next_try_epoch_s=int(clock()) + LEASE_S,
    )
    assert stored(ledger) == doubtful

    pass_time(LEASE_S)
    assert list(ledger.due(clock())) == [doubtful]
    assert ledger.settle(acquired(ledger), ENTRY) is False
    assert stored(ledger) == ENTRY


def test_entry_stays_doubtful_while_its_holder_fetches_again(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    acquired(ledger)
    pass_time(LEASE_S)
    lease = acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)

    assert ledger.settle(lease, ENTRY) is True
    assert ledger.settle(acquired(ledger), ENTRY) is False
    assert [entry.fingerprint for entry in ledger.due(clock() + LEASE_S)] == [""]


def test_doubt_outlives_a_postponement(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    acquired(ledger)
    pass_time(LEASE_S)
    ledger.postpone(acquired(ledger), pending(ENTRY.activity_id, None))
    assert [entry.activity_id for entry in ledger.due(clock())] == [ENTRY.activity_id]

    ledger.settle(acquired(ledger), ENTRY)
    assert [entry.fingerprint for entry in ledger.due(clock() + LEASE_S)] == [""]
    ledger.settle(acquired(ledger), ENTRY)
    assert stored(ledger) == ENTRY


def test_mark_of_a_crashed_workers_time_stays_when_the_next_holder_fetches_nothing(
    ledger: ActivityLedger, pass_time: Callable[[float], None]
) -> None:
    acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)
    pass_time(LEASE_S)

    lease = ledger.acquire(42, ENTRY.activity_id, fresh=False)
    assert lease is not None
    assert ledger.settle(lease, ENTRY) is True


def test_leases_of_other_activities_do_not_matter(ledger: ActivityLedger) -> None:
    acquired(ledger, 1)

    assert ledger.acquire(42, 2) is not None
    assert ledger.acquire(43, 1) is not None


def test_held_lease_is_let_go_at_the_end_with_the_entry_as_it_was(ledger: ActivityLedger) -> None:
    ledger.settle(acquired(ledger), ENTRY)

    with ledger.held(42, ENTRY.activity_id) as lease:
        assert lease is not None
        ledger.note(lease, ["noted"])

    assert stored(ledger) == replace(ENTRY, object_keys=("noted", *sorted(ENTRY.object_keys)))
    assert ledger.acquire(42, ENTRY.activity_id) is not None


def test_held_lease_leaves_what_was_settled_under_it(ledger: ActivityLedger) -> None:
    ledger.settle(acquired(ledger), ENTRY)

    with ledger.held(42, ENTRY.activity_id) as lease:
        assert lease is not None
        assert ledger.settle(lease, replace(ENTRY, points=7)) is False

    assert stored(ledger) == replace(ENTRY, points=7)


def test_held_lease_on_an_unknown_activity_leaves_it_due(ledger: ActivityLedger, clock: Clock) -> None:
    with ledger.held(42, ENTRY.activity_id):
        pass

    assert [entry.activity_id for entry in ledger.due(clock() + LEASE_S)] == [ENTRY.activity_id]


def test_activity_in_another_workers_hands_is_not_held(ledger: ActivityLedger) -> None:
    lease = acquired(ledger)

    with ledger.held(42, ENTRY.activity_id) as second:
        assert second is None

    assert ledger.settle(lease, ENTRY) is False


# --- due before begun ------------------------------------------------------------------------------


def test_unknown_activity_is_made_due_in_half_an_hour(ledger: ActivityLedger, clock: Clock) -> None:
    ledger.make_due(42, 7, asked_at_epoch_s=5)

    assert ledger.get(42, 7) == replace(pending(7, None), asked=Mark(5, int(clock()) + 1800))
    assert list(ledger.due(clock() + 1799)) == []
    assert [entry.activity_id for entry in ledger.due(clock() + 1800)] == [7]


@pytest.mark.parametrize("state", ActivityState)
def test_known_activity_stays_as_it_is_when_it_is_made_due(
    ledger: ActivityLedger, clock: Clock, state: ActivityState
) -> None:
    entry = replace(ENTRY, state=state, object_keys=("a",), next_try_epoch_s=int(clock()) + 60)
    ledger.settle(acquired(ledger), entry)

    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5)

    made_due = stored(ledger)
    assert made_due is not None
    assert replace(made_due, asked=None) == entry
    assert made_due.due_at_epoch_s == int(clock()) + 60  # what is due earlier stays due earlier


def test_holder_is_told_when_the_activity_is_made_due_meanwhile(ledger: ActivityLedger) -> None:
    lease = acquired(ledger)
    for _ in range(2):
        ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5)

    ledger.check(lease)
    assert ledger.settle(lease, ENTRY) is True


@pytest.mark.parametrize(
    ("confirmed", "rows"), [pytest.param(True, 0, id="being removed"), pytest.param(False, 1, id="a wish alone")]
)
def test_activity_of_an_athlete_who_is_being_erased_is_not_made_due(
    store: Store, ledger: ActivityLedger, clock: Clock, confirmed: bool, rows: int
) -> None:
    erasures = Erasures(store, clock)
    erasures.ask_now(42, EraseReason.OPERATOR)
    with erasures.held(42) as erasure:
        assert erasure is not None
        if confirmed:
            erasures.advance(erasure.confirmed())

    ledger.make_due(42, 7, asked_at_epoch_s=5)

    assert len(list(ledger.of_athlete(42))) == rows


def test_renewed_lease_holds_for_its_full_length_from_then_on(
    ledger: ActivityLedger, hands: list[float], pass_time: Callable[[float], None]
) -> None:
    lease = acquired(ledger)
    pass_time(100)
    assert ledger.renew(lease) == lease
    pass_time(100)
    renewed = ledger.renew(lease)
    assert renewed.expires_at_epoch_s == hands[0] + LEASE_S
    pass_time(LEASE_S - 1)
    ledger.check(renewed)
    pass_time(1)
    with pytest.raises(LeaseLost):
        ledger.renew(renewed)


def test_answered_events_are_taken_back_and_later_ones_are_not(ledger: ActivityLedger) -> None:
    ledger.settle(acquired(ledger), ENTRY)
    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5)

    ledger.answered(42, ENTRY.activity_id, asked_at_epoch_s=4)
    after_the_older = stored(ledger)
    ledger.answered(42, ENTRY.activity_id, asked_at_epoch_s=5)

    assert after_the_older is not None
    assert after_the_older.asked is not None
    assert stored(ledger) == ENTRY


def test_mark_for_copies_is_cleared_by_the_fence_that_set_it_alone(ledger: ActivityLedger) -> None:
    lease = acquired(ledger)
    ledger.settle(lease, replace(ENTRY, copies_due=Mark(lease.fence, 100)))

    ledger.clear_copies_due(42, ENTRY.activity_id, lease.fence - 1)
    assert [entry.activity_id for entry in ledger.due(100)] == [ENTRY.activity_id]
    ledger.clear_copies_due(42, ENTRY.activity_id, lease.fence)
    assert stored(ledger) == ENTRY


def test_queued_activity_is_due_later_and_its_copies_are_marked_where_they_alone_are_queued(
    ledger: ActivityLedger, clock: Clock
) -> None:
    lease = acquired(ledger)
    ledger.settle(lease, ENTRY)

    ledger.put_off(42, ENTRY.activity_id, clock(), copies=True)
    ledger.put_off(42, 7, clock())  # nobody knows it

    later = int(clock()) + 1800
    assert stored(ledger) == replace(ENTRY, copies_due=Mark(lease.fence, later), queued=1)
    assert ledger.get(42, 7) is None


# --- finding -------------------------------------------------------------------------------------


def test_due_entries_come_longest_overdue_first(ledger: ActivityLedger) -> None:
    for activity_id, next_try in [(1, 300), (2, 100), (3, None), (4, 200), (5, 301)]:
        ledger.postpone(acquired(ledger, activity_id), pending(activity_id, next_try))

    assert [entry.activity_id for entry in ledger.due(300)] == [2, 4, 1]
    assert list(ledger.due(99.9)) == []


def test_entry_is_not_due_while_somebody_works_on_it(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger.postpone(acquired(ledger, 1), pending(1, 100))
    acquired(ledger, 1)
    while_leased = list(ledger.due(clock()))
    pass_time(LEASE_S)

    assert while_leased == []
    assert [entry.activity_id for entry in ledger.due(clock())] == [1]  # the worker crashed


def test_entry_is_no_longer_due_when_it_was_synced(ledger: ActivityLedger, clock: Clock) -> None:
    ledger.postpone(acquired(ledger), pending(ENTRY.activity_id, 100))
    ledger.settle(acquired(ledger), ENTRY)

    assert list(ledger.due(clock())) == []


def test_entries_of_an_athlete_are_found(ledger: ActivityLedger) -> None:
    for athlete_id, activity_id in [(42, 1), (42, 22), (4, 3), (422, 4)]:
        lease = ledger.acquire(athlete_id, activity_id)
        assert lease is not None
        entry = replace(ENTRY, athlete_id=AthleteId(athlete_id), activity_id=ActivityId(activity_id))
        ledger.settle(lease, entry)

    assert sorted(entry.activity_id for entry in ledger.of_athlete(42)) == [1, 22]


def test_ledger_has_no_place_for_titles_and_names() -> None:
    assert not {"name", "title", "description"} & {field.name for field in fields(LedgerEntry)}


# --- many at once --------------------------------------------------------------------------------


def test_last_change_is_always_seen_when_many_workers_race(path: Path, clock: Clock) -> None:
    """Each worker changes Strava and then asks for a sync; in the end the ledger has the last change."""
    strava = [0]
    writing: list[int] = []

    def sync(ledger: ActivityLedger, worker: int) -> None:
        lease = ledger.acquire(42, ENTRY.activity_id)
        while lease is not None:
            writing.append(worker)
            fetched = strava[0]
            assert set(writing) == {worker}
            writing.remove(worker)
            if not ledger.settle(lease, replace(ENTRY, points=fetched)):
                return
            lease = ledger.acquire(42, ENTRY.activity_id)

    def work(worker: int) -> None:
        ledger = ActivityLedger(SqliteStore(path, clock), clock)
        dice = random.Random(worker)
        for _ in range(10):
            strava[0] += dice.randrange(1, 3)
            sync(ledger, worker)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    entry = stored(ActivityLedger(SqliteStore(path, clock), clock))
    assert entry is not None
    assert entry.points == strava[0]


def test_latest_entries_come_newest_first_and_no_more_than_asked(ledger: ActivityLedger) -> None:
    for activity_id, start in ((1, 300), (2, None), (3, 100), (4, 200)):
        entry = replace(ENTRY, activity_id=ActivityId(activity_id), start_at_epoch_s=start)
        ledger.settle(acquired(ledger, activity_id), entry)

    assert [entry.activity_id for entry in ledger.latest(ENTRY.athlete_id, 3)] == [1, 4, 3]
    assert [entry.activity_id for entry in ledger.latest(ENTRY.athlete_id, 9)] == [1, 4, 3, 2]
    assert ledger.latest(ENTRY.athlete_id + 1, 3) == []


def test_worker_who_needs_no_fresh_answer_leaves_the_holder_alone(ledger: ActivityLedger) -> None:
    lease = acquired(ledger)
    assert ledger.acquire(42, ENTRY.activity_id, fresh=False) is None
    assert ledger.settle(lease, ENTRY) is False
    assert ledger.acquire(42, ENTRY.activity_id, fresh=False) is not None


def test_activity_is_at_rest_while_nobody_holds_it_and_nothing_is_due(ledger: ActivityLedger, clock: Clock) -> None:
    lease = acquired(ledger)
    held = ledger.at_rest(42, ENTRY.activity_id)
    ledger.settle(lease, ENTRY)
    rests = ledger.at_rest(42, ENTRY.activity_id)
    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=int(clock()))
    assert (held, rests, ledger.at_rest(42, ENTRY.activity_id)) == (None, ENTRY, None)
    assert ledger.at_rest(42, ENTRY.activity_id + 1) is None


def test_activity_that_is_asked_for_whole_is_due_now_and_nothing_stored_is_taken_for_fresh(
    ledger: ActivityLedger, clock: Clock
) -> None:
    ledger.settle(acquired(ledger), ENTRY)
    ledger.ask_whole(42, ENTRY.activity_id, clock())
    [entry] = ledger.due(clock())
    assert (entry.state, entry.object_keys, entry.fingerprint) == (ENTRY.state, ENTRY.object_keys, "")
