"""Whom which cause concerns, and that one cause keeps no other from being told."""

from __future__ import annotations

import pytest

from include.errors import MailPostponed
from include.pipeline.reconcile.mails import send_mails
from include.state.copies.states import CopyState
from include.state.erasures.entry import EraseReason, ErasureGrounds
from tests.include.pipeline.reconcile.mails.place import ANN, REX, SETTINGS, Place

MAX, NOBODY = 73, 5
READ = frozenset({"read", "activity:read"})
ENDED = ("71@example.com", "Please connect your Strava account again")
WAITING = [("71@example.com", f"Copies are waiting for {name}") for name in ("Rex", "Max")]


def test_address_of_an_athlete_who_is_not_known_keeps_nobody_else_from_being_told(place: Place) -> None:
    nonce = place.state.mail_addresses.give(NOBODY, "5@example.com")
    assert place.state.mail_addresses.confirm(NOBODY, nonce)
    place.connect(ANN)
    place.set(ANN, status="needs_reauth")

    assert send_mails(place, SETTINGS) == 1
    assert place.told() == [ENDED]


def test_athlete_who_is_being_erased_is_told_of_nothing_else_and_keeps_nobody_from_being_told(place: Place) -> None:
    for athlete_id in (ANN, REX):
        place.connect(athlete_id)
        place.set(athlete_id, status="needs_reauth")
    place.state.erasures.ask(ANN, ErasureGrounds(EraseReason.ATHLETE, int(place.clock.now_epoch_s)))

    assert send_mails(place, SETTINGS) == 1
    assert place.told() == [("72@example.com", ENDED[1])]


def family(place: Place, *, scopes: frozenset[str] = READ) -> None:
    """Ann with two children for whom a copy waits; none of them has an address."""
    place.connect(ANN)
    for child_id, name in ((REX, "Rex"), (MAX, "Max")):
        place.connect(child_id, scopes, address=False)
        place.link(child_id, name)
        place.wait(child_id, child_id)


def test_parent_is_told_of_every_child_whose_copies_wait(place: Place) -> None:
    family(place)

    assert [send_mails(place, SETTINGS) for _ in range(2)] == [2, 0]
    assert place.told() == WAITING


def test_cause_that_was_told_before_keeps_no_later_one_from_being_told(place: Place) -> None:
    family(place)
    place.set(ANN, status="needs_reauth")
    assert place.state.sent_mails.claim(ANN, f"access_ended.{int(place.clock.now_epoch_s)}")

    assert send_mails(place, SETTINGS) == 2
    assert place.told() == WAITING


def test_mail_that_the_mailbox_takes_later_keeps_no_other_of_the_athlete_from_being_sent(place: Place) -> None:
    family(place)
    place.set(ANN, status="needs_reauth")
    place.post.fault, place.post.faults = MailPostponed("full"), 1

    assert [send_mails(place, SETTINGS) for _ in range(3)] == [2, 1, 0]
    assert place.told() == [*WAITING, ENDED]


def test_child_who_can_be_written_to_or_is_gone_keeps_no_other_ones_copies_from_being_told(place: Place) -> None:
    family(place)
    place.link(NOBODY, "Nobody")
    place.connect(REX, frozenset({*READ, "activity:write"}), address=False)

    assert send_mails(place, SETTINGS) == 1
    assert place.told() == WAITING[1:]


@pytest.mark.parametrize("status", ["needs_reauth", "revoked"])
def test_parent_is_told_when_the_access_has_ended_of_a_child_who_had_allowed_uploads(place: Place, status: str) -> None:
    place.connect(ANN)
    place.connect(REX, address=False)
    place.link(REX, "Rex")
    place.wait(1)
    place.set(REX, status=status)

    send_mails(place, SETTINGS)

    assert place.told() == WAITING[:1]


@pytest.mark.parametrize(
    ("parent_id", "state"),
    [
        pytest.param(MAX, CopyState.WAITING_FOR_ACCESS, id="another parent's"),
        pytest.param(ANN, CopyState.PLANNED, id="it waits for nobody"),
    ],
)
def test_parent_is_told_only_of_copies_of_its_own_that_wait(place: Place, parent_id: int, state: CopyState) -> None:
    place.connect(ANN)
    place.connect(REX, READ, address=False)
    place.link(REX, "Rex")
    place.wait(1, REX, parent_id, state)

    assert send_mails(place, SETTINGS) == 0


def test_child_is_not_told_while_its_copies_wait_for_nobody(place: Place) -> None:
    place.connect(REX, READ)
    place.wait(1, state=CopyState.PLANNED)

    assert send_mails(place, SETTINGS) == 0
