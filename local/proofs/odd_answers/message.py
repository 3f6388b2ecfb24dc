"""Checks that the message about an odd answer says what happened, to whom, and what to do next."""

from __future__ import annotations

import re

from include.strava.grant import NEWCOMER

MOST_CHARACTERS = 300

NEXT_STEPS = (
    *("Try the same call again later", "Try again later", "Try again from", "try again"),
    *("the call is repeated", "is fetched again"),
    *("Run it again", "run `make ", "check STRAVA_", "Check STRAVA_", "STRAVA_API_URL is", "compare it with"),
    *("Ask Strava", "ask Strava", "connect again", "has to be connected", "Keep it without them"),
    *("correct what it asks for", "there is nothing to do", "no athlete has to do anything", "Delete ", "asked again"),
)
"""Every message contains one of these: what happens next, or who has to do it."""

_ATHLETE = re.compile(rf"athletes? \d+|{NEWCOMER}")
_APPLICATION = re.compile(r"the application\b")
_WHAT = re.compile(
    r"(?<![\w<])/[a-z_]+(?:/[a-z_0-9]+)*|\b[Aa]ctivity (?:\d+|list)\b|\b(?:webhook subscription|tokens of|copy)\b"
)
"""The call, or the object that it was about."""
_TOKEN = re.compile(r"[0-9a-f]{16}")


def is_fit(message: str, *, is_applications: bool) -> bool:
    """Whether a message is short, in one line, names athlete, call and next step, and quotes neither page nor token.

    A message about a call of the application's own may name the application instead of an athlete.
    """
    return (
        len(message) <= MOST_CHARACTERS
        and message.isprintable()
        and bool(_ATHLETE.search(message) or (is_applications and _APPLICATION.search(message)))
        and _WHAT.search(message) is not None
        and any(step in message for step in NEXT_STEPS)
        and "<" not in message
        and not _TOKEN.search(message)
    )
