"""# Strava backfill

Loads an athlete's history into the lake: list pages of 200, then one streams call for each activity.

**Starts**: an operator, with the form; and every quarter of an hour, to go on with the histories that are under way.
Begin with *dry run*: it lists (one call for each 200 activities), says what it would load and what that costs, and
changes nothing.

**Reads**: Strava (`GET /athlete/activities`, streams).
**Writes**: the ledger `histories`, raw zone, `streams`, `activities` of the lake, the ledger `activities`. Activities
that are in the lake but were edited since are queued for `strava_ingest`.

**Kind**: interval. A history is a row: a run takes it a share further (1,000 activities), the next run goes on from
there, whatever became of this one. Asking for the same days again costs no call for what is in the lake.

**Limits**: 1.005 read calls an activity. It leaves a tenth of Strava's quota to live work; when the rest is spent, the
run ends green and a later one goes on. Athletes take turns.

**If it fails**: nobody but the operator notices; nothing is lost.

**Owner**: data-engineering.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import pendulum
from airflow.sdk import CronTriggerTimetable, Param, TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook
from strava_airflow.publishing import publish
from strava_airflow.verdict import confirm_run

log = logging.getLogger(__name__)

_DAY = {"type": ["null", "string"], "format": "date"}

PARAMS = {
    "athlete": Param(
        default=None,
        type=["null", "integer"],
        minimum=1,
        title="Athlete",
        description_md="Strava's id of the athlete; without one the run goes on with what is under way.",
    ),
    "from": Param(default=None, title="From", description_md="First day of the history, UTC.", **_DAY),
    "to": Param(default=None, title="To", description_md="Last day of the history, UTC, included.", **_DAY),
    "dry_run": Param(
        default=True,
        type="boolean",
        title="Dry run",
        description_md="Only list, and say what would be loaded at how many calls.",
    ),
}


@task
def list_activities(params: dict) -> dict:
    """Take the history that the form names, or those under way, a share further; returns how far they have come."""
    from include.pipeline.backfill import BackfillRequest, ask, go_on, summary, take_share

    with StravaHook().services(priority="BACKFILL") as services:
        if params["athlete"] is None:
            shares = go_on(services)
        else:
            shares = [take_share(services, ask(services, BackfillRequest.from_params(params)))]
        summaries = [summary(history, services.clock()) for history in shares]
    for history, each in zip(shares, summaries, strict=True):
        log.info("The history of athlete %s: %s", history.athlete_id, each)
    rows = [[history.athlete_id, history.span] for history in shares]
    return {**(summaries[0] if len(summaries) == 1 else {"histories": len(rows)}), "rows": rows}


@task
def choose_chunks(listed: dict, params: dict) -> list[list[list]]:
    """The activities to load, in chunks; none in a dry run."""
    from include.pipeline.backfill import keys
    from include.pipeline.chunks import ACTIVITIES, in_chunks

    if params["athlete"] is not None and params["dry_run"]:
        raise AirflowSkipException(f"Dry run: {listed['to_load']} to load, {listed['read_calls']} read calls.")
    with StravaHook().services(priority="BACKFILL") as services:
        found = [services.histories.get(athlete_id, span) for athlete_id, span in listed["rows"]]
    return in_chunks([key for row in found if row for key in keys(row)], ACTIVITIES, owner=lambda key: key[:2])


@task(map_index_template="{{ chunk }}", max_active_tis_per_dagrun=2)
def load_chunk(keys: list[list]) -> dict:
    """Load one chunk of activities into the lake."""
    from include.pipeline.chunks import label
    from include.pipeline.loading import load

    context, names = get_current_context(), [activity_id for _, _, activity_id in keys]
    context["chunk"] = label(names, "activities")
    with StravaHook().services(priority="BACKFILL") as services:
        loaded = load(services, [tuple(key) for key in keys])
    context["chunk"] = label(names, "activities", loaded.waiting)
    return loaded.to_json()


@task(trigger_rule=TriggerRule.ALL_DONE, outlets=[LAKE])
def publish_lake(*, ti=None) -> dict:
    """Tell the catalogue that partitions changed, and sum the chunks up."""
    chunks = [chunk for chunk in ti.xcom_pull(task_ids=["load_chunk"]) if chunk]
    if not any(chunk["loaded"] for chunk in chunks):
        publish()  # else a run of the catalogue may have been so quick that nothing waits any more
    return {name: sum(chunk[name] for chunk in chunks) for name in ("loaded", "skipped", "points")}


@dag(
    dag_id="strava_backfill",
    schedule=CronTriggerTimetable("4,19,34,49 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=4,
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    dagrun_timeout=timedelta(hours=2),
    is_paused_upon_creation=False,
    tags=[Tag.TIER_2, Tag.INTERVAL],
    doc_md=__doc__,
)
def strava_backfill() -> None:
    """Wires the list of activities to chunks, chunks to the lake's asset."""
    load_chunk.expand(keys=choose_chunks(list_activities())) >> [publish_lake(), confirm_run()]


strava_backfill()
