"""The title of a copy, from the template that a link carries."""

from __future__ import annotations

import re

from include.copying.markup import one_line
from include.copying.sports import sport_in_words
from include.strava.models import Activity

PLACEHOLDERS = ("sport", "title", "parent")
"""The placeholders of a template: the sport in words, the original's title, the parent's first name."""

LONGEST_TEMPLATE = 100
LONGEST_TITLE = 255
"""Strava documents no limit; a longer title is cut."""

_FIELD = re.compile(r"\{([^{}]*)\}")


def template_problem(template: str) -> str | None:
    """The template's problem, in words for its author; None if it is valid."""
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    if not template.strip():
        return f"The title of the copies is empty. {{title}} keeps the original's title; it may contain {known}."
    if len(template) > LONGEST_TEMPLATE:
        return f"The title of the copies is longer than {LONGEST_TEMPLATE} characters."
    if not template.isprintable():
        return "The title of the copies contains a character that cannot be printed."
    unknown = [name for name in _FIELD.findall(template) if name not in PLACEHOLDERS]
    if unknown:
        return f"The title of the copies contains the unknown placeholder {{{unknown[0]}}}. It may contain {known}."
    if set("{}") & set(_FIELD.sub("", template)):
        return f"The title of the copies contains an unpaired brace. It may contain {known}."
    return None


def written_title(template: str, activity: Activity, parent_name: str) -> str:
    """The copy's title: the template's placeholders filled in once, on one line, cut to `LONGEST_TITLE`.

    Braces in the inserted texts stay braces. If the title would be empty, it is the sport.
    """
    return filled_title(template, sport_type=activity.sport_type, title=activity.name, parent_name=parent_name)


def filled_title(template: str, *, sport_type: str, title: str, parent_name: str) -> str:
    """`written_title` for an activity of this sport and title, which may be an example."""
    sport = sport_in_words(sport_type)
    values = {"sport": sport, "title": title, "parent": parent_name}
    filled = one_line(_FIELD.sub(lambda found: values.get(found[1], found[0]), template)) or sport
    return filled if len(filled) <= LONGEST_TITLE else filled[: LONGEST_TITLE - 1] + "…"
