"""The steps of the activities ledger, as a table."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.errors import Refused
from include.state.ledger_entry import TRANSITIONS, ActivityState, LedgerEntry, Sighting
from include.strava.models import ActivityId, AthleteId

S = ActivityState
SEEN = Sighting(1_700_000_000.5, "Ride", 1_699_990_000, "new")
Step = Callable[[LedgerEntry], LedgerEntry]

STEPS: dict[str, Step] = {
    "synced": lambda entry: entry.synced(SEEN, 5),
    "without_streams": lambda entry: entry.without_streams(SEEN, look_again_at_epoch_s=None),
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
def test_activity_that_is_asked_for_is_due_now_and_no_longer_expired(state: ActivityState) -> None:
    asked_for = known(state).asked_for(1_700_000_000.9)

    assert asked_for.next_try_epoch_s == 1_700_000_000
    assert asked_for.state is (S.PENDING if state is S.EXPIRED else state)


def test_entry_reads_as_it_was_written() -> None:
    entry = known(S.QUARANTINED)

    assert LedgerEntry.from_fields(entry.to_fields()) == entry


def test_state_of_an_older_version_is_read_as_removed() -> None:
    fields = known(S.SYNCED).to_fields() | {"state": "hidden"}

    assert LedgerEntry.from_fields(fields).state is S.REMOVED
