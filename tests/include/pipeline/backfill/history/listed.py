"""A history whose activities are listed and wait to be loaded, on one machine without Strava."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

from include.lake.table_object import decode
from include.pipeline.backfill.history import keys
from include.pipeline.backfill.loading import ChunkLoaded, load
from include.pipeline.services import Services
from include.state.activities.entry import NOT_LOADED
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.histories import History
from include.strava.models import Activity, StreamSet
from tests.include.pipeline.backfill.history.shares import PARENT_ID

START_EPOCH_S = int(datetime(2026, 6, 10, 12, tzinfo=UTC).timestamp())


def streams(points: int = 4) -> StreamSet:
    """A recording of so many points."""
    return StreamSet.parse(json.dumps({"time": {"data": list(range(points))}}).encode())


def summary_row(activity_id: int, athlete_id: int = PARENT_ID, **fields: object) -> Activity:
    """A row of the athlete's list."""
    start_date = datetime.fromtimestamp(START_EPOCH_S + activity_id, UTC).isoformat()
    recording = {"sport_type": "Run", "elapsed_time": 60}
    athlete = {"id": athlete_id}
    return Activity.parse({"id": activity_id, "athlete": athlete, "start_date": start_date, **recording, **fields})


@dataclass(slots=True)
class Installation:
    """The services, and what Strava was asked for."""

    services: Services
    strava: Mock
    push: Mock

    @property
    def now_epoch_s(self) -> int:
        return int(self.services.clock())

    def list(self, *rows: Activity, athlete_id: int = PARENT_ID) -> History:
        """A history whose list, requested now, showed these rows, newest first."""
        for row in rows:
            self.services.lake.raw.put_summary(row)
        ids = tuple(row.activity_id for row in rows)
        asked = History(athlete_id, 0, 9_000, dry_run=False, asked_at_epoch_s=1, before_epoch_s=9_000)
        history = self.services.state.histories.ask(asked)
        assert history is not None
        listed = replace(
            history, is_listed=True, to_load=ids, lacking=len(ids), listed_at_epoch_s=float(self.now_epoch_s)
        )
        return self.services.state.histories.amend(history, lambda _: listed)

    def load(self, *histories: History) -> ChunkLoaded:
        """One chunk with everything that these histories had to load when they were listed, oldest first."""
        return load(self.services, [key for history in histories for key in keys(history)])

    def row(self, history: History) -> History:
        return self.services.state.histories.get(history.athlete_id, history.span)

    def entry(self, activity_id: int) -> LedgerEntry:
        return self.services.state.activities.get(PARENT_ID, activity_id)

    def enter(self, activity_id: int, **values: object) -> LedgerEntry:
        """An entry of the activity that an earlier run has left, of a listing at this time."""
        lease = self.services.state.activities.acquire(PARENT_ID, activity_id)
        unknown = replace(lease.entry or LedgerEntry.unknown(PARENT_ID, activity_id), reason=NOT_LOADED)
        entry = replace(unknown, state=ActivityState.PENDING, fetched_at_epoch_s=float(self.now_epoch_s), **values)
        self.services.state.activities.settle(lease, entry)
        return entry

    def due(self, at_epoch_s: float = float("inf")) -> dict[int, int]:
        """When each activity that is due by then is due."""
        return {each.activity_id: each.due_at_epoch_s for each in self.services.state.activities.due(at_epoch_s)}

    def is_free(self, activity_id: int) -> bool:
        """Whether no worker holds the activity."""
        lease = self.services.state.activities.acquire(PARENT_ID, activity_id, fresh=False)
        if lease is not None and lease.entry is not None:
            self.services.state.activities.postpone(lease, lease.entry)
        return lease is not None

    def answers(self, odd: Mapping[int, Exception | Callable[[], object]]) -> None:
        """Strava answers with a recording of four points, after doing this or raising that for an activity."""

        def answer(_athlete_id: int, activity_id: int) -> StreamSet:
            first = odd.get(activity_id)
            if isinstance(first, Exception):
                raise first
            if first is not None:
                first()
            return streams()

        self.strava.streams.side_effect = answer

    def fetched(self) -> Sequence[int]:
        """The activities whose streams were asked for, in this order."""
        return [call.args[1] for call in self.strava.streams.call_args_list]

    def in_lake(self) -> dict[int, int]:
        """The activities in the lake, each with the time of its answer."""
        return {activity_id: int(at.timestamp()) for activity_id, at in self._column("updated_at").items()}

    def originals(self) -> dict[int, int | None]:
        """The activities in the lake, each with the activity that it is a copy of."""
        return self._column("parent_activity_id")

    def _column(self, name: str) -> dict[int, Any]:
        objects = self.services.lake.objects
        rows = [
            row
            for key in objects.list("activities/")
            for row in decode(key, objects.get(key).body).select(["activity_id", name]).to_pylist()
        ]
        assert len({row["activity_id"] for row in rows}) == len(rows), "each is there once"
        return {row["activity_id"]: row[name] for row in rows}
