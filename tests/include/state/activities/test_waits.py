"""When an activity's work is tried again, and when Strava's word that a recording is lost is believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from include.state.activities.entry import LedgerEntry
from include.state.activities.states import ActivityState
from include.state.due_work import DueWork
from tests.include.state.activities.whole_entry import OLD

S = ActivityState
ROUND_S, DAY_S = 900, 86_400


# --- perhaps lost --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "lost_at", "next_try"),
    [
        pytest.param(None, 1000, 1000, 1900, id="first answer"),
        pytest.param(1000, 1300, 1000, 1900, id="again within the window"),
        pytest.param(1000, 2000, 1000, 2000, id="after it"),
    ],
)
def test_recording_that_strava_does_not_show_is_looked_for_again_a_window_after_the_first_answer(
    before: int | None, now: int, lost_at: int, next_try: int
) -> None:
    entry = replace(OLD, lost_at_epoch_s=before)

    assert entry.perhaps_lost(now) == replace(
        entry,
        state=S.PENDING,
        reason="Strava shows no recording of it just now; what is stored stays until it says so again",
        lost_at_epoch_s=lost_at,
        next_try_epoch_s=next_try,
        asked=None,
        queued=0,
    )


@pytest.mark.parametrize(
    ("points", "lost_at", "is_lost"),
    [
        pytest.param(0, None, True, id="nothing to lose"),
        pytest.param(1, None, False, id="the first answer"),
        pytest.param(1, 5000 - ROUND_S + 1, False, id="the second, too early"),
        pytest.param(1, 5000 - ROUND_S, True, id="the second, a window later"),
        pytest.param(0, 5000, True, id="nothing to lose, said before"),
    ],
)
def test_recording_is_lost_when_nothing_is_stored_or_strava_has_said_so_twice(
    points: int, lost_at: int | None, is_lost: bool
) -> None:
    assert replace(OLD, points=points, lost_at_epoch_s=lost_at).is_lost(5000) is is_lost


# --- rounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after_s", "rounds", "round_at_s", "next_try_s"),
    [
        pytest.param(0, 3, 0, 3600, id="at once"),
        pytest.param(ROUND_S - 1, 3, 0, 3600, id="at the end of the window"),
        pytest.param(ROUND_S, 4, ROUND_S, ROUND_S + 7200, id="after it"),
    ],
)
def test_failure_counts_once_in_a_window_and_leaves_what_is_stored(
    after_s: int, rounds: int, round_at_s: int, next_try_s: int
) -> None:
    began = 1_650_000_000

    assert OLD.failed("500", began + after_s, 0.0) == replace(
        OLD,
        state=S.PENDING,
        reason="500",
        rounds=rounds,
        round_at_epoch_s=began + round_at_s,
        next_try_epoch_s=began + next_try_s,
        asked=None,
        queued=0,
    )


def test_activity_that_comes_back_after_its_removal_has_not_failed_before() -> None:
    back = replace(OLD, rounds=9).removed(1_650_000_100.0, "gone").failed("500", 1_650_000_200, 0.0)

    assert (back.state, back.rounds, back.next_try_epoch_s) == (S.PENDING, 1, 1_650_001_100)


def test_entry_that_failed_in_ten_rounds_keeps_its_rows_and_when_they_were_fetched() -> None:
    now = 1_650_000_000 + DAY_S

    assert replace(OLD, rounds=9).failed("500", now, 0.0) == replace(
        OLD,
        state=S.QUARANTINED,
        reason="It failed in 10 rounds; the last time: 500",
        rounds=10,
        round_at_epoch_s=now,
        next_try_epoch_s=now + DAY_S,
        asked=None,
        queued=0,
    )


# --- known, kept, put off ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "is_known"),
    [
        pytest.param({}, False, id="a request alone"),
        pytest.param({"fetched_at_epoch_s": 0.0}, True, id="fetched"),
        pytest.param({"object_keys": ("a.parquet",)}, True, id="rows noted"),
        pytest.param({"state": S.REMOVED}, True, id="removed"),
    ],
)
def test_entry_is_known_when_more_than_a_request_is_recorded(facts: dict[str, Any], is_known: bool) -> None:
    asked = LedgerEntry.unknown(42, 7).asked_for(5, due_at_epoch_s=9)

    assert replace(asked, **facts).is_known is is_known


@pytest.mark.parametrize(
    ("fetched", "oldest", "since"),
    [
        pytest.param(None, None, None, id="never fetched"),
        pytest.param(9.5, None, 9.5, id="one answer"),
        pytest.param(9.5, 3.5, 3.5, id="an older one is stored too"),
        pytest.param(None, 3.5, 3.5, id="only the older one"),
    ],
)
def test_stored_answers_are_kept_since_the_oldest_was_requested(
    fetched: float | None, oldest: float | None, since: float | None
) -> None:
    entry = replace(OLD, fetched_at_epoch_s=fetched, oldest_answer_epoch_s=oldest)

    assert entry.kept_since_epoch_s == since


@pytest.mark.parametrize(("queued", "wait_s"), [(0, 1800), (1, 3600), (3, 14_400), (4, 21_600), (40, 21_600)])
def test_due_work_is_put_off_longer_with_each_run_that_finished_nothing_and_six_hours_at_most(
    queued: int, wait_s: int
) -> None:
    entry = replace(OLD, next_try_epoch_s=1000, asked=DueWork(1, 1000), copies_due=DueWork(2, 1000), queued=queued)

    until = 1000 + wait_s
    assert entry.put_off(1000.9) == replace(
        entry, next_try_epoch_s=until, asked=DueWork(1, until), copies_due=DueWork(2, until), queued=queued + 1
    )


@pytest.mark.parametrize("next_try_epoch_s", [None, 1001])
def test_work_that_is_not_due_is_not_put_off(next_try_epoch_s: int | None) -> None:
    entry = replace(OLD, next_try_epoch_s=next_try_epoch_s, asked=DueWork(1, 1001), copies_due=None)

    assert entry.put_off(1000) == replace(entry, queued=3)


def test_planned_copies_are_no_longer_due_nor_counted_as_queued() -> None:
    assert OLD.copies_planned(4) == replace(OLD, copies_due=None, queued=0)
    assert OLD.copies_planned(3) == OLD
    assert replace(OLD, copies_due=None).copies_planned(4) == replace(OLD, copies_due=None)
