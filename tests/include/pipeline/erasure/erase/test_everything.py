"""Everything of an athlete goes, everything of the others stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import NotConnected
from include.lake.keys import raw_detail_key
from include.lake.objects.files import FileObjects
from include.pipeline.erasure.erase import EraseRequest, Outcome
from include.pipeline.erasure.watch import remove_late_records
from include.pipeline.ingest.sync import sync
from include.state.accounts.athletes import AthleteStatus
from include.state.erasures.ledger import EraseReason
from include.state.links import CopyOptions
from include.store.store import TABLES

pytestmark = pytest.mark.network

ANN, REX = 71, 72
THEIR_ACTIVITY = 900_001
OPERATOR = EraseRequest(ANN, EraseReason.OPERATOR)
EVENT = EraseRequest(ANN, EraseReason.DEAUTHORISATION)
MARKS = {"brakes", "erasures", "certificates", "quota", "oauth_states", "subscriptions"}
"""Tables that hold nothing of an athlete but the mark of the erasure itself."""


def assert_gone(place):
    assert place.rows_of(ANN) == []
    assert place.objects_of(ANN) == []
    assert not list(place.lake.rglob(f"athlete_id={ANN}"))


def test_everything_of_the_athlete_goes_and_everything_of_others_stays(world, place):
    counted = place.run(replace(OPERATOR, dry_run=True))

    erased = place.run(OPERATOR)

    assert_gone(place)
    assert erased.outcome is Outcome.ERASED
    assert erased.counts == counted.counts
    assert {kind: erased.counts.get(kind) for kind in ("activities", "copies", "links", "invites", "athletes")} == {
        "activities": 2,
        "copies": 2,
        "links": 2,
        "invites": 2,
        "athletes": 1,
    }
    assert (erased.counts["streams_rows"], erased.counts["activities_rows"], erased.counts["copies_rows"]) == (
        120,
        2,
        2,
    )
    assert {each.partition.table for each in world.services.lake.partitions.waiting()} == {"copies"}
    assert world.services.state.athletes.get(REX).status is AthleteStatus.ACTIVE
    assert set(FileObjects(place.lake).list("raw/")) == {raw_detail_key(REX, THEIR_ACTIVITY), raw_detail_key(711, 1)}
    assert [notice.kind for notice in world.services.state.notices.of_athlete(REX)] == ["child_erased", "parent_erased"]


def test_acceptance_that_a_crash_left_without_its_link_goes_too(world, place):
    invites = world.services.state.invites
    lost = invites.create("the secret of a parent without a link", 711, ("Ann",), CopyOptions())
    invites.accept(lost.invite_id, ANN)
    assert len(list(invites.of_child(ANN))) == 2

    place.run(OPERATOR)

    assert_gone(place)
    assert list(invites.of_child(ANN)) == []


def test_dry_run_changes_nothing(world, place):
    before = (place.rows_of(ANN), place.objects_of(ANN), world.calls())

    counted = place.run(replace(EVENT, dry_run=True))

    assert counted.outcome is Outcome.COUNTED
    assert "2 activities" in counted.message
    assert (place.rows_of(ANN), place.objects_of(ANN), world.calls()) == before
    assert place.certificates() == []


def test_forged_deauthorisation_erases_nothing(world, place):
    before = (place.rows_of(ANN), place.objects_of(ANN))

    assert place.run(EVENT).outcome is Outcome.STILL_CONNECTED
    assert [row for row in place.rows_of(ANN) if row in before[0]] == before[0]
    assert place.objects_of(ANN) == before[1]


def test_deauthorisation_erases(world, place):
    world.control.disconnect(ANN, world.client_id)

    assert place.run(EVENT).outcome is Outcome.ERASED
    assert_gone(place)
    assert place.run(EVENT).outcome is Outcome.ERASED_BEFORE
    assert place.run(replace(EVENT, athlete_id=5)).outcome is Outcome.UNKNOWN


def test_event_after_a_disconnection_made_here_erases_nothing(world, place):
    world.services.state.athletes.note_disconnect(ANN)
    world.control.disconnect(ANN, world.client_id)
    world.services.state.athletes.mark(ANN, AthleteStatus.REVOKED)
    before = place.objects_of(ANN)

    assert place.run(EVENT).outcome is Outcome.DISCONNECTED
    assert place.objects_of(ANN) == before


def test_erasure_can_be_asked_for_after_disconnecting(world, place):
    world.services.state.athletes.mark(ANN, AthleteStatus.REVOKED)

    assert place.run(OPERATOR).outcome is Outcome.ERASED
    assert_gone(place)


def test_second_request_finds_that_it_was_done(place):
    first = place.run(OPERATOR)

    second = place.run(OPERATOR)

    assert second.outcome is Outcome.ERASED_BEFORE
    assert second.certificate == first.certificate
    assert len(place.certificates()) == 1


def test_operator_is_told_when_the_number_is_wrong(place):
    with pytest.raises(NotConnected, match="no athlete 5"):
        place.run(EraseRequest(5, EraseReason.OPERATOR))


def test_operator_can_erase_what_is_left_of_an_athlete_without_a_row(world, place):
    world.services.state.athletes.mark(ANN, AthleteStatus.REVOKED)
    world.services.state.athletes.forget(ANN)

    assert place.run(OPERATOR).outcome is Outcome.ERASED
    assert_gone(place)


def test_connecting_again_starts_afresh(world, place):
    place.run(OPERATOR)
    world.connect(ANN)
    activity_id = world.finish(name="New life")

    synced = sync(world.services, world.item(activity_id), source="webhook")

    assert synced.state == "synced"
    assert world.services.state.links.of_parent(ANN) == []
    assert [entry.activity_id for entry in world.services.state.activities.of_athlete(ANN)] == [activity_id]
    assert remove_late_records(world.services) == 0
    assert place.run(OPERATOR).counts["activities"] == 1
    assert_gone(place)
    assert [certificate["removed"]["activities"] for certificate in place.certificates()] == [2, 1]


def test_every_table_of_the_state_is_erased_or_holds_nothing_of_an_athlete(place):
    filled = {table for table, _ in place.rows_of(ANN)}

    assert set(TABLES) - filled - MARKS == {"histories", "notices", "outages"}
