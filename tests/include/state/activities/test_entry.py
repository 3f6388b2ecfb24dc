"""The steps of the activities ledger, as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.errors import Refused
from include.state.activities.entry import STREAM_LOOKS, LedgerEntry
from include.state.activities.observation import Observation
from include.state.activities.states import TRANSITIONS, ActivityState
from include.state.due_work import DueWork
from include.store.codec import decode
from include.strava.models import ActivityId, AthleteId

S = ActivityState
SEEN = Observation(1_700_000_000.5, "Ride", 1_699_990_000, "new")
Step = Callable[[LedgerEntry], LedgerEntry]

STEPS: dict[str, Step] = {
    "synced": lambda entry: entry.synced(SEEN, 5),
    "without_streams": lambda entry: entry.without_streams(SEEN, may_come=False),
    "removed": lambda entry: entry.removed(SEEN.fetched_at_epoch_s, "gone"),
    "quarantined": lambda entry: entry.quarantined("odd", fetched_at_epoch_s=SEEN.fetched_at_epoch_s),
    "waiting": lambda entry: entry.waiting("Strava is out", next_try_epoch_s=1_700_000_300),
    "listed": lambda entry: entry.listed(SEEN),
    "expired": lambda entry: entry.expired(),
}
TARGETS = {
    "synced": S.SYNCED,
    "without_streams": S.NO_STREAMS,
    "removed": S.REMOVED,
    "quarantined": S.QUARANTINED,
    "waiting": S.PENDING,
    "listed": S.PENDING,
    "expired": S.EXPIRED,
}
FORBIDDEN = {("expired", S.REMOVED)}
"""Where nothing is left there is nothing to expire."""


def known(state: ActivityState) -> LedgerEntry:
    return LedgerEntry(
        AthleteId(42),
        ActivityId(7),
        state,
        "Run",
        1_600_000_000,
        "old",
        ("a.parquet",),
        9,
        "why",
        3,
        1_650_000_000.0,
        5,
    )


@pytest.mark.parametrize("state", ActivityState)
@pytest.mark.parametrize("name", STEPS)
def test_step_leads_where_the_table_says_or_is_refused(name: str, state: ActivityState) -> None:
    if (name, state) in FORBIDDEN:
        with pytest.raises(Refused, match=f"{state} cannot become {TARGETS[name]}"):
            STEPS[name](known(state))
    else:
        assert STEPS[name](known(state)).state is TARGETS[name]


def test_table_names_every_step_once() -> None:
    assert [step.name for step in TRANSITIONS] == list(STEPS)


def test_every_state_but_the_first_is_reached_by_a_step() -> None:
    assert {step.target for step in TRANSITIONS} == set(ActivityState)


@pytest.mark.parametrize("name", ["quarantined", "waiting", "listed", "expired"])
def test_objects_that_may_hold_rows_stay_known(name: str) -> None:
    assert STEPS[name](known(S.SYNCED)).object_keys == ("a.parquet",)


@pytest.mark.parametrize("name", ["synced", "without_streams", "removed", "expired"])
def test_step_that_leaves_nothing_to_do_is_due_no_more(name: str) -> None:
    assert STEPS[name](known(S.PENDING)).next_try_epoch_s is None


@pytest.mark.parametrize("state", ActivityState)
def test_activity_that_is_asked_for_is_due_and_otherwise_as_it_was(state: ActivityState) -> None:
    entry = replace(known(state), next_try_epoch_s=None)

    asked_for = entry.asked_for(1_700_000_000, due_at_epoch_s=1_700_001_800)

    assert asked_for.due_at_epoch_s == asked_for.fetch_at_epoch_s == 1_700_001_800
    assert asked_for.answered(1_700_000_000) == entry
    assert asked_for.answered(1_699_999_999) == asked_for


def test_activity_that_is_asked_for_again_is_due_as_early_and_asked_for_as_late_as_said() -> None:
    entry = known(S.SYNCED).asked_for(50, due_at_epoch_s=100)

    assert entry.asked_for(60, due_at_epoch_s=200).asked == DueWork(60, 100)
    assert entry.asked_for(40, due_at_epoch_s=90).asked == DueWork(50, 90)


@pytest.mark.parametrize(
    ("due", "fetch_at", "due_at"),
    [
        pytest.param({}, None, None, id="nothing"),
        pytest.param({"next_try_epoch_s": 7}, 7, 7, id="own"),
        pytest.param({"next_try_epoch_s": 7, "asked": DueWork(1, 5)}, 5, 5, id="asked earlier"),
        pytest.param({"next_try_epoch_s": 7, "asked": DueWork(1, 9)}, 7, 7, id="asked later"),
        pytest.param({"copies_due": DueWork(1, 3)}, None, 3, id="copies"),
        pytest.param({"next_try_epoch_s": 7, "copies_due": DueWork(1, 3)}, 7, 3, id="copies earlier"),
    ],
)
def test_entry_is_due_when_the_first_thing_that_is_left_to_do_is(
    due: dict[str, Any], fetch_at: int | None, due_at: int | None
) -> None:
    entry = replace(known(S.SYNCED), **{"next_try_epoch_s": None, **due})

    assert (entry.fetch_at_epoch_s, entry.due_at_epoch_s) == (fetch_at, due_at)
    assert entry.to_fields()["next_try_epoch_s"] == due_at
    assert entry.to_fields()["due"] == (None if due_at is None else "due")


def test_what_is_due_is_put_off_longer_each_time_and_what_is_not_due_stays() -> None:
    entry = replace(known(S.SYNCED), next_try_epoch_s=1000, asked=DueWork(1, 990), copies_due=DueWork(2, 1001))

    once = entry.put_off(1000)
    waits = []
    for _ in range(6):
        before, entry = entry, entry.put_off(entry.due_at_epoch_s or 0)
        waits.append((entry.due_at_epoch_s or 0) - (before.due_at_epoch_s or 0))

    assert (once.next_try_epoch_s, once.asked, once.copies_due) == (2800, DueWork(1, 2800), DueWork(2, 1001))
    assert max(waits) <= 21_600
    assert replace(once, copies_due=None).put_off(2800).due_at_epoch_s == 2800 + 3600


def test_recording_stays_perhaps_lost_when_a_backfill_lists_the_activity() -> None:
    entry = known(S.SYNCED).perhaps_lost(1000)

    assert not entry.listed(SEEN).is_lost(1899)
    assert entry.listed(SEEN).is_lost(1900)
    assert entry.listed(SEEN).points == 9


def test_copies_are_due_until_the_lease_that_said_so_is_named() -> None:
    entry = replace(known(S.SYNCED), copies_due=DueWork(4, 100))

    assert entry.copies_planned(3) == entry
    assert entry.copies_planned(4).copies_due is None


@pytest.mark.parametrize("name", ["synced", "without_streams", "removed", "quarantined", "expired"])
def test_step_by_an_answer_leaves_nothing_that_was_asked_for(name: str) -> None:
    entry = known(S.SYNCED).asked_for(5, due_at_epoch_s=9).put_off(9)

    assert (STEPS[name](entry).asked, STEPS[name](entry).queued) == (None, 0)


def test_entry_reads_as_it_was_written() -> None:
    entry = replace(known(S.QUARANTINED), lost_at_epoch_s=8, asked=DueWork(1, 4), copies_due=DueWork(2, 3), queued=6)

    assert decode(LedgerEntry, entry.to_fields()) == entry


def test_state_of_an_older_version_is_read_as_removed() -> None:
    fields = known(S.SYNCED).to_fields() | {"state": "hidden"}

    assert decode(LedgerEntry, fields).state is S.REMOVED


def test_row_of_an_older_version_is_due_when_its_next_try_was() -> None:
    before = replace(known(S.PENDING), next_try_epoch_s=77)
    fields = before.to_fields()
    for name in ("own_try_epoch_s", "asked", "copies_due", "queued", "rounds", "round_at_epoch_s", "lost_at_epoch_s"):
        del fields[name]

    former = decode(LedgerEntry, fields | {"attempts": 9})

    assert former == replace(before, rounds=0, round_at_epoch_s=None)


# --- rounds --------------------------------------------------------------------------------------


def failing(entry: LedgerEntry, *times: int) -> LedgerEntry:
    for now in times:
        entry = entry.failed("500", now, 0.0)
    return entry


def unfailed() -> LedgerEntry:
    return replace(known(S.SYNCED), rounds=0, round_at_epoch_s=None)


def test_failures_within_a_window_are_one_round() -> None:
    entry = failing(unfailed(), 0, 10, 30, 70, 150, 310, 630, 899)

    assert (entry.state, entry.rounds, entry.next_try_epoch_s) == (S.PENDING, 1, 900)
    assert failing(entry, 900).rounds == 2


def test_rounds_are_further_apart_each_time_and_six_hours_at_most() -> None:
    entry, waits_s = unfailed(), []
    for _ in range(9):
        now = entry.next_try_epoch_s or 0
        entry = entry.failed("500", now, 0.0)
        waits_s.append((entry.next_try_epoch_s or 0) - now)

    assert waits_s == [900, 1800, 3600, 7200, 14400, 21600, 21600, 21600, 21600]


def test_activity_that_failed_in_ten_rounds_is_quarantined_and_looked_at_once_a_day() -> None:
    entry = unfailed()
    for number in range(12):
        entry = entry.failed("500", number * 86_400, 0.0)
        assert entry.state is (S.PENDING if number < 9 else S.QUARANTINED)

    assert entry.reason == "It failed in 12 rounds; the last time: 500"
    assert entry.next_try_epoch_s == 12 * 86_400
    healed = entry.synced(SEEN, 5)
    assert (healed.rounds, healed.next_try_epoch_s) == (0, None)


def test_next_look_is_as_far_off_as_strava_asks_for_and_not_nearer_than_its_round() -> None:
    assert unfailed().failed("503", 0, 5_000.5).next_try_epoch_s == 5_000
    assert unfailed().failed("503", 0, 60.0).next_try_epoch_s == 900


def test_looks_for_streams_are_no_failing_rounds() -> None:
    entry = unfailed()
    for look in range(STREAM_LOOKS):
        entry = entry.without_streams(replace(SEEN, fetched_at_epoch_s=look * 86_400), may_come=True)

    failed = entry.failed("500", 864_000, 0.0)

    assert (failed.state, failed.rounds, failed.next_try_epoch_s) == (S.PENDING, 1, 864_900)


def test_waiting_is_no_round() -> None:
    entry = unfailed().waiting("the quota is spent", next_try_epoch_s=900)

    assert (entry.rounds, entry.next_try_epoch_s) == (0, 900)


def test_streams_that_may_come_are_looked_for_over_a_day_and_then_no_more() -> None:
    entry, looks_h = unfailed().without_streams(replace(SEEN, fetched_at_epoch_s=0.0), may_come=True), []
    for _ in range(STREAM_LOOKS):
        if entry.next_try_epoch_s is not None:
            looks_h.append(entry.next_try_epoch_s / 3600)
            seen = replace(SEEN, fetched_at_epoch_s=float(entry.next_try_epoch_s))
            entry = entry.without_streams(seen, may_come=True)

    assert looks_h == [0.25, 0.75, 1.75, 3.75, 7.75, 13.75, 19.75]


def test_streams_of_another_recording_are_looked_for_from_the_beginning() -> None:
    lacking = replace(known(S.NO_STREAMS), rounds=7, fingerprint="another")

    assert lacking.without_streams(SEEN, may_come=True).rounds == 1


@pytest.mark.parametrize(
    ("object_keys", "oldest_epoch_s"),
    [pytest.param(("a.parquet",), 1_640_000_000.0, id="stored"), pytest.param((), None, id="nothing is stored")],
)
def test_quarantine_keeps_the_age_of_what_is_stored(object_keys: tuple[str, ...], oldest_epoch_s: float | None) -> None:
    entry = replace(known(S.SYNCED), object_keys=object_keys, oldest_answer_epoch_s=1_640_000_000.0)

    quarantined = entry.quarantined("odd", fetched_at_epoch_s=SEEN.fetched_at_epoch_s)

    assert quarantined.oldest_answer_epoch_s == oldest_epoch_s
