"""How much of what a parent wishes a child has agreed to."""

from __future__ import annotations

import math

from include.copying.matching import same_name
from include.state.consent.terms import Terms


def within(wished: Terms, agreed: Terms, in_force: Terms) -> Terms:
    """What of the wished terms is agreed to: it copies nothing that `agreed` does not, and under no other title.

    The same as `wished` where that only narrows. Where nothing of the wished names or sports is agreed to, those in
    force stay: a link without any would copy nothing, or everything.
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
    """When copying starts; a confirmation that is still to come is later than every day."""
    return math.inf if starts_at_epoch_s is None else starts_at_epoch_s


def _common(wished: tuple[str, ...], agreed: tuple[str, ...], in_force: tuple[str, ...]) -> tuple[str, ...]:
    """The sports in both; empty stands for all."""
    if not (wished and agreed):
        return wished or agreed
    return tuple(sport for sport in wished if sport in agreed) or in_force
