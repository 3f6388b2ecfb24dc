"""What the athletes may expect after a crash, and a check whether the whole system fulfils it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow.compute as pc

from include.lake.table_object import decode
from include.pipeline.erasure.certificate import last_certificate
from include.pipeline.erasure.personal_records import all_shared_object_keys, count_by_kind, personal_records
from include.pipeline.ingest.fingerprint import Fingerprint
from include.pipeline.services import Services
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import CopyState, Original
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, ErasureStage
from include.strava.models import Activity
from local.testbed.world import PARENT_ID, World

_TABLES = ("activities", "laps", "streams")


@dataclass(frozen=True, slots=True)
class Expectations:
    """What the athletes may expect of the system, whichever process dies."""

    activities: tuple[int, ...] = ()
    """The parent's activities that the system was told of: the lake agrees with Strava about each."""
    copies: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Which activities each child has one copy of; the child's account holds nothing else."""
    erased: tuple[int, ...] = ()


def violations(world: World, expected: Expectations) -> tuple[str, ...]:
    """Everything that is lost, duplicated, left over or still due, in words; empty where all is well."""
    services = world.services
    found = [fault for activity_id in expected.activities for fault in _of_activity(world, activity_id)]
    for child_id, activity_ids in expected.copies.items():
        found += _of_child(world, child_id, activity_ids, is_recorded=PARENT_ID not in expected.erased)
    for athlete_id in expected.erased:
        found += _of_erased(services, athlete_id)
    return (*found, *_left(services))


def _of_activity(world: World, activity_id: int) -> Iterator[str]:
    services, truth = world.services, world.control.activity(activity_id)
    entry = services.state.activities.get(PARENT_ID, activity_id)
    rows = _rows(services, activity_id)
    if entry is None:
        yield f"the ledger has no row of {activity_id}"
    elif truth["deleted"]:
        if (
            entry.state is not ActivityState.REMOVED
            or any(rows.values())
            or services.lake.raw.detail(PARENT_ID, activity_id)
        ):
            yield f"{activity_id} is deleted at Strava, here it is {entry.state} with rows {rows}"
    else:
        activity, points = Activity.parse(truth["detail"]), len(truth["streams"]["time"]["data"])
        expected = (ActivityState.SYNCED, str(Fingerprint.of(activity)), points)
        if (entry.state, entry.fingerprint, entry.points) != expected:
            yield f"the ledger says {entry.state} of {activity_id} with {entry.points} points: {entry.reason}"
        if (rows["activities"], rows["streams"]) != (1, points):
            yield f"{activity_id} has rows {rows} in the lake and {points} points at Strava"
        stored = services.lake.raw.detail(PARENT_ID, activity_id)
        if stored is None or stored.name != activity.name:
            yield f"the raw answer of {activity_id} is missing or old"


def _rows(services: Services, activity_id: int) -> dict[str, int]:
    """How many rows of the activity each table holds."""
    found = dict.fromkeys(_TABLES, 0)
    for table in _TABLES:
        for key in services.lake.objects.list(f"{table}/athlete_id={PARENT_ID}/"):
            stored = services.lake.objects.get(key)
            if stored is not None:
                ids = decode(key, stored.body)["activity_id"]
                found[table] += pc.sum(pc.equal(ids, activity_id)).as_py() or 0
    return found


def _of_child(world: World, child_id: int, activity_ids: tuple[int, ...], *, is_recorded: bool) -> Iterator[str]:
    services, there = world.services, world.control.activity_ids(child_id)
    if len(there) != len(activity_ids):
        yield f"child {child_id} has {len(there)} activities of {len(activity_ids)}"
    for activity_id in activity_ids:
        copy = services.state.copies.get(activity_id, child_id)
        if not is_recorded:
            if copy is not None:
                yield f"the copy of {activity_id} outlives its athlete's erasure"
        elif copy is None or copy.state is not CopyState.DONE or copy.child_activity_id not in there:
            yield f"the copy of {activity_id} to {child_id} is {copy.state if copy else 'unknown'}"
        elif (copy.original is Original.DELETED) is not world.control.activity(activity_id)["deleted"]:
            yield f"the copy of {activity_id} to {child_id} says that its original is {copy.original}"


def _of_erased(services: Services, athlete_id: int) -> Iterator[str]:
    now_epoch_s = int(services.clock())
    erasure = services.state.erasures.get(athlete_id)
    if erasure is None or erasure.stage is not ErasureStage.FINISHED:
        yield f"the erasure of {athlete_id} is {erasure.stage if erasure else 'unknown'}"
    asked = erasure or Erasure.first(athlete_id, ErasureGrounds(EraseReason.OPERATOR, now_epoch_s), now_epoch_s)
    left = count_by_kind(services, personal_records(services, asked, all_shared_object_keys(services, athlete_id)))
    if left or services.state.athletes.get(athlete_id) is not None:
        yield f"of erased {athlete_id} there are still {left}"
    if last_certificate(services.lake.objects, athlete_id) is None:
        yield f"the erasure of {athlete_id} has no certificate"


def _left(services: Services) -> Iterator[str]:
    for entry in services.state.activities.due(float("inf")):
        yield f"{entry.activity_id} is still due at {entry.due_at_epoch_s}: {entry.state} {entry.reason}"
    for copy in services.state.copies.due(float("inf")):
        yield f"the copy of {copy.parent_activity_id} to {copy.child_id} is still due: {copy.state} {copy.reason}"
    for erasure in services.state.erasures.all():
        if erasure.is_open:
            yield f"the erasure of {erasure.athlete_id} is still {erasure.stage}"
    for history in services.state.histories.open(float("inf")):
        yield f"the history of {history.athlete_id} is still open: {history.reason}"
    if waiting := services.queue.depth():
        yield f"{waiting} messages wait"
    if buried := services.queue.dead():
        yield f"{len(buried)} dead letters: {buried[0][1]}"
    if stale := services.lake.copy_rows.repair([PARENT_ID]):
        yield f"{stale} rows of copies in the lake are not what the ledger says"
