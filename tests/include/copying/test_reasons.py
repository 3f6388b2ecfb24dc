"""Every error an activity or a copy can meet has words for athletes."""

from __future__ import annotations

import pytest

from include import errors
from include.copying.reasons import QUOTA_WORDS, athlete_words


def all_errors(cls: type[errors.IngestError]) -> list[type[errors.IngestError]]:
    return [cls, *(below for subclass in cls.__subclasses__() for below in all_errors(subclass))]


@pytest.mark.parametrize("cls", all_errors(errors.IngestError))
def test_words_are_sentences_without_the_operators_details(cls: type[errors.IngestError]) -> None:
    error = cls.__new__(cls, "athlete 72: Strava answered 401 to /uploads")
    words = athlete_words(error, account="your account")
    assert words[0].isupper()
    assert words.endswith(".")
    assert not [detail for detail in ("72", "401", "{", "token") if detail in words]


def test_words_name_whose_account_it_is() -> None:
    assert athlete_words(errors.NotConnected("x"), account="the child's account").startswith("The child's account is")


def test_limit_of_strava_is_told_apart() -> None:
    assert athlete_words(errors.QuotaSpent("x", until_epoch_s=1.0), account="your account") == QUOTA_WORDS
