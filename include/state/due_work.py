"""Work that is due for a row, and when."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

from include.store.codec import stored


@dataclass(frozen=True, slots=True)
class DueWork:
    """Work that is due for an activity, apart from the activity's own next try."""

    of: int
    """The event time or the lease's fence that set it; only the same or a later one clears it."""
    due_at_epoch_s: int
    """When reconcile queues it."""


MARK = stored(
    read=lambda pair: DueWork(*pair) if pair else None, write=lambda mark: list(astuple(mark)) if mark else None
)
"""Metadata of a field with due work: it is stored as a pair."""


def put_off(mark: DueWork | None, now_epoch_s: float, until_epoch_s: int) -> DueWork | None:
    """The work, due at `until_epoch_s` if it is due now; otherwise unchanged."""
    return replace(mark, due_at_epoch_s=until_epoch_s) if mark and mark.due_at_epoch_s <= now_epoch_s else mark


def earliest(*times: int | None) -> int | None:
    """The earliest of the given times; None without any."""
    return min((time for time in times if time is not None), default=None)
