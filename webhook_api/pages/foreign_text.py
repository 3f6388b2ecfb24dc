"""Text from outside, such as a name at Strava, made harmless for the page around it."""

from __future__ import annotations

import unicodedata

from flask import Flask
from markupsafe import Markup

LONGEST = 100
"""The most characters that are shown; Strava's own limit is lower, but not documented."""

NO_NAME = "An athlete"

_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction of text: with them a name could look like another one."""

_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Characters with the category of a letter or symbol that show nothing."""


def register(app: Flask) -> None:
    """Give templates `| foreign`, for text, and `| plainly`, for attributes."""
    app.add_template_filter(foreign)
    app.add_template_filter(plainly)


def plainly(text: str, instead: str = NO_NAME) -> str:
    """The text on one line without control characters, cut to `LONGEST`; `instead` where that leaves nothing to see."""
    kept = "".join(" " if character.isspace() else character for character in text if not _is_control(character))
    line = " ".join(kept.split())
    if not any(_is_seen(character) for character in line):
        return instead
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def foreign(text: str, instead: str = NO_NAME) -> Markup:
    """The same, isolated from the text around it."""
    return Markup("<bdi>{}</bdi>").format(plainly(text, instead))


def _is_control(character: str) -> bool:
    """Joiners stay: emoji and several scripts need them."""
    return character in _TURNS or (unicodedata.category(character) in ("Cc", "Cs") and not character.isspace())


def _is_seen(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANKS
