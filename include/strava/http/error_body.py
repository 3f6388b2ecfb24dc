"""Parses all forms of Strava's error bodies."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ACTIVITY_LINK = re.compile(r"<a\b[^>]*?/activities/(\d+)[^>]*>.*?</a>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_SECRET_LIKE = re.compile(r"(?=[\w\-+=]*[A-Za-z])[\w\-+=]{20,}")
_MAX_WORDS = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of `errors`: which field of which resource, and what is wrong with it."""

    resource: str
    field: str
    code: str


@dataclass(frozen=True, slots=True)
class Faults:
    """An error body: `{"message": …, "errors": [{"resource", "field", "code"}]}`, or the parts that it has.

    Shape: `errors` may be a string, empty or missing, the body empty, cut off or not JSON; then fields are empty.
    """

    message: str = ""
    entries: tuple[Fault, ...] = ()
    error: str = ""
    """Strava's own words about a refused upload."""

    @classmethod
    def parse(cls, body: bytes) -> Faults:
        """The faults in `body`; raises no error."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return cls()
        if not isinstance(document, Mapping):
            return cls()
        errors = document.get("errors")
        entries = errors if isinstance(errors, list) else []
        return cls(
            message=_text(document, "message") or (errors if isinstance(errors, str) else ""),
            entries=tuple(
                Fault(_text(entry, "resource"), _text(entry, "field"), _text(entry, "code"))
                for entry in entries
                if isinstance(entry, Mapping)
            ),
            error=_text(document, "error"),
        )

    def about(self, *resources: str) -> Fault | None:
        """The first entry about one of `resources`, in any case."""
        wanted = {resource.lower() for resource in resources}
        return next((entry for entry in self.entries if entry.resource.lower() in wanted), None)

    def words(self) -> str:
        """The error in words for a message: known fields alone, no markup, nothing that looks like a secret."""
        entries = [" ".join(filter(None, (entry.resource, entry.field, entry.code))) for entry in self.entries]
        return plain("; ".join(filter(None, (self.message, self.error, *entries))))


def plain(text: str) -> str:
    """`text` without markup, control characters and anything that looks like a secret, at most 100 characters."""
    text = _ACTIVITY_LINK.sub(r"activity \1", html.unescape(text))
    text = _SECRET_LIKE.sub("[removed]", _TAG.sub("", text))
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:_MAX_WORDS]


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
