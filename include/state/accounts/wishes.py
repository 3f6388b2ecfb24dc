"""What an athlete asks for that is done only once Strava has said that it is the athlete who asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class WishKind(StrEnum):
    """What is asked for."""

    DISCONNECT = "disconnect"
    """That the access to the Strava account ends."""
    ERASE = "erase"
    """That everything is erased."""
    WIDEN = "widen"
    """That more may be read or written than before."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish; it stands in the athlete's row until it is confirmed, replaced or taken back."""

    kind: WishKind
    asked_at_epoch_s: int
    scopes: frozenset[str] = frozenset()
    """The scopes that Strava is asked for, where more shall be allowed."""

    def to_json(self) -> list[Any]:
        """The wish as JSON values."""
        return [self.kind.value, self.asked_at_epoch_s, sorted(self.scopes)]

    @classmethod
    def from_json(cls, value: list[Any]) -> Wish:
        """The wish that `to_json` wrote."""
        kind, asked_at_epoch_s, scopes = value
        return cls(WishKind(kind), asked_at_epoch_s, frozenset(scopes))
