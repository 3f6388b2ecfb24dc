"""Claims of copies on time in a child's account, so that two recordings of one outing make one activity there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, timedelta

from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Key, Store

_LONGEST_DAYS = 7
"""How many days of one recording are claimed, at most: a longer recording is a watch that was not stopped."""


@dataclass(frozen=True, slots=True)
class Outing:
    """The time span of one activity's copy."""

    parent_activity_id: int
    start_epoch_s: int
    end_epoch_s: int

    def overlaps(self, other: Outing) -> bool:
        """Whether the two share at least half of the shorter one."""
        shared_s = min(self.end_epoch_s, other.end_epoch_s) - max(self.start_epoch_s, other.start_epoch_s)
        shorter_s = min(self.end_epoch_s - self.start_epoch_s, other.end_epoch_s - other.start_epoch_s)
        return shared_s >= 0 and 2 * shared_s >= shorter_s


class Outings:
    """The copies that claim a day of each child's account, in the order of their claims.

    A claim is written before a file is sent, under a condition on the day's row, and every claim writes: so one of two
    workers sees the other's claim. Days are claimed in order, so the copy that is first on the first shared day stays
    first. Claims of copies that were not made are dropped when the next one is written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, child_id: int, outing: Outing, is_live: Callable[[int], bool]) -> int | None:
        """The activity whose overlapping copy is first; None when this one is.

        `is_live` says whether an activity's copy to the child was made or may still be made.
        Effects: stores the claim; a later claim of the same activity keeps its place.
        """
        rivals = (self._claim(child_id, day, outing, is_live) for day in _days(outing))
        return next((rival for rival in rivals if rival is not None), None)

    def overlapping(self, child_id: int, parent_activity_id: int, start_epoch_s: int) -> set[int]:
        """The other activities that claim the same time; none if this one has no claim."""
        claims, _ = self._read(_key(child_id, _day(start_epoch_s)))
        own = next((claim for claim in claims if claim.parent_activity_id == parent_activity_id), None)
        if own is None:
            return set()
        lines = (self._read(_key(child_id, day))[0] for day in _days(own))
        rivals = {claim.parent_activity_id for line in lines for claim in line if claim.overlaps(own)}
        return rivals - {parent_activity_id}

    def forget(self, child_id: int, parent_activity_id: int, start_epoch_s: int) -> None:
        """Drop the claims of one activity. Safe to repeat."""
        first = _day(start_epoch_s)
        for days in reversed(range(_LONGEST_DAYS + 1)):
            self._drop(_key(child_id, first + timedelta(days=days)), parent_activity_id)

    def of_child(self, child_id: int) -> int:
        """The number of days on which the child's account has a claim."""
        return sum(1 for _ in self._store.query("outings", str(child_id)))

    @retry_on_conflict
    def forget_child(self, child_id: int) -> None:
        """Drop every claim of the child's account. Safe to repeat."""
        for item in list(self._store.query("outings", str(child_id))):
            self._store.delete(item.key, expected_version=item.version)

    @retry_on_conflict
    def _claim(self, child_id: int, day: date, outing: Outing, is_live: Callable[[int], bool]) -> int | None:
        claims, version = self._read(_key(child_id, day))
        own = outing.parent_activity_id
        line = [claim for claim in claims if claim.parent_activity_id == own or is_live(claim.parent_activity_id)]
        places = [place for place, claim in enumerate(line) if claim.parent_activity_id == own]
        if not places:
            line.append(outing)
        self._write(_key(child_id, day), line, version)
        ahead = line[: places[0]] if places else line[:-1]
        return next((claim.parent_activity_id for claim in ahead if claim.overlaps(outing)), None)

    @retry_on_conflict
    def _drop(self, key: Key, parent_activity_id: int) -> None:
        claims, version = self._read(key)
        kept = [claim for claim in claims if claim.parent_activity_id != parent_activity_id]
        if not kept:
            self._store.delete(key, expected_version=version)
        elif len(kept) < len(claims):
            self._write(key, kept, version)

    def _read(self, key: Key) -> tuple[list[Outing], int]:
        item = self._store.get(key)
        return ([Outing(*claim) for claim in item.fields["claims"]], item.version) if item else ([], ABSENT)

    def _write(self, key: Key, claims: list[Outing], version: int) -> None:
        fields = {"claims": [list(astuple(claim)) for claim in claims]}
        self._store.put(key, fields, expected_version=version)


def _days(outing: Outing) -> list[date]:
    first = _day(outing.start_epoch_s)
    last = min(_day(outing.end_epoch_s), first + timedelta(days=_LONGEST_DAYS))
    return [first + timedelta(days=days) for days in range((last - first).days + 1)]


def _day(epoch_s: int) -> date:
    return datetime.fromtimestamp(epoch_s, UTC).date()


def _key(child_id: int, day: date) -> Key:
    return Key("outings", str(child_id), day.isoformat())
