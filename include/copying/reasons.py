"""Errors in words for athletes; the messages for operators are in the log."""

from __future__ import annotations

from collections.abc import Mapping

from include import errors

QUOTA_WORDS = "Strava's limit of calls for this service is used up."

_WORDS: Mapping[type[errors.IngestError], str] = {
    errors.IngestError: "This did not work; the people who run this service can see why.",
    errors.QuotaSpent: QUOTA_WORDS,
    errors.RetryLater: "Something did not answer; it is tried again.",
    errors.StravaUnavailable: "Strava is not answering at the moment.",
    errors.OutcomeUnknown: "The upload broke off; checking whether Strava has it.",
    errors.TokenRefused: "Strava no longer accepts the access to {account}, which has to be connected again.",
    errors.NotConnected: "{account} is not connected; it has to be connected again.",
    errors.ScopeMissing: "{account} lacks a permission; it has to be connected again, with every box left ticked.",
    errors.ApplicationInactive: "Strava has switched this service off; its owner has to look at it.",
    errors.CapacityReached: "Strava lets this service connect no further athletes.",
    errors.Gone: "Strava no longer knows it.",
    errors.RemovalsStopped: "Much of {account} is gone at Strava at once; it stays here until that is confirmed.",
    errors.UnexpectedShape: "Strava's answer could not be understood; the people who run this service can see it.",
}


def athlete_words(error: errors.IngestError, *, account: str) -> str:
    """The words for `error`, or for its nearest base class; `account` says whose account is concerned."""
    return _in_words(next(cls for cls in type(error).__mro__ if cls in _WORDS), account)


def _in_words(cls: type[errors.IngestError], account: str) -> str:
    words = _WORDS[cls].format(account=account)
    return words[0].upper() + words[1:]


_BEFORE = (
    *(errors.IngestError, errors.TokenRefused, errors.NotConnected, errors.ApplicationInactive),
    *(errors.CapacityReached, errors.Gone, errors.UnexpectedShape),
)

PASSING_REASONS = frozenset(_in_words(cls, "the child's account") for cls in _BEFORE) | {
    "The child's account lacks a permission; connect it again and leave the boxes on Strava's page ticked.",
    "Your activity is ready.",
    "Strava gave no reason.",
}
"""Reasons with which an older version marked copies failed although Strava had not refused the file.

They are compared with stored rows: a changed word above leaves such a copy failed.
"""
