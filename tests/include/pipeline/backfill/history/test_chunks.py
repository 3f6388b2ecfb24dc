"""What a chunk of a history leaves in the lake, in the ledger and in the history, and what it reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import (
    BadRequest,
    Gone,
    QuotaSpent,
    ScopeMissing,
    StravaUnavailable,
    TokenRefused,
    UnexpectedShape,
    WorkBroken,
)
from include.lake.keys import activities_key, streams_key
from include.pipeline.backfill.history import postponed
from include.pipeline.backfill.loading import ChunkLoaded, load
from include.pipeline.ingest.fingerprint import Fingerprint
from include.state.activities.entry import PERHAPS_LOST
from include.state.activities.ledger import ActivityState, DueWork, LedgerEntry
from include.state.copies.ledger import Copy, CopyState
from include.state.links import Link
from tests.include.pipeline.backfill.history.listed import PARENT_ID, START_EPOCH_S, summary_row

OTHER_ID, REX = 72, 73
WINDOW_S, LEASE_S, HOUR_S = 900, 300, 3600


def test_results_of_chunks_are_added_and_carried_to_the_next_task():
    loaded = ChunkLoaded(1, 2, 3, ("quota",)) + ChunkLoaded(40, 50, 60, ("access",))

    assert loaded == ChunkLoaded(loaded=41, points=52, skipped=63, waiting=("quota", "access"))
    assert loaded.to_json() == {"loaded": 41, "points": 52, "skipped": 63, "waiting": 2}
    assert ChunkLoaded().to_json() == {"loaded": 0, "points": 0, "skipped": 0, "waiting": 0}


def test_listed_activity_is_in_the_lake_as_old_as_its_list(backfill):
    row, listed_at = summary_row(1), backfill.now_epoch_s
    history = backfill.list(row)
    backfill.services.clock.advance(HOUR_S)

    assert backfill.load(history) == ChunkLoaded(loaded=1, points=4)

    keys = (streams_key(PARENT_ID, row.start_at), activities_key(PARENT_ID, row.start_at))
    assert replace(backfill.entry(1), object_keys=tuple(sorted(backfill.entry(1).object_keys))) == replace(
        LedgerEntry.unknown(PARENT_ID, 1),
        state=ActivityState.SYNCED,
        sport_type="Run",
        start_at_epoch_s=START_EPOCH_S + 1,
        fingerprint=str(Fingerprint.of(row)),
        object_keys=tuple(sorted(keys)),
        points=4,
        fetched_at_epoch_s=listed_at,
    )
    assert (backfill.in_lake(), backfill.is_free(1)) == ({1: listed_at}, True)
    left = backfill.row(history)
    assert (left.to_load, left.loaded, left.is_open) == ((), 1, False)
    assert left.next_turn_epoch_s == backfill.now_epoch_s


def test_activities_without_a_recording_are_loaded_and_those_by_hand_cost_no_call(backfill):
    history = backfill.list(summary_row(3), summary_row(2, manual=True), summary_row(1))
    backfill.answers({1: Gone("404")})

    assert backfill.load(history) == ChunkLoaded(loaded=3, points=4)

    assert backfill.fetched() == [1, 3]
    assert [backfill.entry(each).state for each in (1, 2, 3)] == [
        ActivityState.NO_STREAMS,
        ActivityState.NO_STREAMS,
        ActivityState.SYNCED,
    ]
    assert backfill.due() == {1: backfill.now_epoch_s + WINDOW_S}, "it is asked for once more"


@pytest.mark.parametrize(
    ("waits_s", "due_in_s"), [pytest.param(300, 300, id="earlier"), pytest.param(HOUR_S, WINDOW_S, id="later")]
)
def test_missing_recording_is_asked_for_a_window_later_unless_the_activity_is_due_earlier(backfill, waits_s, due_in_s):
    backfill.enter(1, next_try_epoch_s=backfill.now_epoch_s + waits_s)
    backfill.answers({1: Gone("404")})

    backfill.load(backfill.list(summary_row(1)))

    assert backfill.due() == {1: backfill.now_epoch_s + due_in_s}


def test_chunk_of_two_athletes_loads_each_history_s_own_and_nothing_that_is_no_longer_listed(backfill):
    mine, theirs = (
        backfill.list(summary_row(2), summary_row(1)),
        backfill.list(summary_row(3, OTHER_ID), athlete_id=OTHER_ID),
    )
    done = (PARENT_ID, mine.span, 9)

    loaded = load(
        backfill.services,
        [
            done,
            (PARENT_ID, mine.span, 1),
            (PARENT_ID, "5.6", 2),
            (OTHER_ID, theirs.span, 3),
            (OTHER_ID, theirs.span, 1),
            (999, mine.span, 1),
        ],
    )

    assert loaded == ChunkLoaded(loaded=2, points=8)
    assert [call.args for call in backfill.strava.streams.call_args_list] == [(PARENT_ID, 1), (OTHER_ID, 3)]
    assert (backfill.row(mine).to_load, backfill.row(theirs).to_load) == ((2,), ())


def test_chunk_reports_what_is_loaded_held_and_failed(backfill):
    history = backfill.list(*(summary_row(each) for each in (5, 4, 3, 2, 1)))
    backfill.load(replace(history, to_load=(1,)))
    backfill.services.state.activities.acquire(PARENT_ID, 3)
    backfill.answers({4: BadRequest("400"), 5: StravaUnavailable("503")})

    assert backfill.load(replace(history, to_load=(5, 4, 3, 2))) == ChunkLoaded(
        loaded=1, points=4, skipped=1, waiting=("BadRequest", "a temporary fault")
    )
    left = backfill.row(history)
    assert (left.to_load, left.loaded) == ((), 2)
    assert backfill.fetched() == [1, 2, 4, 5]


def test_activity_that_another_run_brought_into_the_lake_counts_and_costs_nothing(backfill):
    history = backfill.list(summary_row(2), summary_row(1))
    for each in (1, 2):
        lease = backfill.services.state.activities.acquire(PARENT_ID, each)
        state = ActivityState.SYNCED if each == 1 else ActivityState.NO_STREAMS
        entry = replace(LedgerEntry.unknown(PARENT_ID, each), state=state, points=7 if each == 1 else 0)
        backfill.services.state.activities.settle(lease, entry)

    assert backfill.load(history) == ChunkLoaded(loaded=2, points=7)
    assert (backfill.fetched(), backfill.row(history).loaded) == ([], 2)


def test_activity_whose_stored_rows_lie_in_another_year_moves(backfill):
    backfill.load(backfill.list(summary_row(1, start_date="2025-12-31T12:00:00Z")))
    lease = backfill.services.state.activities.acquire(PARENT_ID, 1)
    backfill.services.state.activities.settle(lease, replace(lease.entry, state=ActivityState.PENDING))
    backfill.services.clock.advance(1)

    backfill.load(backfill.list(summary_row(1)))

    assert list(backfill.in_lake()) == [1]
    start_at = summary_row(1).start_at
    assert set(backfill.entry(1).object_keys) == {activities_key(PARENT_ID, start_at), streams_key(PARENT_ID, start_at)}


def test_chunk_that_is_tried_again_after_it_was_loaded_changes_nothing(backfill):
    history = backfill.list(summary_row(2), summary_row(1))
    assert backfill.load(replace(history, to_load=(1,))).loaded == 1
    before = backfill.row(history)
    backfill.services.clock.advance(60)

    assert backfill.load(replace(history, to_load=(1,))) == ChunkLoaded()
    assert backfill.row(history) == before


def test_copy_that_a_title_asks_for_is_due_at_once_and_a_copy_s_row_names_its_original(backfill):
    services = backfill.services
    services.state.links.save(Link(PARENT_ID, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    services.state.copies.plan(Copy(555, PARENT_ID, OTHER_ID, CopyState.DONE, child_activity_id=2))

    backfill.load(backfill.list(summary_row(2), summary_row(1, name="With Rex")))

    assert backfill.due() == {1: backfill.now_epoch_s}
    assert backfill.originals() == {1: None, 2: 555}


# --- faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        pytest.param(QuotaSpent("spent", until_epoch_s=1_781_700_000), "quota", id="quota"),
        pytest.param(TokenRefused("401"), "access", id="token"),
        pytest.param(ScopeMissing("no scope", scope="activity:read"), "access", id="scope"),
    ],
)
def test_history_waits_for_what_no_activity_causes_and_keeps_its_activities(backfill, fault, waits):
    history = backfill.list(summary_row(2), summary_row(1))
    backfill.answers({1: fault, 2: fault})

    assert backfill.load(history) == ChunkLoaded(waiting=(waits, waits))

    now_epoch_s = backfill.now_epoch_s
    assert backfill.row(history) == postponed(history, now_epoch_s=now_epoch_s, error=fault)
    for each in (1, 2):
        entry = backfill.entry(each)
        assert (entry.state, entry.reason, entry.rounds) == (ActivityState.PENDING, str(fault), 0)
        assert (entry.next_try_epoch_s, backfill.is_free(each)) == (None, True)


def test_outage_is_no_fault_of_the_activities(backfill):
    history = backfill.list(summary_row(2), summary_row(1))
    backfill.answers({1: StravaUnavailable("503"), 2: StravaUnavailable("503")})
    backfill.push.prove.side_effect = StravaUnavailable("503")

    assert backfill.load(history).waiting == ("a temporary fault",) * 2
    assert backfill.row(history).to_load == (2, 1)
    assert backfill.entry(1).rounds == 0


@pytest.mark.parametrize("is_known", [False, True])
def test_failed_activity_keeps_what_is_known_of_it_and_the_events_that_ask_for_it(backfill, is_known):
    asked = DueWork(backfill.now_epoch_s, backfill.now_epoch_s + 60)
    known = {"asked": asked, "points": 9, "object_keys": ("rows",)} if is_known else {"asked": asked}
    before = backfill.enter(1, **known)
    backfill.services.clock.advance(HOUR_S)
    history = backfill.list(summary_row(2), summary_row(1))
    fault = BadRequest("400")
    fault.retry_after_s = 7200.0
    backfill.answers({1: fault})

    assert backfill.load(history) == ChunkLoaded(loaded=1, points=4, waiting=("BadRequest",))
    assert backfill.entry(1) == replace(before.failed("400", backfill.now_epoch_s, 7200.0), asked=asked)
    assert backfill.is_free(1)


def test_unknown_activity_that_fails_is_due_as_in_a_live_sync(backfill):
    history = backfill.list(summary_row(2), summary_row(1))
    backfill.answers({1: UnexpectedShape("no streams")})

    backfill.load(history)

    entry = backfill.entry(1)
    assert (entry.state, entry.reason, entry.rounds) == (ActivityState.PENDING, "no streams", 1)
    assert entry.next_try_epoch_s == backfill.now_epoch_s + WINDOW_S
    assert entry.fetched_at_epoch_s == backfill.now_epoch_s


def test_defect_stops_no_other_activity_and_is_raised_when_they_are_in_the_lake(backfill):
    history = backfill.list(*(summary_row(each) for each in (3, 2, 1)))
    backfill.answers({2: ZeroDivisionError()})

    with pytest.raises(WorkBroken, match=r"2 \(ZeroDivisionError\)"):
        backfill.load(history)

    assert list(backfill.in_lake()) == [1, 3]
    left = backfill.row(history)
    assert (left.to_load, left.loaded) == ((), 2)
    assert backfill.due() == {2: backfill.now_epoch_s + LEASE_S}, "it is found when its lease ends"


def test_stored_points_stay_until_strava_denies_the_recording_a_second_time(backfill):
    before = backfill.enter(1, points=9, object_keys=(streams_key(PARENT_ID, summary_row(1).start_at),))
    backfill.services.clock.advance(HOUR_S)
    backfill.answers({1: Gone("404")})

    first = backfill.load(backfill.list(summary_row(1)))

    assert first == ChunkLoaded(skipped=1)
    assert backfill.entry(1) == before.perhaps_lost(backfill.now_epoch_s)
    assert backfill.entry(1).reason == PERHAPS_LOST
    backfill.services.clock.advance(WINDOW_S)
    assert backfill.load(backfill.list(summary_row(1))) == ChunkLoaded(loaded=1)
    assert (backfill.entry(1).state, backfill.entry(1).points) == (ActivityState.NO_STREAMS, 0)
