"""Comparison of terms: the part of the wished terms that a child has agreed to."""

from __future__ import annotations

import math

from include.copying.matching import same_name
from include.state.consent.terms import Terms


def within(wished: Terms, agreed: Terms, in_force: Terms) -> Terms:
    """The wished terms, limited to what is agreed to: they copy nothing that `agreed` does not, and use its title.

    They equal `wished` if that only narrows `agreed`. If none of the wished names, or of the sports, is agreed to,
    those in force stay: no names would copy nothing, and no sports everything.
    """
    return Terms(
        names=tuple(name for name in wished.names if _is_among(name, agreed.names)) or in_force.names,
        starts_at_epoch_s=max(wished.starts_at_epoch_s, agreed.starts_at_epoch_s, key=_late),
        allow_private=wished.allow_private and agreed.allow_private,
        title=agreed.title,
        sports=_common(wished.sports, agreed.sports, in_force.sports),
    )


def differing(one: Terms, other: Terms) -> tuple[str, ...]:
    """The fields in which the terms differ."""
    return tuple(name for name in Terms.__dataclass_fields__ if getattr(one, name) != getattr(other, name))


def _is_among(name: str, names: tuple[str, ...]) -> bool:
    return any(same_name(name, each) for each in names)


def _late(starts_at_epoch_s: int | None) -> float:
    """The start as a number to compare: a start at a future confirmation is later than every other."""
    return math.inf if starts_at_epoch_s is None else starts_at_epoch_s


def _common(wished: tuple[str, ...], agreed: tuple[str, ...], in_force: tuple[str, ...]) -> tuple[str, ...]:
    """The sports in both; empty stands for all."""
    if not (wished and agreed):
        return wished or agreed
    return tuple(sport for sport in wished if sport in agreed) or in_force
