"""An athlete's choice to give up scopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Narrowing:
    """An athlete's choice to give up scopes, made on a page that listed what is lost."""

    athlete_id: int
    scopes: frozenset[str]
    removes: bool
    """Whether data that was stored under these scopes is removed too."""

    def to_json(self) -> list[Any]:
        """The choice as JSON values."""
        return [self.athlete_id, sorted(self.scopes), self.removes]

    @classmethod
    def from_json(cls, value: list[Any]) -> Narrowing:
        """The choice that `to_json` wrote."""
        athlete_id, scopes, removes = value
        return cls(athlete_id, frozenset(scopes), removes)
