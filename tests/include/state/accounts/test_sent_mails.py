"""Each athlete gets one mail for each cause, whoever sends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.clock import Clock
from include.state.accounts.sent_mails import SentMails
from include.store.store import Key, Store

ANN, BOB = 42, 43


@pytest.fixture
def mails(store: Store, clock: Clock) -> SentMails:
    return SentMails(store, clock)


def test_mail_of_one_cause_is_claimed_once(mails: SentMails) -> None:
    assert not mails.knows(ANN, "refused.5")
    assert [mails.claim(ANN, "refused.5") for _ in range(3)] == [True, False, False]
    assert mails.knows(ANN, "refused.5")

    assert [mails.knows(ANN, "refused.6"), mails.knows(BOB, "refused.5")] == [False, False]
    assert [mails.claim(ANN, "refused.6"), mails.claim(BOB, "refused.5")] == [True, True]


def test_mail_that_was_not_sent_can_be_claimed_again(mails: SentMails) -> None:
    mails.claim(ANN, "refused.5")
    for _ in range(2):
        mails.unclaim(ANN, "refused.5")

    assert not mails.knows(ANN, "refused.5")
    assert mails.claim(ANN, "refused.5")


def test_row_tells_when_the_mail_was_claimed_and_when_it_was_sent(
    mails: SentMails, store: Store, pass_time: Callable[[float], None]
) -> None:
    mails.claim(ANN, "refused.5")
    claimed = store.get(Key("sent_mails", str(ANN), "refused.5"))
    pass_time(2.5)
    mails.note_sent(ANN, "refused.5")
    sent = store.get(Key("sent_mails", str(ANN), "refused.5"))

    assert claimed is not None
    assert claimed.fields == {"athlete_id": ANN, "claimed_at_epoch_s": 1_700_000_000, "sent_at_epoch_s": None}
    assert sent is not None
    assert sent.fields == claimed.fields | {"sent_at_epoch_s": 1_700_000_002}
    assert not mails.claim(ANN, "refused.5")


def test_mail_sent_to_an_athlete_who_was_erased_meanwhile_leaves_nothing(mails: SentMails) -> None:
    mails.claim(ANN, "refused.5")
    mails.forget(ANN)
    mails.note_sent(ANN, "refused.5")

    assert (mails.count(ANN), mails.knows(ANN, "refused.5")) == (0, False)


def test_rows_are_counted_and_forgotten_with_their_athlete(mails: SentMails) -> None:
    for athlete_id, cause in ((ANN, "refused.5"), (ANN, "refused.6"), (BOB, "refused.5")):
        mails.claim(athlete_id, cause)

    assert [mails.count(ANN), mails.count(BOB)] == [2, 1]
    assert [mails.forget(ANN), mails.forget(ANN)] == [2, 0]
    assert [mails.count(ANN), mails.count(BOB)] == [0, 1]
