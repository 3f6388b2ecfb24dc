"""Each kind of work, run once through the use cases that its DAG's tasks call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from include.pipeline.catalog import is_crawl_due, register_waiting
from include.pipeline.chunks import ATHLETES, in_chunks, size_for
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.erasure.erase import EraseRequest, erase
from include.pipeline.erasure.watch import remove_late_records, remove_late_records_everywhere
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import list_athletes, queue_due
from include.pipeline.retention.audit import athlete_ids
from include.pipeline.retention.night import check
from include.pipeline.services import Services
from include.state.erasures.ledger import EraseReason
from include.strava.events import WebhookEvent
from include.strava.quota import WINDOW_S
from local.proofs.scale.counting import Counts, Kind
from local.proofs.scale.installation import CHILD_NAME, counted, installation_of
from local.testbed.world import PARENT_ID, World

INGEST_TASKS, INGEST_TASKS_OF_A_CHUNK = 3, 2
NIGHT_TASKS, NIGHT_TASKS_OF_A_CHUNK = 6, 1
RECONCILE_TASKS = 8
ERASE_TASKS = 2
CATALOG_TASKS = 3
"""On AWS; one of them is the crawler's, which runs once in `CRAWL_EVERY_H` hours."""

_RETENTION_DAYS = 7


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of work, and a function that does it."""

    name: str
    what: str
    run: Callable[[World, Services], int]
    """Returns the count of task instances that Airflow keeps of it."""


def count(folder: Path, athletes: int) -> Mapping[str, Counts]:
    """The usage of each workload in an installation with that many athletes, created in the empty `folder`."""
    found: dict[str, Counts] = {}
    with installation_of(folder, athletes) as world:
        for workload in WORKLOADS:
            counts: Counts = Counter()
            counts[Kind.TASKS] = workload.run(world, counted(world, counts))
            found[workload.name] = counts
    return found


def _event(world: World, services: Services) -> int:
    activity_id = world.finish(PARENT_ID, f"With {CHILD_NAME}")
    event = WebhookEvent("activity", activity_id, "create", PARENT_ID, 1, int(world.clock()), {})
    items = plan(services, [event])
    for item in items:
        sync(services, item, source="webhook")
        copy_to_children(services, item.athlete_id, item.activity_id)
    return INGEST_TASKS + INGEST_TASKS_OF_A_CHUNK * len(in_chunks(items, size_for(len(items))))


def _reconcile(world: World, services: Services) -> int:
    world.clock.advance(WINDOW_S)
    queue_due(services)
    list_athletes(services, world.settings)
    remove_late_records(services)
    return RECONCILE_TASKS


def _night(_: World, services: Services) -> int:
    chunks = in_chunks(athlete_ids(services), ATHLETES)
    for chunk in chunks:
        check(services, chunk, _RETENTION_DAYS, dry_run=False)
    services.lake.copy_rows.repair([athlete.athlete_id for athlete in services.state.athletes.all()])
    remove_late_records_everywhere(services)
    return NIGHT_TASKS + NIGHT_TASKS_OF_A_CHUNK * len(chunks)


def _catalogue(world: World, services: Services) -> int:
    register_waiting(services)
    is_crawl_due(services, world.settings, is_asked_for=False)
    return CATALOG_TASKS


def _erasure(world: World, services: Services) -> int:
    settings = world.settings
    erase(services, EraseRequest(PARENT_ID, EraseReason.ATHLETE), settings)
    return ERASE_TASKS


WORKLOADS = (
    Workload("event", "an event reports one activity, which is fetched, stored and copied to a child", _event),
    Workload("catalogue", "one run: the changed partitions are registered, and the crawler is due", _catalogue),
    Workload("reconcile", "one run: due work is queued, and the activities of due athletes are listed", _reconcile),
    Workload("night", "one run: every athlete's lake is compared with the ledger, and expired data is deleted", _night),
    Workload("erasure", "one athlete is erased", _erasure),
)
"""In the order in which they run."""
