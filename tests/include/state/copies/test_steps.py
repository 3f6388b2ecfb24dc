"""What each step leaves of a copy with a value in every field, and when a copy is given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.state.copies.ledger import Copy, CopyState, Original, external_id

S = CopyState
NOW = 1_700_000_000
DAY_S = 86_400
OLD = Copy(
    parent_activity_id=1,
    child_id=22,
    parent_id=11,
    state=S.UPLOADING,
    reason="why",
    external_id=external_id(1, 22),
    upload_id=7,
    child_activity_id=None,
    matched="Rex",
    original=Original.RENAMED,
    attempts=1,
    activity_start_epoch_s=NOW - 2 * DAY_S,
    file_format="gpx",
    points=3,
    carried=("power",),
    trim_m=100,
    track_hidden=False,
    planned_at_epoch_s=NOW - DAY_S,
    updated_at_epoch_s=NOW - 60,
    waiting_since_epoch_s=NOW - 3600,
    next_try_epoch_s=NOW - 1,
    version=4,
    held=True,
)
SETTLED: dict[str, Any] = {"waiting_since_epoch_s": None, "next_try_epoch_s": None}


def test_copy_that_is_being_sent_describes_its_file_and_is_tried_again_in_a_minute() -> None:
    sending = OLD.sending(NOW + 0.9, file_format="tcx", points=5, carried=("heartrate",), trim_m=200, track_hidden=True)

    assert sending == replace(
        OLD,
        state=S.UPLOADING,
        reason="",
        attempts=2,
        upload_id=None,
        file_format="tcx",
        points=5,
        carried=("heartrate",),
        trim_m=200,
        track_hidden=True,
        next_try_epoch_s=NOW + 60,
    )


def test_accepted_copy_waits_from_now_on_and_is_polled_in_a_minute() -> None:
    assert OLD.accepted(8, NOW + 0.9) == replace(
        OLD, state=S.PROCESSING, upload_id=8, waiting_since_epoch_s=NOW, next_try_epoch_s=NOW + 60
    )


def test_copy_in_processing_is_polled_after_twice_the_time_that_it_waited() -> None:
    assert OLD.still_processing("Strava is still processing it.", NOW + 0.9) == replace(
        OLD, state=S.PROCESSING, reason="Strava is still processing it.", next_try_epoch_s=NOW + 7201
    )


@pytest.mark.parametrize(
    ("step", "ended"),
    [
        pytest.param(
            lambda copy: copy.made(77),
            {"state": S.DONE, "reason": "", "child_activity_id": 77},
            id="made",
        ),
        pytest.param(
            lambda copy: copy.duplicated(77, "duplicate of 77"),
            {"state": S.DUPLICATE, "reason": "duplicate of 77", "child_activity_id": 77},
            id="duplicated",
        ),
        pytest.param(
            lambda copy: copy.duplicated(None, "duplicate"),
            {"state": S.DUPLICATE, "reason": "duplicate"},
            id="duplicate of an unknown one",
        ),
        pytest.param(lambda copy: copy.failed("No time."), {"state": S.FAILED, "reason": "No time."}, id="failed"),
        pytest.param(lambda copy: copy.skipped("Paused."), {"state": S.SKIPPED, "reason": "Paused."}, id="skipped"),
        pytest.param(lambda copy: copy.given_up("Days."), {"state": S.UNFINISHED, "reason": "Days."}, id="given up"),
    ],
)
def test_ended_copy_says_how_it_ended_and_waits_for_nothing(
    step: Callable[[Copy], Copy], ended: dict[str, Any]
) -> None:
    assert step(OLD) == replace(OLD, **ended, **SETTLED)


def test_postponed_copy_continues_at_that_time_and_has_waited_as_long_as_before() -> None:
    assert OLD.postponed("The budget is spent.", NOW + 5) == replace(
        OLD, reason="The budget is spent.", next_try_epoch_s=NOW + 5
    )


@pytest.mark.parametrize(
    ("since", "retry_after_s", "wait_s"),
    [
        pytest.param(None, 0.0, 60, id="first fault"),
        pytest.param(NOW - 29, 0.0, 60, id="soon after it"),
        pytest.param(NOW - 31, 0.0, 62, id="later"),
        pytest.param(NOW - DAY_S, 0.0, DAY_S, id="a day after it"),
        pytest.param(NOW - 31, 61.5, 62, id="Strava asks for less"),
        pytest.param(NOW - 31, 300.9, 300, id="Strava asks for more"),
    ],
)
def test_copy_that_met_a_fault_waits_twice_as_long_as_before_and_as_strava_asks(
    since: int | None, retry_after_s: float, wait_s: int
) -> None:
    copy = replace(OLD, waiting_since_epoch_s=since)

    assert copy.postponed_by_fault("503", NOW, retry_after_s) == replace(
        OLD,
        reason="503",
        waiting_since_epoch_s=NOW if since is None else since,
        next_try_epoch_s=NOW + wait_s,
    )


@pytest.mark.parametrize("since", [pytest.param(None, id="first refusal"), pytest.param(NOW - 3600, id="later")])
def test_copy_that_waits_for_access_is_tried_a_day_later(since: int | None) -> None:
    assert replace(OLD, waiting_since_epoch_s=since).waiting_for_access("Not connected.", NOW + 0.9) == replace(
        OLD,
        state=S.WAITING_FOR_ACCESS,
        reason="Not connected.",
        waiting_since_epoch_s=NOW if since is None else since,
        next_try_epoch_s=NOW + DAY_S,
    )


@pytest.mark.parametrize(
    ("state", "attempts", "after"),
    [
        pytest.param(S.UNFINISHED, 1, {"state": S.UPLOADING}, id="sent once"),
        pytest.param(S.UNFINISHED, 0, {"state": S.PLANNED, "upload_id": None}, id="never sent"),
        pytest.param(S.FAILED, 1, {"state": S.PLANNED, "upload_id": None}, id="refused"),
        pytest.param(S.SKIPPED, 2, {"state": S.PLANNED, "upload_id": None}, id="skipped"),
    ],
)
def test_copy_that_is_asked_for_again_is_due_then_and_has_waited_for_nothing(
    state: CopyState, attempts: int, after: dict[str, Any]
) -> None:
    copy = replace(OLD, state=state, attempts=attempts)

    assert copy.again(NOW + 5) == replace(
        copy, **after, reason="", waiting_since_epoch_s=None, next_try_epoch_s=NOW + 5
    )


def test_woken_copy_keeps_what_it_waits_for() -> None:
    copy = replace(OLD, state=S.WAITING_FOR_ACCESS, next_try_epoch_s=None)

    assert copy.woken(NOW) == replace(copy, next_try_epoch_s=NOW)


def test_marked_copy_is_the_same_but_for_what_happened_to_its_original() -> None:
    assert OLD.marked(Original.DELETED) == replace(OLD, original=Original.DELETED)


def test_new_copy_was_never_sent_nor_changed() -> None:
    fields = Copy(1, 22, 11, S.PLANNED).to_fields()

    assert {name: value for name, value in fields.items() if value not in (None, "", [])} == {
        "parent_activity_id": 1,
        "child_id": 22,
        "parent_id": 11,
        "state": "planned",
        "original": "named",
        "attempts": 0,
        "track_hidden": False,
        "planned_at_epoch_s": 0,
        "updated_at_epoch_s": 0,
    }


# --- patience ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "step", "days", "reason"),
    [
        pytest.param(
            S.PROCESSING,
            lambda copy: copy.still_processing("Slow.", NOW),
            3,
            "Strava did not finish the file within three days. Try again to check once more.",
            id="in processing",
        ),
        pytest.param(
            S.PROCESSING,
            lambda copy: copy.postponed_by_fault("503", NOW),
            3,
            "Given up after 3 days: 503",
            id="a fault in processing",
        ),
        pytest.param(
            S.PLANNED,
            lambda copy: copy.postponed_by_fault("503", NOW),
            30,
            "Given up after 30 days: 503",
            id="a fault before it is sent",
        ),
        pytest.param(
            S.UPLOADING,
            lambda copy: copy.postponed_by_fault("503", NOW),
            30,
            "Given up after 30 days: 503",
            id="a fault in doubt",
        ),
        pytest.param(
            S.PLANNED,
            lambda copy: copy.waiting_for_access("Not connected.", NOW),
            30,
            "Given up after 30 days: Not connected.",
            id="without access",
        ),
    ],
)
def test_copy_is_given_up_when_it_has_waited_for_all_its_days_and_not_a_second_before(
    state: CopyState, step: Callable[[Copy], Copy], days: int, reason: str
) -> None:
    copy = replace(OLD, state=state, waiting_since_epoch_s=NOW - days * DAY_S)

    patient = step(replace(copy, waiting_since_epoch_s=NOW - days * DAY_S + 1))
    assert patient.state is not S.UNFINISHED
    assert patient.next_try_epoch_s is not None
    assert step(copy) == replace(copy, state=S.UNFINISHED, reason=reason, **SETTLED)


@pytest.mark.parametrize(
    ("state", "waited_s"),
    [
        pytest.param(S.PROCESSING, DAY_S, id="in processing, by an older version"),
        pytest.param(S.UPLOADING, 0, id="not waiting"),
    ],
)
def test_copy_without_a_time_has_waited_since_it_was_planned_if_strava_has_the_file(
    state: CopyState, waited_s: int
) -> None:
    assert replace(OLD, state=state, waiting_since_epoch_s=None).waited_s(NOW) == waited_s


# --- questions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", CopyState)
@pytest.mark.parametrize("attempts", [0, 1])
def test_copy_is_in_doubt_when_its_file_was_sent_and_strava_has_not_taken_it(state: CopyState, attempts: int) -> None:
    in_doubt = attempts == 1 and state in (S.UPLOADING, S.WAITING_FOR_ACCESS)

    assert replace(OLD, state=state, attempts=attempts).is_in_doubt is in_doubt


@pytest.mark.parametrize(
    ("changes", "is_left_alone"),
    [
        pytest.param({"next_try_epoch_s": NOW - DAY_S}, True, id="due for a day"),
        pytest.param({"next_try_epoch_s": NOW - DAY_S + 1}, False, id="not as long"),
        pytest.param({"next_try_epoch_s": None}, False, id="not due at all"),
        pytest.param({"attempts": 1}, False, id="sent"),
        pytest.param({"state": S.SKIPPED}, False, id="ended"),
    ],
)
def test_copy_is_left_alone_when_it_is_due_for_a_day_and_was_never_sent(
    changes: dict[str, Any], is_left_alone: bool
) -> None:
    planned = replace(OLD, state=S.PLANNED, attempts=0, next_try_epoch_s=0)

    assert replace(planned, **changes).is_left_alone(NOW) is is_left_alone


@pytest.mark.parametrize(
    ("next_try_epoch_s", "is_due"), [(None, False), (NOW - 1, True), (NOW, True), (NOW + 1, False)]
)
def test_copy_is_due_from_its_next_try_on(next_try_epoch_s: int | None, is_due: bool) -> None:
    assert replace(OLD, next_try_epoch_s=next_try_epoch_s).is_due(NOW) is is_due


@pytest.mark.parametrize("state", CopyState)
def test_copy_is_in_the_index_of_due_ones_while_it_is_under_way_and_has_a_next_try(state: CopyState) -> None:
    under_way = state in (S.PLANNED, S.UPLOADING, S.PROCESSING, S.WAITING_FOR_ACCESS)
    copy = replace(OLD, state=state)

    assert copy.to_fields()["due"] == ("due" if under_way else None)
    assert replace(copy, next_try_epoch_s=None).to_fields()["due"] is None
