"""Wishes: requests of an athlete that are fulfilled once Strava has confirmed the athlete's identity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class WishKind(StrEnum):
    """The kind of a wish."""

    DISCONNECT = "disconnect"
    """To end the access to the Strava account."""
    ERASE = "erase"
    """To have everything erased."""
    WIDEN = "widen"
    """To grant more scopes than before."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish. The athlete's row holds it until it is fulfilled, replaced or withdrawn."""

    kind: WishKind
    asked_at_epoch_s: int
    scopes: frozenset[str] = frozenset()
    """The scopes to request, for `WIDEN`."""

    def to_json(self) -> list[Any]:
        """The wish as JSON values."""
        return [self.kind.value, self.asked_at_epoch_s, sorted(self.scopes)]

    @classmethod
    def from_json(cls, value: list[Any]) -> Wish:
        """The wish that `to_json` wrote."""
        kind, asked_at_epoch_s, scopes = value
        return cls(WishKind(kind), asked_at_epoch_s, frozenset(scopes))
