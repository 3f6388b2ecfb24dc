"""Which erasures reconcile looks at, and which late records it removes."""

from __future__ import annotations

import pytest

from include.lake.keys import gpx_key
from include.pipeline.erasure.watch import (
    queue_open_erasures,
    remove_late_records,
    remove_late_records_everywhere,
)
from include.queue.content import EraseAthlete, parse
from include.state.accounts.athletes import AthleteStatus
from include.state.copies.ledger import Copy, CopyState
from include.state.erasures.ledger import EraseReason, ErasureGrounds
from tests.include.pipeline.erasure.offline_athletes import ANN, REX, connect, put, raw

WINDOW_S, DAY_S = 900, 86_400


def finished(services, athlete_id=ANN):
    """An erasure of the athlete that is over now."""
    services.state.erasures.ask(athlete_id, ErasureGrounds(EraseReason.OPERATOR, 7))
    lease = services.state.erasures.acquire(athlete_id)
    return services.state.erasures.settle(lease.finished(int(services.clock())))


def test_open_erasures_that_nobody_holds_are_queued_once_in_a_window(offline):
    for athlete_id in (ANN, REX, 73):
        offline.state.erasures.ask(athlete_id, ErasureGrounds(EraseReason.ATHLETE, 7))
    finished(offline, 74)
    assert queue_open_erasures(offline) == 0, "their first runs are queued by who asked"
    offline.clock.advance(WINDOW_S)

    with offline.state.erasures.held(73):
        assert [queue_open_erasures(offline) for _ in range(2)] == [2, 0]

    found = [parse(message.body) for message in offline.queue.receive(10, visibility_s=30)]
    assert sorted(found, key=lambda each: each.athlete_id) == [
        EraseAthlete(athlete_id, ErasureGrounds(EraseReason.ATHLETE, 7), offline.clock()) for athlete_id in (ANN, REX)
    ]


@pytest.mark.parametrize(("ago_s", "removed"), [(0, 1), (DAY_S - 1, 1), (DAY_S, 0)])
def test_late_records_are_looked_for_a_day_long(offline, ago_s, removed):
    finished(offline)
    offline.clock.advance(ago_s)
    raw(offline)

    assert remove_late_records(offline) == removed
    assert len(list(offline.lake.objects.list("raw/"))) == 1 - removed


def test_late_records_are_looked_for_after_an_erasure_whose_end_an_older_version_did_not_note(offline):
    erasure = finished(offline)
    fields = {**erasure.to_fields(), "finished_at_epoch_s": None}
    store = offline.state.erasures._store
    [item] = store.query("erasures", str(ANN))
    store.put(item.key, fields, expected_version=item.version)
    raw(offline)

    assert remove_late_records(offline) == 1
    offline.clock.advance(DAY_S)
    raw(offline)
    assert remove_late_records(offline) == 0


def test_late_records_of_all_erased_athletes_are_counted_with_what_the_ledgers_lead_to(offline):
    for athlete_id in (ANN, REX):
        finished(offline, athlete_id)
        raw(offline, 1, athlete_id)
    raw(offline, 2)
    offline.state.copies.plan(Copy(5, ANN, 711, CopyState.PLANNED))
    for activity_id in (5, 6):
        put(offline, gpx_key(711, activity_id, ANN))

    assert remove_late_records(offline) == 3 + 2
    assert list(offline.lake.objects.list("")) == [gpx_key(711, 6, ANN)], "no ledger leads to it"
    assert offline.state.copies.get(5, ANN) is None


@pytest.mark.parametrize("look", [remove_late_records, remove_late_records_everywhere])
def test_records_of_an_athlete_whose_erasure_is_not_over_are_left_to_its_run(offline, look):
    offline.state.erasures.ask(ANN, ErasureGrounds(EraseReason.ATHLETE, 7))
    raw(offline)

    assert look(offline) == 0
    assert list(offline.lake.objects.list("raw/"))


def test_night_finds_upload_files_that_no_ledger_leads_to_for_as_long_as_the_erasure_is_known(offline):
    for athlete_id in (ANN, REX):
        finished(offline, athlete_id)
    offline.clock.advance(29 * DAY_S)
    files = [gpx_key(711, 5, ANN), gpx_key(711, 5, REX), gpx_key(711, 5, 73)]
    for key in files:
        put(offline, key)
    offline.state.copies.plan(Copy(5, ANN, 711, CopyState.PLANNED))

    assert remove_late_records_everywhere(offline) == 3
    assert list(offline.lake.objects.list("gpx/")) == files[2:]
    assert remove_late_records_everywhere(offline) == 0


def test_removal_of_late_records_ends_when_the_athlete_connects_meanwhile(offline, monkeypatch):
    finished(offline)
    keys = [raw(offline, number) for number in (1, 2, 3)]
    delete = offline.lake.objects.delete

    def then_connect(key, *, expected):
        delete(key, expected=expected)
        connect(offline)

    monkeypatch.setattr(offline.lake.objects, "delete", then_connect)

    assert remove_late_records(offline) == 1
    assert list(offline.lake.objects.list("raw/")) == keys[1:]
    assert offline.state.athletes.get(ANN).status is AthleteStatus.ACTIVE
