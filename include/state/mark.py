"""Something that is left to do for a row, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that is left to do for an activity beside its own next try, and when reconcile takes it up."""

    of: int
    """What set it, and alone may clear it: the time of an event, or the fence of a lease."""
    due_at_epoch_s: int

    @classmethod
    def parse(cls, pair: Sequence[int] | None) -> Self | None:
        """The mark in a field of a row."""
        return None if pair is None else cls(pair[0], pair[1])


def pair(mark: Mark | None) -> list[int] | None:
    """The mark as a field of a row."""
    return None if mark is None else [mark.of, mark.due_at_epoch_s]


def put_off(mark: Mark | None, now_epoch_s: float, until_epoch_s: int) -> Mark | None:
    """The mark that is due at `until_epoch_s` where it was due by now, and as it is otherwise."""
    return replace(mark, due_at_epoch_s=until_epoch_s) if mark and mark.due_at_epoch_s <= now_epoch_s else mark


def earliest(*times: int | None) -> int | None:
    """The first of those times that there are."""
    return min((time for time in times if time is not None), default=None)
