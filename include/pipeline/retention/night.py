"""`strava_retention`: audits a chunk of athletes and deletes their expired data."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from include.pipeline.chunks import process_each
from include.pipeline.retention.audit import audit
from include.pipeline.retention.expiry import expire
from include.pipeline.uses import UsesStorage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a chunk's audit found and deleted, summed up."""

    counts: dict[str, int]
    waiting: tuple[str, ...]
    """Why athletes could not be checked, by athlete; they are left to the next night."""

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {**self.counts, "left": len(self.waiting)}


def check(services: UsesStorage, athletes: Sequence[int], days: int | None, *, dry_run: bool) -> Checked:
    """Compare each athlete's lake with the ledger, then delete what was fetched `days` ago or longer.

    Errors: the first fault, if no athlete could be checked; otherwise those are left to the next night; `WorkBroken`
    for a defect, once all others are checked.
    Effects: as of `audit` and `expire`; safe to repeat.
    """

    def of_athlete(athlete_id: int) -> dict[str, int]:
        audited = audit(services, athlete_id, dry_run=dry_run)
        for message in audited.unreadable:
            log.error(message)
        expired = expire(services, athlete_id, days, dry_run=dry_run)
        return {"athletes": 1, **audited.to_json(), **expired.counts}

    worked = process_each(athletes, of_athlete)
    worked.confirm()
    counts: Counter[str] = Counter()
    for each in worked.done.values():
        counts.update(each)
    return Checked(dict(counts), worked.waiting)
