"""The options of a link on the command line, as `choice=value`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from include.copying.choices import choice_problems, first_day, first_day_epoch_s, first_day_problem
from include.errors import BadRequest
from include.state.links import Link

_SWITCHES: Mapping[str, str] = {
    "heartrate": "heartrate",
    "power": "power",
    "temperature": "temperature",
    "private": "allow_private",
    "link_back": "link_back",
}
"""The choices that are yes or no, and their fields of `CopyOptions`."""

_YES_NO = {"yes": True, "no": False}


def choices_of(link: Link) -> Mapping[str, str]:
    """Every choice of the link, in the form that `chosen` reads."""
    options = link.options
    start_epoch_s = link.starts_at_epoch_s
    return {
        "title": options.title,
        "sports": ",".join(options.sports),
        "from": datetime.fromtimestamp(start_epoch_s, UTC).date().isoformat() if start_epoch_s else "",
        "trim_m": "" if options.trim_m is None else str(options.trim_m),
        **{choice: "yes" if getattr(options, field) else "no" for choice, field in _SWITCHES.items()},
    }


def chosen(link: Link, choices: Sequence[str], now_epoch_s: float) -> Link:
    """The link with these choices, such as `trim_m=200`; an empty `sports` means all, an empty `from` the beginning.

    An empty `trim_m` hides the default radius for the parent's grant; `trim_m=0` hides nothing.

    Errors: `BadRequest` for an unknown choice, or an invalid value or name.
    """
    for each in choices:
        choice, is_given, value = each.partition("=")
        if not is_given or choice not in choices_of(link):
            raise BadRequest(
                f"{each!r} is no choice; write one of {', '.join(choices_of(link))} with its value: trim_m=200."
            )
        link = _with(link, choice, value, now_epoch_s)
    problems = choice_problems(link.names, link.options)
    if problems:
        raise BadRequest("Nothing was changed. " + " ".join(problems.values()))
    return link


def _with(link: Link, choice: str, value: str, now_epoch_s: float) -> Link:
    if choice == "from":
        return replace(link, starts_at_epoch_s=_start(value, now_epoch_s))
    changes: dict[str, Any] = {"title": value}
    if choice in _SWITCHES:
        changes = {_SWITCHES[choice]: _switch(choice, value)}
    elif choice == "sports":
        changes = {"sports": tuple(part.strip() for part in value.split(",") if part.strip())}
    elif choice == "trim_m":
        changes = {"trim_m": _metres(value)}
    return replace(link, options=replace(link.options, **changes))


def _metres(value: str) -> int | None:
    """The length; None for no choice, and one that `choice_problems` refuses for anything else."""
    if not value:
        return None
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 9 else -1


def _switch(choice: str, value: str) -> bool:
    if value not in _YES_NO:
        raise BadRequest(f"{choice} is yes or no, not {value!r}.")
    return _YES_NO[value]


def _start(value: str, now_epoch_s: float) -> int:
    problem = first_day_problem(value, now_epoch_s) if value else None
    if problem:
        raise BadRequest(f"Nothing was changed: from is {value!r}. {problem}")
    day = first_day(value)
    return first_day_epoch_s(day) if day else 0
