"""Entries found by athlete, by time and at rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import pytest

from include.state.activities.ledger import LEASE_S, ActivityLedger, LedgerEntry
from include.store.store import ABSENT, Key, Store
from include.strava.models import ActivityId, AthleteId
from tests.include.state.activities.ledger.entries import ENTRY, acquired


def test_entries_of_an_athlete_are_found(ledger: ActivityLedger) -> None:
    for athlete_id, activity_id in [(42, 1), (42, 22), (4, 3), (422, 4)]:
        lease = ledger.acquire(athlete_id, activity_id)
        assert lease is not None
        entry = replace(ENTRY, athlete_id=AthleteId(athlete_id), activity_id=ActivityId(activity_id))
        ledger.settle(lease, entry)

    assert sorted(entry.activity_id for entry in ledger.of_athlete(42)) == [1, 22]


def test_ledger_has_no_place_for_titles_and_names() -> None:
    assert not {"name", "title", "description"} & {field.name for field in fields(LedgerEntry)}


def test_latest_entries_come_newest_first_and_no_more_than_asked(ledger: ActivityLedger) -> None:
    for activity_id, start in ((1, 300), (2, None), (3, 100), (4, 200)):
        entry = replace(ENTRY, activity_id=ActivityId(activity_id), start_at_epoch_s=start)
        ledger.settle(acquired(ledger, activity_id), entry)

    assert [entry.activity_id for entry in ledger.latest(ENTRY.athlete_id, 3)] == [1, 4, 3]
    assert [entry.activity_id for entry in ledger.latest(ENTRY.athlete_id, 9)] == [1, 4, 3, 2]
    assert ledger.latest(ENTRY.athlete_id + 1, 3) == []


def test_entry_that_waits_for_its_first_fetch_is_the_latest(ledger: ActivityLedger) -> None:
    ledger.settle(acquired(ledger, 1), replace(ENTRY, activity_id=ActivityId(1), start_at_epoch_s=4_000_000_000))
    ledger.make_due(ENTRY.athlete_id, 2, asked_at_epoch_s=5)
    acquired(ledger, 3)

    found = ledger.latest(ENTRY.athlete_id, 3)

    assert sorted(entry.activity_id for entry in found[:2]) == [2, 3]
    assert [entry.start_at_epoch_s for entry in found] == [None, None, 4_000_000_000]


def test_many_entries_are_read_at_once(ledger: ActivityLedger) -> None:
    ledger.make_due(42, 1, asked_at_epoch_s=5)
    ledger.make_due(43, 2, asked_at_epoch_s=5)

    found = ledger.get_all([(42, 1), (43, 2), (42, 2), (42, 3)])

    assert found == {1: ledger.get(42, 1), 2: ledger.get(43, 2)}


def test_activity_without_a_start_that_waits_no_more_comes_behind_all_others(ledger: ActivityLedger) -> None:
    for activity_id, start in ((1, None), (2, -1), (3, 0)):
        entry = replace(ENTRY, activity_id=ActivityId(activity_id), start_at_epoch_s=start)
        ledger.settle(acquired(ledger, activity_id), entry)

    found = ledger.latest(ENTRY.athlete_id, 3)

    assert [(entry.activity_id, entry.start_at_epoch_s) for entry in found] == [(3, 0), (2, -1), (1, None)]


def test_row_without_an_entry_holds_none_of_the_athletes_activities(ledger: ActivityLedger, store: Store) -> None:
    key = Key("activities", "42", "7")
    store.put(key, {"athlete_id": 42, "fence": 3}, expected_version=ABSENT)

    assert (ledger.get(42, 7), list(ledger.of_athlete(42)), ledger.get_all([(42, 7)])) == (None, [], {})
    assert acquired(ledger, 7).fence == 4


@pytest.mark.parametrize(("passed_s", "is_leased"), [(LEASE_S - 1, True), (LEASE_S, False)])
def test_athlete_has_a_leased_activity_until_the_last_lease_ends(
    ledger: ActivityLedger, pass_time: Callable[[float], None], passed_s: int, is_leased: bool
) -> None:
    assert not ledger.is_leased(42)
    ledger.settle(acquired(ledger, 1), replace(ENTRY, activity_id=ActivityId(1)))
    acquired(ledger, 2)

    pass_time(passed_s)

    assert ledger.is_leased(42) is is_leased
    assert ledger.forget(42, 2) is not is_leased
    assert not ledger.is_leased(43)


def test_activity_is_forgotten_although_it_is_leased_when_the_caller_says_so(ledger: ActivityLedger) -> None:
    acquired(ledger, 1)

    assert not ledger.forget(42, 1)
    assert ledger.get(42, 1) is not None
    assert ledger.forget(42, 1, although_leased=True)
    assert ledger.get(42, 1) is None
