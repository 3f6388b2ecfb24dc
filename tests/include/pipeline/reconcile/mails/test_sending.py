"""Athletes are told by mail, once per cause, whatever dies in between."""

from __future__ import annotations

import email
import email.policy
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import MailPostponed, MailRefused, OutcomeUnknown, RetryLater
from include.pipeline.reconcile.mails import send_mails
from include.state.accounts.athletes import athlete_key
from tests.include.pipeline.reconcile.mails.place import ANN, REX, SETTINGS, Killed, Place


def test_nothing_is_sent_while_all_is_well(place: Place) -> None:
    place.connect(ANN)
    place.connect(REX)
    place.link(REX, "Rex")

    assert send_mails(place, SETTINGS) == 0


def test_end_of_an_access_is_told_once_for_each_connection(place: Place) -> None:
    place.connect(ANN)
    place.set(ANN, status="needs_reauth")
    assert [send_mails(place, SETTINGS) for _ in range(3)] == [1, 0, 0]

    place.clock.advance(100)
    place.connect(ANN, address=False)
    assert send_mails(place, SETTINGS) == 0
    place.set(ANN, status="needs_reauth")
    assert [send_mails(place, SETTINGS) for _ in range(2)] == [1, 0]
    assert place.told() == [("71@example.com", "Please connect your Strava account again")] * 2
    assert all("https://ingest.example.org/me" in mail.text for mail in place.post.sent)


def test_disconnecting_is_told_in_its_own_words(place: Place) -> None:
    place.connect(ANN)
    place.set(ANN, status="revoked")

    send_mails(place, SETTINGS)

    assert place.told() == [("71@example.com", "Your Strava account is disconnected")]


def test_athlete_is_told_nothing_without_a_confirmed_address(place: Place) -> None:
    place.connect(ANN, address=False)
    place.state.mail_addresses.give(ANN, "71@example.com")
    place.set(ANN, status="needs_reauth")

    assert send_mails(place, SETTINGS) == 0


def test_copies_that_wait_are_told_once_to_each_side_however_many(place: Place) -> None:
    place.connect(ANN)
    place.connect(REX, frozenset({"read", "activity:read"}))
    place.link(REX, "Rex")
    assert send_mails(place, SETTINGS) == 0
    for activity_id in (1, 2, 3):
        place.wait(activity_id)

    assert [send_mails(place, SETTINGS) for _ in range(2)] == [2, 0]
    assert sorted(place.told()) == [
        ("71@example.com", "Copies are waiting for Rex"),
        ("72@example.com", "Copies are waiting for you"),
    ]


def test_erasure_is_told_once_with_its_certificate_and_the_address_is_gone_then(place: Place) -> None:
    place.connect(ANN)
    erasure = place.erase(ANN)

    assert [send_mails(place, SETTINGS) for _ in range(2)] == [1, 0]
    (mail,) = place.post.sent
    assert mail.to == "71@example.com"
    assert f"https://ingest.example.org/certificate/{erasure.link_id}" in mail.text
    assert place.state.certificates.get(erasure.link_id).sealed_address == ""  # type: ignore[union-attr]


CAUSES: dict[str, Callable[[Place], object]] = {
    "access": lambda place: place.set(ANN, status="needs_reauth"),
    "erasure": lambda place: place.erase(ANN),
}


@pytest.mark.parametrize("cause", [pytest.param(cause, id=name) for name, cause in CAUSES.items()])
@pytest.mark.parametrize(
    ("fault", "later"),
    [
        pytest.param(RetryLater("full"), 1, id="certainly not sent"),
        pytest.param(OutcomeUnknown("broke off"), 0, id="in doubt"),
        pytest.param(MailRefused("no such address"), 0, id="refused"),
        pytest.param(Killed(), 0, id="killed between sending and marking"),
    ],
)
def test_mail_is_repeated_only_when_it_was_certainly_not_sent(
    place: Place, cause: Callable[[Place], object], fault: BaseException, later: int
) -> None:
    place.connect(ANN)
    cause(place)
    place.post.fault = fault
    with suppress(RetryLater, Killed):
        assert send_mails(place, SETTINGS) == 0
    place.post.fault = None

    assert send_mails(place, SETTINGS) == later
    place.clock.advance(3601)
    assert send_mails(place, SETTINGS) == 0
    assert len(place.post.sent) == later
    assert not list(place.state.certificates.mail_due())


