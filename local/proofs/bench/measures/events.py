"""The rows about an event's way through the system of `make up`, with Airflow."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from include.lake.query import query
from local.demo.scenario import PARENT_ID
from local.proofs.bench.claim import Bound, Claim, spread
from local.proofs.bench.journey import Journey
from local.proofs.bench.scale import Scale
from local.proofs.stack.catalogue import settled
from local.proofs.stack.family import happened_epoch_s
from local.proofs.stack.shared_stack import SharedStack, await_idle, stack_with_family

_DAG = "strava_ingest"
_POINTS = 3_600
_ROWS = "SELECT * FROM streams WHERE athlete_id = {athlete_id} AND activity_id = {activity_id} ORDER BY point_index"
_PATIENCE_S = 120


def event_to_lake(scale: Scale, _directory: Path) -> Sequence[Claim]:
    """From Strava's request to the rows in the lake, and the four parts of it.

    The parts are those of the event that took the median time, so they add up to the whole; their spreads are over all
    events. One event is under way at a time, as in quiet times.
    """
    journeys = _journeys(scale.followed)
    typical = journeys[len(journeys) // 2]

    def part(name: str, seconds: Callable[[Journey], float], *, at_most: float) -> Claim:
        spread_s = spread([seconds(journey) for journey in journeys])
        return Claim(
            f"event_to_lake.{name}", "s", seconds(typical), seconds(typical), spread_s, Bound("≤", at_most, "s")
        )

    return [
        Claim.bounded("event_to_lake", "s", [journey.to_lake_s for journey in journeys], at_most=5),
        part("webhook", lambda journey: journey.webhook_s, at_most=0.2),
        part("queue", lambda journey: journey.queue_s, at_most=1),
        part("airflow", lambda journey: journey.airflow_s, at_most=3),
        Claim(
            "event_to_lake.own_work",
            "s",
            typical.own_work_s,
            typical.own_work_s / typical.to_lake_s,
            spread([journey.own_work_s / journey.to_lake_s for journey in journeys]),
            Bound("≤", 0.6, of="ours / event_to_lake"),
            typical.to_lake_s,
        ),
    ]


def event_to_sql(scale: Scale, _directory: Path) -> Sequence[Claim]:
    """From Strava's request to the answer of a query for the activity's rows, asked as soon as the ledger has it."""
    return [
        Claim.bounded("event_to_sql", "s", [journey.to_sql_s for journey in _journeys(scale.followed)], at_most=5.5)
    ]


@cache
def _journeys(count: int) -> Sequence[Journey]:
    """The journeys of that many events on one running system, the shortest first; both rows are about the same ones."""
    with stack_with_family() as shared:
        await_idle(shared)  # Airflow starts the night that a new system has missed
        _, *journeys = [_follow(shared, number) for number in range(count + 1)]  # the first one finds nothing cached
    return sorted(journeys, key=lambda journey: journey.to_lake_s)


def _follow(shared: SharedStack, number: int) -> Journey:
    """One event's journey, after everything that it started has ended."""
    family, state_dir, began_epoch_s = shared.family, shared.stack.state_dir, time.time()
    activity_id = family.finish(number, _POINTS)
    happened_epoch_s([activity_id], family.is_loaded, _PATIENCE_S)
    entry = family.activities.get(PARENT_ID, activity_id)
    if entry is None:
        raise LookupError(f"activity {activity_id} was just loaded, and is not in the ledger")
    stored_epoch_s = max((state_dir.lake / key).stat().st_ctime for key in entry.object_keys)
    query_s = _query_s(shared.stack.settings.lake_url, activity_id)
    await_idle(shared)
    settled(began_epoch_s, shared)  # the catalogue's run would delay the next event
    (delivery,) = (each for each in family.control.deliveries() if _names(each["event"], activity_id))
    (run,) = (each for each in shared.operator.runs(_DAG) if _names(each["conf"]["events"][0], activity_id))
    return Journey.of(
        delivery=delivery,
        run=run,
        logs=state_dir.airflow / "logs",
        stored_epoch_s=stored_epoch_s,
        query_s=query_s,
    )


def _query_s(lake_url: str, activity_id: int) -> float:
    began_s = time.perf_counter()
    rows = query(_ROWS.format(athlete_id=PARENT_ID, activity_id=activity_id), lake_url)
    took_s = time.perf_counter() - began_s
    if rows.num_rows != _POINTS:
        raise AssertionError(f"the query answers {rows.num_rows} of {_POINTS} rows; nothing is measured")
    return took_s


def _names(event: dict[str, Any], activity_id: int) -> bool:
    return bool(event["object_id"] == activity_id)
