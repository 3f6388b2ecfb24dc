"""The proof that Strava answers at the configured base URL: the last clear answer decides, for that URL alone."""

from __future__ import annotations

import pytest

from include.state.installation import Installation
from include.store.store import Store
from tests.include.state.meanwhile import Meanwhile

URL, OTHER = "https://www.strava.com/api/v3", "https://example.org/api/v3"


@pytest.fixture
def installation(store: Store) -> Installation:
    return Installation(store)


def test_nothing_is_proved_before_the_first_answer(installation: Installation) -> None:
    assert installation.is_proved(URL) is False


def test_last_clear_answer_decides(installation: Installation) -> None:
    proved = []
    for is_proved in (False, True, True, False, True):
        installation.note(URL, is_proved=is_proved, now_epoch_s=5.5)
        proved.append(installation.is_proved(URL))

    assert proved == [False, True, True, False, True]


def test_proof_of_one_base_url_proves_no_other(installation: Installation) -> None:
    installation.note(URL, is_proved=True, now_epoch_s=5.5)
    before = [installation.is_proved(url) for url in (URL, OTHER)]
    installation.note(OTHER, is_proved=True, now_epoch_s=6.5)

    assert before == [True, False]
    assert [installation.is_proved(url) for url in (URL, OTHER)] == [False, True]


def test_later_of_two_answers_noted_at_once_is_kept(store: Store) -> None:
    raced = Meanwhile(store, "subscriptions", lambda: Installation(store).note(URL, is_proved=False, now_epoch_s=5))

    Installation(raced).note(URL, is_proved=True, now_epoch_s=6)

    assert Installation(store).is_proved(URL)
