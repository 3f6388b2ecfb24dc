"""# Strava backfill

Loads an athlete's history into the lake: list pages of 200, then one streams call for each activity.

**Starts**: an operator, with the form; `strava_reconcile` starts it again with the same form until everything is
loaded. Begin with *dry run*: it lists the activities (one call for each 200), reports what it would load and at how
many calls, and changes nothing. *Again* also fetches activities that are already in the lake, detail and streams; for a
single activity choose its day.

**Reads**: Strava (`GET /athlete/activities`, streams).
**Writes**: the ledger `histories`, the raw zone, `streams` and `activities` of the lake, the ledger `activities`.
Activities in the lake that were edited since are queued for `strava_ingest`.

**Kind**: interval. A history is a row: a run loads a share of it (1,000 activities), and the next run continues there,
even if this one died. A second request for the same days makes no call for activities that are in the lake.

**Limits**: 1.005 read calls an activity. It leaves a tenth of Strava's quota to live work; when the rest is spent, the
run ends successfully and a later one continues. Histories take turns.

**If it fails**: only the operator notices. Nothing is lost once `list_activities` has stored the request; deleting the
run before that cancels it.

**Owner**: data-engineering.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import Param, TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook
from strava_airflow.publishing import publish
from strava_airflow.run_outcome import confirm_run, ledger_takes_over

_DAY = {"type": "string", "format": "date"}

PARAMS = {
    "athlete": Param(type="integer", minimum=1, title="Athlete", description_md="Strava's id of a connected athlete."),
    "from": Param(title="From", description_md="First day of the history, UTC.", **_DAY),
    "to": Param(title="To", description_md="Last day of the history, UTC, included.", **_DAY),
    "dry_run": Param(
        default=True,
        type="boolean",
        title="Dry run",
        description_md="Only list the activities, and report what would be loaded at how many calls.",
    ),
    "again": Param(
        default=False,
        type="boolean",
        title="Again",
        description_md="Also fetch activities again that are in the lake, at two calls each; for a single activity "
        "choose its day. The dry run reports the cost. `strava_ingest` does the work as the quota allows.",
    ),
    "asked_at_epoch_s": Param(
        default=None,
        type=["null", "integer"],
        minimum=0,
        title="Asked at",
        description_md="Time of the request, in seconds since 1970; leave it empty for now. A backfill of these days "
        "that finished since then is not started again.",
    ),
}


@task
def list_activities(params: dict, *, dag_run=None) -> dict:
    """Store the request, and list its history's next batch; returns the progress."""
    from include.pipeline.backfill.history import list_batch, summary
    from include.pipeline.backfill.request import BackfillRequest, ask

    with ledger_takes_over(get_current_context()), StravaHook().services(priority="BACKFILL") as services:
        request = BackfillRequest.from_params(params, default_asked_at=dag_run.run_after)
        history = list_batch(services, ask(services, request))
        return {**summary(history, services.clock()), "span": history.span}


@task
def choose_chunks(listed: dict, params: dict) -> list[list[list]]:
    """The activities to load, in chunks; none in a dry run."""
    from include.pipeline.backfill.history import keys
    from include.pipeline.chunks import ACTIVITIES, in_chunks

    if params["dry_run"]:
        raise AirflowSkipException(f"Dry run: {listed['to_load']} to load, {listed['read_calls']} read calls.")
    with StravaHook().services(priority="BACKFILL") as services:
        history = services.state.histories.get(params["athlete"], listed["span"])
    return in_chunks(keys(history) if history else [], ACTIVITIES)


@task(map_index_template="{{ chunk }}", max_active_tis_per_dagrun=2)
def load_chunk(keys: list[list]) -> dict:
    """Load one chunk of activities into the lake."""
    from include.pipeline.backfill.loading import load
    from include.pipeline.chunks import label

    context, names = get_current_context(), [activity_id for _, _, activity_id in keys]
    context["chunk"] = label(names, "activities")
    with ledger_takes_over(context), StravaHook().services(priority="BACKFILL") as services:
        loaded = load(services, [tuple(key) for key in keys])
    context["chunk"] = label(names, "activities", loaded.waiting)
    return loaded.to_json()


@task(trigger_rule=TriggerRule.ALL_DONE, outlets=[LAKE])
def publish_lake(*, ti=None) -> dict:
    """Notify the catalogue that partitions changed, and sum up the chunks."""
    chunks = [chunk for chunk in ti.xcom_pull(task_ids=["load_chunk"]) if chunk]
    if not any(chunk["loaded"] for chunk in chunks):
        publish()  # otherwise an early catalogue run has already registered them
    return {name: sum(chunk[name] for chunk in chunks) for name in ("loaded", "skipped", "points")}


@dag(
    dag_id="strava_backfill",
    schedule=None,
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
