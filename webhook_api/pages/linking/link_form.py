"""The form of a link: which names mean the child, and what its copies contain."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from include.copying.choices import (
    LONGEST_TRIM_M,
    choice_problems,
    first_day,
    first_day_epoch_s,
    first_day_problem,
)
from include.copying.title import filled_title
from include.state.links import CopyOptions

_METRES = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class LinkForm:
    """The form's fields; valid where `problems` is empty."""

    names: tuple[str, ...]
    options: CopyOptions
    trim_text: str
    """The length as entered; empty where the grant decides."""
    start_text: str = ""
    """The first day that is copied, as entered; empty when nothing was entered."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """What is wrong, by field, in words."""

    @classmethod
    def of(cls, names: tuple[str, ...], options: CopyOptions, starts_at_epoch_s: int) -> LinkForm:
        """The form of what is stored."""
        return cls(names, options, "" if options.trim_m is None else str(options.trim_m), _day_text(starts_at_epoch_s))

    @classmethod
    def parse(cls, fields: MultiDict[str, str], now_epoch_s: float) -> LinkForm:
        """What was entered, and what is wrong with it."""
        trim_text = fields.get("trim_m", "").strip()
        start_text = fields.get("start", "").strip()
        options = CopyOptions(
            heartrate="heartrate" in fields,
            power="power" in fields,
            temperature="temperature" in fields,
            trim_m=_metres(trim_text),
            allow_private="allow_private" in fields,
            title=fields.get("title", "{title}").strip(),
            link_back="link_back" in fields,
            sports=tuple(dict.fromkeys(fields.getlist("sports"))),
        )
        form = cls(_names(fields.get("names", "")), options, trim_text, start_text)
        problems = dict(choice_problems(form.names, options))
        if start_text and (problem := first_day_problem(start_text, now_epoch_s)):
            problems["start"] = problem
        return replace(form, problems=problems)

    @property
    def fingerprint(self) -> str:
        """The same for forms with the same content: by it a stale form is known."""
        content = repr((self.names, self.options, self.trim_text, self.start_text))
        return hashlib.sha256(content.encode(errors="replace")).hexdigest()[:16]

    @property
    def example(self) -> str:
        """The title of an activity that names the child, as an example."""
        return f"Morning run with {self.names[0] if self.names else 'Rex'}"

    def preview(self, parent_name: str) -> str:
        """The title of the example's copy; empty while the template has a problem."""
        if "title" in self.problems:
            return ""
        return filled_title(self.options.title, sport_type="Run", title=self.example, parent_name=parent_name)

    def unsaved(self) -> LinkForm:
        """The form as entered, to be looked at before it is saved: only the title's problem is named."""
        return replace(self, problems={name: text for name, text in self.problems.items() if name == "title"})

    def starts_at_epoch_s(self, present: int) -> int:
        """From when on activities are copied; `present` where the entered day is unchanged."""
        day = first_day(self.start_text)
        if day is None or self.start_text == _day_text(present):
            return present
        return first_day_epoch_s(day)


def _metres(text: str) -> int | None:
    """The length; None where nothing was entered, and one that is refused for anything else."""
    if not text:
        return None
    return int(text) if _METRES.fullmatch(text) else LONGEST_TRIM_M + 1


def _day_text(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).date().isoformat() if epoch_s else ""


def _names(text: str) -> tuple[str, ...]:
    """The names in `text`, separated by commas or line breaks, each once."""
    return tuple(dict.fromkeys(" ".join(part.split()) for part in re.split(r"[,\n]", text) if part.strip()))