def test_address_that_cannot_be_opened_keeps_nobody_else_from_being_told(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    for athlete_id in (ANN, REX):
        place.connect(athlete_id)
        place.set(athlete_id, status="needs_reauth")
    item = place.store.get(replace(athlete_key(ANN), table="mail_addresses"))
    assert item is not None
    place.store.put(item.key, {**item.fields, "sealed": "broken"}, expected_version=item.version)

    with caplog.at_level(logging.WARNING):
        assert send_mails(place, SETTINGS) == 1
    assert place.told()[0][0] == "72@example.com"
    assert "athlete 71" in caplog.text


@pytest.mark.parametrize("cause", [pytest.param(cause, id=name) for name, cause in CAUSES.items()])
def test_full_mailbox_keeps_nobody_else_from_being_told_and_is_tried_again(
    place: Place, cause: Callable[[Place], object]
) -> None:
    for athlete_id in (ANN, REX):
        place.connect(athlete_id)
    cause(place)
    place.set(REX, status="needs_reauth")
    place.post.fault, place.post.faulty = MailPostponed("full"), "71@example.com"

    assert send_mails(place, SETTINGS) == 1
    place.post.fault = None
    assert send_mails(place, SETTINGS) == 1
    assert [to for to, _ in place.told()] == ["72@example.com", "71@example.com"]


def test_full_mailbox_keeps_no_other_erased_athlete_from_being_told(place: Place) -> None:
    for athlete_id in (ANN, REX):
        place.connect(athlete_id)
        place.erase(athlete_id)
    first, second = (f"{due.athlete_id}@example.com" for due in place.state.certificates.mail_due())
    place.post.fault, place.post.faulty = MailPostponed("full"), first

    assert send_mails(place, SETTINGS) == 1
    assert [to for to, _ in place.told()] == [second]


@pytest.mark.parametrize(
    ("passed_s", "is_kept"), [(0, True), (3600, True), (3601, False)], ids=["just now", "at last", "too long"]
)
def test_claim_of_another_worker_is_left_to_it_for_an_hour_and_delays_no_other_mail(
    place: Place, passed_s: int, is_kept: bool
) -> None:
    for athlete_id in (ANN, REX):
        place.connect(athlete_id)
        place.erase(athlete_id)
    claimed, _ = list(place.state.certificates.mail_due())
    assert place.state.certificates.claim(claimed)
    place.clock.advance(passed_s)

    assert send_mails(place, SETTINGS) == 1
    assert bool(place.state.certificates.get(claimed.link_id).sealed_address) is is_kept  # type: ignore[union-attr]
    assert f"{claimed.athlete_id}@example.com" not in dict(place.told())


def test_row_of_a_mail_says_when_it_was_sent(place: Place) -> None:
    place.connect(ANN)
    place.set(ANN, status="revoked")
    send_mails(place, SETTINGS)

    (row,) = place.store.query("sent_mails", str(ANN))
    assert row.fields["sent_at_epoch_s"] == place.clock.now_epoch_s


def test_log_names_no_address(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.connect(ANN)
    place.erase(ANN)
    place.post.fault = MailRefused("no such address")

    with caplog.at_level(logging.DEBUG):
        send_mails(place, SETTINGS)
    assert "@example.com" not in caplog.text


def test_installation_without_mails_sends_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    place.connect(ANN)
    place.erase(ANN)

    assert send_mails(place, replace(SETTINGS, mail_url="")) == 0


def test_mail_of_one_machine_is_a_file(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    place.connect(ANN)
    place.set(ANN, status="needs_reauth")

    send_mails(place, replace(SETTINGS, mail_url=f"file://{tmp_path}/mails"))

    (path,) = (tmp_path / "mails").iterdir()
    assert email.message_from_bytes(path.read_bytes(), policy=email.policy.default)["To"] == "71@example.com"
