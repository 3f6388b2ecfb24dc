"""The steps of the copies ledger, as a table, and how long a copy waits between two tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.errors import Refused
from include.state.copies.ledger import Copy, CopyState, external_id
from include.state.copies.states import TRANSITIONS
from include.store.codec import decode

S = CopyState
NOW = 1_700_000_000
DAY_S = 86_400
Step = Callable[[Copy], Copy]

STEPS: dict[str, Step] = {
    "sending": lambda copy: copy.sending(NOW, file_format="gpx", points=3, carried=(), trim_m=0, track_hidden=False),
    "accepted": lambda copy: copy.accepted(7, NOW),
    "still_processing": lambda copy: copy.still_processing("Slow.", NOW),
    "made": lambda copy: copy.made(77),
    "duplicated": lambda copy: copy.duplicated(77, "duplicate of 77"),
    "failed": lambda copy: copy.failed("Time information is missing."),
    "skipped": lambda copy: copy.skipped("Paused."),
    "waiting_for_access": lambda copy: copy.waiting_for_access("Not connected.", NOW),
    "given_up": lambda copy: copy.given_up("Days have passed."),
    "again": lambda copy: replace(copy, attempts=0).again(NOW),
    "looked_for": lambda copy: copy.again(NOW),
}
ALLOWED: dict[str, tuple[CopyState, str]] = {
    "sending": (S.UPLOADING, "planned uploading waiting_for_access"),
    "accepted": (S.PROCESSING, "uploading"),
    "still_processing": (S.PROCESSING, "uploading processing waiting_for_access"),
    "made": (S.DONE, "uploading processing waiting_for_access"),
    "duplicated": (S.DUPLICATE, "uploading processing waiting_for_access"),
    "failed": (S.FAILED, "uploading processing waiting_for_access"),
    "skipped": (S.SKIPPED, "planned uploading waiting_for_access"),
    "waiting_for_access": (S.WAITING_FOR_ACCESS, "planned uploading processing waiting_for_access"),
    "given_up": (S.UNFINISHED, "planned uploading processing waiting_for_access"),
    "again": (S.PLANNED, "failed skipped unfinished"),
    "looked_for": (S.UPLOADING, "unfinished"),
}


def known(state: CopyState, **changes: object) -> Copy:
    copy = Copy(1, 22, 11, state, "why", external_id(1, 22), upload_id=7, attempts=1, planned_at_epoch_s=NOW)
    return replace(copy, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", CopyState)
@pytest.mark.parametrize("name", STEPS)
def test_step_leads_where_the_table_says_or_is_refused(name: str, state: CopyState) -> None:
    target, sources = ALLOWED[name]
    if state in sources.split():
        assert STEPS[name](known(state)).state is target
    elif name == "looked_for" and state in (S.FAILED, S.SKIPPED):
        assert STEPS[name](known(state)).state is S.PLANNED, "what Strava or a reason has settled is begun anew"
    else:
        with pytest.raises(Refused, match=f"{state} cannot become"):
            STEPS[name](known(state))


def test_table_names_every_step_once_and_reaches_every_state() -> None:
    assert [step.name for step in TRANSITIONS] == list(STEPS)
    assert {step.target for step in TRANSITIONS} == set(CopyState)


@pytest.mark.parametrize("name", ["made", "duplicated", "failed", "skipped", "given_up"])
def test_copy_that_has_come_to_its_end_is_due_no_more(name: str) -> None:
    ended = STEPS[name](known(S.UPLOADING, next_try_epoch_s=5, waiting_since_epoch_s=5))

    assert (ended.next_try_epoch_s, ended.waiting_since_epoch_s, ended.to_fields()["due"]) == (None, None, None)


# --- waiting -------------------------------------------------------------------------------------


def looks(copy: Copy, step: Callable[[Copy, float], Copy]) -> list[int]:
    """The distances of the tries until there are no more, each try at its time."""
    distances, now = [], float(NOW)
    for _ in range(100):
        copy = step(copy, now)
        if copy.next_try_epoch_s is None:
            break
        distances.append(copy.next_try_epoch_s - int(now))
        now = copy.next_try_epoch_s
    assert copy.state is S.UNFINISHED
    return distances


def test_stuck_upload_is_looked_at_ever_more_seldom_and_given_up_after_three_days() -> None:
    distances = looks(
        known(S.UPLOADING).accepted(7, NOW), lambda copy, now: copy.still_processing("Strava works on it.", now)
    )

    assert distances[:5] == [900, 1800, 5400, 16_200, 21_600]
    assert set(distances[5:]) == {21_600}
    assert 3 * DAY_S <= sum(distances) < 3 * DAY_S + 21_600


def test_copy_without_access_is_tried_once_a_day_for_thirty_days() -> None:
    distances = looks(known(S.PLANNED), lambda copy, now: copy.waiting_for_access("The account is not connected.", now))

    assert distances == [DAY_S] * 30


def test_fault_is_tried_again_soon_and_then_once_a_day_for_thirty_days() -> None:
    distances = looks(known(S.PLANNED), lambda copy, now: copy.postponed_by_fault("Strava does not answer.", now))

    assert distances[:3] == [60, 120, 360]
    assert distances == sorted(distances)
    assert distances[-1] == DAY_S
    assert 30 * DAY_S <= sum(distances) <= 31 * DAY_S


def test_upload_whose_looks_meet_faults_is_given_up_after_three_days_with_the_fault() -> None:
    stuck = known(S.PROCESSING, waiting_since_epoch_s=NOW - 3 * DAY_S)

    given_up = stuck.postponed_by_fault("Strava no longer knows it.", NOW)

    assert (given_up.state, given_up.reason) == (S.UNFINISHED, "Given up after 3 days: Strava no longer knows it.")


def test_waiting_for_the_budget_is_not_counted() -> None:
    waiting = known(S.PLANNED).postponed("The budget is spent.", NOW + 40 * DAY_S)

    assert waiting.postponed_by_fault("Strava does not answer.", NOW + 40 * DAY_S).state is S.PLANNED


def test_upload_of_an_older_version_counts_as_waiting_since_it_was_planned() -> None:
    old = known(S.PROCESSING, planned_at_epoch_s=NOW - 4 * DAY_S)

    assert old.still_processing("Strava works on it.", NOW).state is S.UNFINISHED


# --- asked for again, woken ----------------------------------------------------------------------


def test_unfinished_copy_that_was_sent_is_looked_for_by_its_upload_first() -> None:
    again = known(S.UNFINISHED).again(NOW)

    assert (again.state, again.upload_id, again.next_try_epoch_s, again.reason) == (S.UPLOADING, 7, NOW, "")


def test_refused_copy_is_begun_anew() -> None:
    again = known(S.FAILED).again(NOW)

    assert (again.state, again.upload_id, again.attempts, again.next_try_epoch_s) == (S.PLANNED, None, 1, NOW)


def test_woken_copy_is_due_then_unless_it_is_due_earlier() -> None:
    waiting = known(S.WAITING_FOR_ACCESS, next_try_epoch_s=NOW + DAY_S)

    assert waiting.woken(NOW + 60).next_try_epoch_s == NOW + 60
    assert waiting.woken(NOW + 2 * DAY_S).next_try_epoch_s == NOW + DAY_S
    assert waiting.woken(NOW + 60).state is S.WAITING_FOR_ACCESS
    assert known(S.SKIPPED, next_try_epoch_s=None).woken(NOW + 60).state is S.PLANNED


@pytest.mark.parametrize("state", CopyState)
def test_copy_reads_as_it_was_written(state: CopyState) -> None:
    copy = known(state, waiting_since_epoch_s=5, next_try_epoch_s=9, carried=("power",), version=3)

    assert decode(Copy, copy.to_fields(), version=3) == copy
