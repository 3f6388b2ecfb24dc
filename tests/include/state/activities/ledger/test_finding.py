"""Entries found by athlete, by time and at rest."""

from __future__ import annotations

from dataclasses import fields, replace

from include.state.activities.ledger import ActivityLedger, LedgerEntry
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
