"""Compares lake, raw zone and ledger with an activity at the simulated Strava."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.lake import keys
from include.lake.table_object import decode
from include.pipeline.ingest.fingerprint import Fingerprint
from include.pipeline.services import Services
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.strava.models import Activity
from include.strava.stream_types import BY_KEY
from local.demo.checks import lake_holds
from local.proofs.race.race_world import ATHLETE_ID
from local.strava_simulator.world.activity import SimulatedActivity

_TABLES = ("streams", "laps", "activities")


def differences(services: Services, truth: Mapping[str, Any], activity_id: int) -> tuple[str, ...]:
    """The differences between the activity here and at Strava, in words; `truth` is Strava's."""
    entry = services.state.activities.get(ATHLETE_ID, activity_id)
    if entry is None:
        return ("the ledger has no row",)
    if truth["deleted"]:
        return tuple(_leftovers(services, entry))
    activity = Activity.parse(truth["detail"])
    return (
        *_ledger_differences(entry, activity, len(truth["streams"]["time"]["data"])),
        *_lake_differences(services, entry, SimulatedActivity(truth["detail"], truth["streams"])),
        *_raw_differences(services, activity, truth["streams"]),
    )


def held(services: Services) -> dict[int, set[str]]:
    """Every activity with data in the lake or the raw zone, with the keys of the objects that contain it."""
    found: dict[int, set[str]] = {}
    for key, rows in _objects(services):
        for activity_id in pc.unique(rows["activity_id"]).to_pylist():
            found.setdefault(activity_id, set()).add(key)
    for key in services.lake.objects.list(f"raw/athlete_id={ATHLETE_ID}/"):
        found.setdefault(int(key.rpartition("/")[2].partition(".")[0]), set()).add(key)
    return found


def _objects(services: Services) -> Iterator[tuple[str, pa.Table]]:
    for table in _TABLES:
        for key in services.lake.objects.list(f"{table}/athlete_id={ATHLETE_ID}/"):
            stored = services.lake.objects.get(key)
            if stored is not None:
                yield key, decode(key, stored.body)


def _leftovers(services: Services, entry: LedgerEntry) -> Iterator[str]:
    if entry.state is not ActivityState.REMOVED or entry.object_keys or entry.points:
        yield f"the ledger says {entry.state} with {entry.points} points in {entry.object_keys}, Strava deleted it"
    for key in sorted(held(services).get(entry.activity_id, ())):
        yield f"{key} still holds it"


def _ledger_differences(entry: LedgerEntry, activity: Activity, points: int) -> Iterator[str]:
    expected = (ActivityState.SYNCED, str(Fingerprint.of(activity)), points, None)
    found = (entry.state, entry.fingerprint, entry.points, entry.next_try_epoch_s)
    if found != expected:
        yield f"the ledger says {found}, by Strava it is {expected}"


def _lake_differences(services: Services, entry: LedgerEntry, truth: SimulatedActivity) -> Iterator[str]:
    mine = {key: rows.filter(pc.equal(rows["activity_id"], truth.activity_id)) for key, rows in _objects(services)}
    mine = {key: rows for key, rows in mine.items() if rows.num_rows}
    start_at = Activity.parse(truth.detail).start_at
    streams, laps, activities = (
        make(ATHLETE_ID, start_at) for make in (keys.streams_key, keys.laps_key, keys.activities_key)
    )
    if not set(mine) == set(entry.object_keys) == {streams, laps, activities}:
        yield f"rows are in {sorted(mine)}, the ledger says {sorted(entry.object_keys)}"
        return
    if mine[activities].num_rows != 1 or mine[laps].num_rows != len(truth.detail["laps"]):
        yield f"{mine[activities].num_rows} rows in activities, {mine[laps].num_rows} in laps"
    yield from lake_holds(truth, mine[streams].to_pylist(), mine[activities].to_pylist()[0]).differences


def _raw_differences(services: Services, activity: Activity, streams: Mapping[str, Any]) -> Iterator[str]:
    detail = services.lake.raw.detail(ATHLETE_ID, activity.activity_id)
    if detail is None or detail.fields != activity.fields:
        yield "the raw detail is missing or not Strava's last answer"
    kept = services.lake.raw.streams(ATHLETE_ID, activity.activity_id)
    if kept is None or json.loads(kept.body) != {key: streams[key] for key in BY_KEY if key in streams}:
        yield "the raw streams are missing or not Strava's last answer"
