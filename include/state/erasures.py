"""Who is being erased, or was lately: while the row stands, nobody may write for that athlete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from include.clock import Clock
from include.state.conflict import retry_on_conflict
from include.state.store import ABSENT, Item, Key, Store

KEPT_S = 30 * 86_400
"""How long the row of a finished erasure stands: longer than anything that was under way then can take."""

_KIND = "erasure"


class ErasureStage(StrEnum):
    """How far an erasure has come."""

    UNDER_WAY = "under_way"
    FINISHED = "finished"
    LIFTED = "lifted"
    """The athlete has connected again since: writing is right again."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One athlete's erasure: an id and times, nothing else."""

    athlete_id: int
    reason: str
    began_at_epoch_s: int
    """Tells the erasures of one athlete apart: each begins later than the one before."""
    stage: ErasureStage
    version: int = ABSENT

    @property
    def forbids_writing(self) -> bool:
        """Whether nothing may be written for the athlete."""
        return self.stage is not ErasureStage.LIFTED


class Erasures:
    """The barrier that keeps a late worker from bringing back what is erased.

    A worker writes first (its lease), then looks here, and takes back what it wrote where an erasure stands. The
    erasure puts its row up first, then looks for what was written. Whichever comes first, one of the two sees it.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, athlete_id: int) -> Erasure | None:
        """The athlete's last erasure of the last 30 days, or one that is under way; else None."""
        item = self._store.get(_key(athlete_id))
        return _erasure(item) if item else None

    def forbid_writing(self, *athlete_ids: int) -> bool:
        """Whether nothing may be written for one of the athletes."""
        erasures = map(self.get, athlete_ids)
        return any(erasure is not None and erasure.forbids_writing for erasure in erasures)

    def all(self) -> Iterator[Erasure]:
        """Every erasure of the last 30 days, and those under way; for finding, re-read before deciding."""
        return map(_erasure, self._store.find("erasures", "all", _KIND))

    def begin(self, athlete_id: int, reason: str) -> Erasure:
        """Put the barrier up and return the erasure; one that is under way is joined.

        Errors: `VersionConflict` when another run began or ended one meanwhile: decide again whether to begin.
        """
        present = self.get(athlete_id)
        if present is not None and present.stage is ErasureStage.UNDER_WAY:
            return present
        now = int(self._clock())
        began_at = max(now, present.began_at_epoch_s + 1) if present else now
        version = present.version if present else ABSENT
        return self._put(Erasure(athlete_id, reason, began_at, ErasureStage.UNDER_WAY, version))

    @retry_on_conflict
    def finish(self, seen: Erasure) -> None:
        """Note that nothing is left. Effects: safe to repeat; an erasure that began later stays as it is."""
        present = self.get(seen.athlete_id)
        if present is None or present.began_at_epoch_s != seen.began_at_epoch_s:
            return
        if present.stage is ErasureStage.UNDER_WAY:
            self._put(replace(present, stage=ErasureStage.FINISHED))

    @retry_on_conflict
    def lift(self, athlete_id: int) -> None:
        """Let writing begin again, for an athlete who has connected; safe to repeat."""
        present = self.get(athlete_id)
        if present is not None and present.forbids_writing:
            self._put(replace(present, stage=ErasureStage.LIFTED))

    def _put(self, erasure: Erasure) -> Erasure:
        is_over = erasure.stage is not ErasureStage.UNDER_WAY
        version = self._store.put(
            _key(erasure.athlete_id),
            _fields(erasure),
            expected_version=erasure.version,
            expires_at_epoch_s=int(self._clock()) + KEPT_S if is_over else None,
        )
        return replace(erasure, version=version)


def _key(athlete_id: int) -> Key:
    return Key("erasures", str(athlete_id))


def _fields(erasure: Erasure) -> dict[str, Any]:
    return {
        "kind": _KIND,
        "athlete_id": erasure.athlete_id,
        "reason": erasure.reason,
        "began_at_epoch_s": erasure.began_at_epoch_s,
        "stage": str(erasure.stage),
    }


def _erasure(item: Item) -> Erasure:
    fields = item.fields
    return Erasure(
        fields["athlete_id"],
        fields["reason"],
        fields["began_at_epoch_s"],
        ErasureStage(fields["stage"]),
        item.version,
    )
