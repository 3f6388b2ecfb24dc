"""The options of a link on the command line, as `choice=value`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from include.copying.choices import choice_problems
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
    start = link.starts_at_epoch_s
    return {
        "title": options.title,
        "sports": ",".join(options.sports),
        "from": datetime.fromtimestamp(start, UTC).date().isoformat() if start else "",
        "trim_m": "" if options.trim_m is None else str(options.trim_m),
        **{choice: "yes" if getattr(options, field) else "no" for choice, field in _SWITCHES.items()},
    }


def chosen(link: Link, choices: Sequence[str]) -> Link:
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
        link = _with(link, choice, value)
    problems = choice_problems(link.names, link.options)
    if problems:
        raise BadRequest("Nothing was changed. " + " ".join(problems.values()))
    return link


def _with(link: Link, choice: str, value: str) -> Link:
    if choice == "from":
        return replace(link, starts_at_epoch_s=_day(value))
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


def _day(value: str) -> int:
    if not value:
        return 0
    try:
        day = date.fromisoformat(value)
    except ValueError as err:
        raise BadRequest(f"from is a day such as 2026-06-01, not {value!r}.") from err
    return int(datetime.combine(day, time(), UTC).timestamp())
