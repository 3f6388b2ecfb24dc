"""Notices on an athlete's own page: erasures of linked athletes, and withdrawn erasures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from include.clock import Clock
from include.errors import VersionConflict
from include.state.erasures.entry import Erasure
from include.store.codec import NOT_STORED, decode, encode
from include.store.store import ABSENT, Key, Store

KEPT_S = 30 * 86_400


class NoticeKind(StrEnum):
    """What happened."""

    CHILD_ERASED = "child_erased"
    """A child of the athlete was erased: the link has ended."""
    PARENT_ERASED = "parent_erased"
    """A parent of the athlete was erased: the link has ended."""
    ERASURE_WITHDRAWN = "erasure_withdrawn"
    """The athlete asked to be erased and connected again before it began: nothing was erased."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice; it names no other athlete."""

    athlete_id: int = field(metadata=NOT_STORED)
    """The athlete who reads it."""
    notice_id: str = field(metadata=NOT_STORED)
    """The same at every retry, so that no notice appears twice."""
    kind: NoticeKind
    happened_at_epoch_s: int

    @classmethod
    def of_withdrawn(cls, erasure: Erasure) -> Self:
        """The notice that connecting again has withdrawn the erasure request."""
        kind, began_at_epoch_s = NoticeKind.ERASURE_WITHDRAWN, erasure.began_at_epoch_s
        return cls(erasure.athlete_id, f"{kind}.{began_at_epoch_s}", kind, began_at_epoch_s)


class Notices:
    """Every notice of the last 30 days."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def save(self, notice: Notice) -> None:
        """Store the notice for 30 days; safe to repeat."""
        try:
            self._store.put(
                _key(notice.athlete_id, notice.notice_id),
                encode(notice),
                expected_version=ABSENT,
                expires_at_epoch_s=int(self._clock()) + KEPT_S,
            )
        except VersionConflict:
            return  # stored before

    def of_athlete(self, athlete_id: int) -> Iterator[Notice]:
        """The athlete's notices, in no meaningful order."""
        for item in self._store.query("notices", str(athlete_id)):
            yield decode(Notice, item.fields, athlete_id=athlete_id, notice_id=item.key.sort)

    def forget(self, athlete_id: int) -> int:
        """Remove every notice to the athlete; returns their number. Safe to repeat."""
        items = list(self._store.query("notices", str(athlete_id)))
        for item in items:
            self._store.delete(item.key, expected_version=item.version)
        return len(items)


def _key(athlete_id: int, notice_id: str) -> Key:
    return Key("notices", str(athlete_id), notice_id)
