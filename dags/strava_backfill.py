"""# Strava backfill

Loads an athlete's history into the lake: list pages of 200, then one streams call for each activity.

**Starts**: an operator, with the form. Begin with *dry run*: it lists (one call for each 200 activities), says what
it would load and what that costs, and changes nothing.

**Reads**: Strava (`GET /athlete/activities`, streams).
**Writes**: raw zone, `streams`, `activities` of the lake, the ledger `activities`. Activities that are in the lake
but were edited since are queued for `strava_ingest`.

**Kind**: interval. Run the same days again after a failure: what is in the lake already costs no call. What the plan
has listed is due in the ledger: where the run is deleted `strava_reconcile` has it fetched, slower, at two calls each.

**Limits**: 1.005 read calls an activity. It leaves a tenth of Strava's quota to live work; when the rest is spent,
the task comes back at the window's opening (`up_for_reschedule`, its label says until when), holding no worker slot and
using up no try.

**If it fails**: nobody but the operator notices; nothing is lost. Where `list_activities` did not end, run it again.

**Owner**: data-engineering.
"""

from __future__ import annotations

import logging

import pendulum
from airflow.sdk import Param, TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook
from strava_airflow.publishing import publish
from strava_airflow.reschedule import back_when_quota_opens
from strava_airflow.verdict import confirm_run

log = logging.getLogger(__name__)

PARAMS = {
    "athlete": Param(type="integer", minimum=1, title="Athlete", description_md="Strava's id of the athlete."),
    "from": Param(type="string", format="date", title="From", description_md="First day of the history, UTC."),
    "to": Param(type="string", format="date", title="To", description_md="Last day of the history, UTC, included."),
    "dry_run": Param(
        default=True,
        type="boolean",
        title="Dry run",
        description_md="Only list, and say what would be loaded at how many calls.",
    ),
}


@task
def list_activities(params: dict) -> dict:
    """What the lake lacks, in batches of activity ids, and what loading it costs."""
    from include.pipeline.backfill import BackfillRequest, plan

    with StravaHook().services(priority="BACKFILL") as services, back_when_quota_opens():
        planned = plan(services, BackfillRequest.from_params(params))
    log.info("Backfill of athlete %s: %s", params["athlete"], planned.to_json())
    batches = [list(batch) for batch in planned.batches]
    return {**planned.to_json(), "batches": batches, "listed_at_epoch_s": planned.listed_at_epoch_s}


@task
def choose_batches(planned: dict, params: dict) -> list[list[int]]:
    """The batches to load: none in a dry run."""
    if params["dry_run"]:
        raise AirflowSkipException(f"Dry run: {planned['to_load']} to load, {planned['read_calls']} read calls.")
    return planned["batches"]


@task(map_index_template="{{ label }}", max_active_tis_per_dagrun=2)
def load_batch(activity_ids: list[int], listed_at_epoch_s: float, params: dict) -> dict:
    """Load one batch of activities into the lake."""
    from include.pipeline.backfill import load

    context = get_current_context()
    context["label"] = f"{len(activity_ids)} activities from {activity_ids[0]}"
    with StravaHook().services(priority="BACKFILL") as services, back_when_quota_opens(context):
        loaded = load(services, params["athlete"], activity_ids, listed_at_epoch_s=listed_at_epoch_s)
    return loaded.to_json()


@task(trigger_rule=TriggerRule.ALL_DONE, outlets=[LAKE])
def publish_lake(*, ti=None, outlet_events=None) -> dict:
    """Tell the catalogue which partitions changed, and sum the batches up."""
    batches = publish(ti, outlet_events, task_id="load_batch")
    return {name: sum(batch[name] for batch in batches) for name in ("loaded", "skipped", "points")}


@dag(
    dag_id="strava_backfill",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=4,
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    is_paused_upon_creation=False,
    tags=[Tag.TIER_2, Tag.INTERVAL],
    doc_md=__doc__,
)
def strava_backfill() -> None:
    """Wires the list of activities to batches, batches to the lake's asset."""
    planned = list_activities()
    batches = load_batch.partial(listed_at_epoch_s=planned["listed_at_epoch_s"])
    batches.expand(activity_ids=choose_batches(planned)) >> [publish_lake(), confirm_run()]


strava_backfill()
