"""Something that is left to do for a row, and when."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

from include.store.codec import stored


@dataclass(frozen=True, slots=True)
class DueWork:
    """Something that is left to do for an activity beside its own next try, and when reconcile takes it up."""

    of: int
    """What set it, and alone may clear it: the time of an event, or the fence of a lease."""
    due_at_epoch_s: int


MARK = stored(
    read=lambda pair: DueWork(*pair) if pair else None, write=lambda mark: list(astuple(mark)) if mark else None
)
"""Metadata of a field that holds a mark: it is stored as a pair."""


def put_off(mark: DueWork | None, now_epoch_s: float, until_epoch_s: int) -> DueWork | None:
    """The mark that is due at `until_epoch_s` where it was due by now, and as it is otherwise."""
    return replace(mark, due_at_epoch_s=until_epoch_s) if mark and mark.due_at_epoch_s <= now_epoch_s else mark


def earliest(*times: int | None) -> int | None:
    """The first of those times that there are."""
    return min((time for time in times if time is not None), default=None)
