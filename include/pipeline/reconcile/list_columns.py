"""Updates the columns that Strava's lists show from the lists, at no call."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from include.errors import ObjectConflict, RetryLater, UnexpectedShape
from include.lake.keys import partition_of
from include.lake.rows.list_update import is_corrected, row_from_list
from include.lake.schemas import ACTIVITIES
from include.pipeline.ingest.events import CLOCK_SKEW_S
from include.pipeline.ingest.fingerprint import is_old_format
from include.pipeline.uses import UsesStorage
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.state import UsesState
from include.strava.models import Activity

log = logging.getLogger(__name__)

_STORED = (ActivityState.SYNCED, ActivityState.NO_STREAMS)


@dataclass(frozen=True, slots=True)
class ListedRows:
    """The rows of an athlete's list, and when it was asked for."""

    athlete_id: int
    listed_at_epoch_s: float
    rows: Sequence[Activity] = field(repr=False)


def update_from_list(
    services: UsesStorage, shown: ListedRows, ledger: Mapping[int, LedgerEntry], *, looked_at: Collection[int]
) -> list[int]:
    """Update stored rows from the list, except those of activities that are fetched anyway.

    Returns further activities to fetch: those whose fingerprint an older version took, which does not cover a corrected
    recording.

    A row is updated only from a list that is newer than its fetch, while no worker holds it; a row that was removed
    meanwhile does not come back. The ledger and the catalogue stay as they are: no partition is new.
    Effects: writes each differing object once; after a conflict or a fault the next list updates it.
    """
    by_key: dict[str, list[Activity]] = defaultdict(list)
    for row in shown.rows:
        entry = ledger.get(row.activity_id)
        if entry is not None and row.activity_id not in looked_at and _may_follow(entry, shown):
            for key in entry.object_keys:
                if partition_of(key).table == "activities":
                    by_key[key].append(row)
    corrected = dict[int, None]()
    for key, rows in sorted(by_key.items()):
        try:
            services.lake.tables.amend(key, _Change(services, shown, rows, corrected).of)
        except (ObjectConflict, RetryLater, UnexpectedShape) as fault:
            log.warning("%s is updated from the next list of athlete %s: %s", key, shown.athlete_id, fault)
    return list(corrected)


@dataclass(frozen=True, slots=True)
class _Change:
    """The changes that the list makes in one object."""

    services: UsesState
    shown: ListedRows
    rows: Sequence[Activity]
    corrected: dict[int, None]
    """Receives the activities whose recording was corrected since an older version stored it."""

    def of(self, stored: pa.Table) -> list[pa.Table]:
        """The differing rows, as the list has them."""
        listed = {row.activity_id: row for row in self.rows}
        changed = []
        for row in stored.filter(pc.is_in(stored["activity_id"], pa.array(listed, pa.int64()))).to_pylist():
            activity = listed[row["activity_id"]]
            after = row_from_list(row, activity, self.shown.listed_at_epoch_s)
            if after is None and not is_corrected(row, activity):
                continue
            # Checked after the object was read: the object is written only if it is unchanged since.
            entry = self.services.state.activities.at_rest(self.shown.athlete_id, activity.activity_id)
            if entry is None or not _may_follow(entry, self.shown):
                continue
            if is_old_format(entry.fingerprint) and is_corrected(row, activity):
                self.corrected[activity.activity_id] = None
            elif after is not None:
                changed.append(pa.Table.from_pylist([after], schema=ACTIVITIES))
        return changed


def _may_follow(entry: LedgerEntry, shown: ListedRows) -> bool:
    if entry.state not in _STORED or entry.due_at_epoch_s is not None or entry.fetched_at_epoch_s is None:
        return False
    return entry.fetched_at_epoch_s + CLOCK_SKEW_S < shown.listed_at_epoch_s
