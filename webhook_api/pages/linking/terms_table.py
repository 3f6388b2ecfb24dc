"""The terms of a link in words, one version beside the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from include.copying.sports import sport_in_words
from include.state.consent.terms import Terms
from webhook_api.pages.foreign_text import foreign
from webhook_api.pages.times import first_day_text


@dataclass(frozen=True, slots=True)
class TermsLine:
    """One term in both versions."""

    label: str
    now: Markup | str
    proposed: Markup | str
    """The same as `now` where only one version is shown."""

    @property
    def differs(self) -> bool:
        """Whether the versions differ."""
        return self.now != self.proposed


def compare(now: Terms, proposed: Terms) -> list[TermsLine]:
    """Every term, in both versions."""
    ours, theirs = _in_words(now), _in_words(proposed)
    return [TermsLine(label, ours[label], theirs[label]) for label in ours]


def list_terms(terms: Terms) -> list[TermsLine]:
    """Every term, in one version."""
    return compare(terms, terms)


def one_of(names: Iterable[str]) -> Markup:
    """The names in words, joined by "or"."""
    return Markup(" or ").join(foreign(name) for name in names)


def _in_words(terms: Terms) -> dict[str, Markup | str]:
    return {
        "Names in the title": one_of(terms.names),
        "First day": _first_day(terms.starts_at_epoch_s),
        "Private activities": "copied too" if terms.allow_private else "not copied",
        "Title of the copy": "the same as the original" if terms.title == "{title}" else foreign(terms.title),
        "Sports": ", ".join(sport_in_words(sport) for sport in terms.sports) or "all",
    }


def _first_day(starts_at_epoch_s: int | None) -> str:
    if starts_at_epoch_s is None:
        return "the day the invitation is confirmed"
    return first_day_text(starts_at_epoch_s) if starts_at_epoch_s else "none: past activities too"
