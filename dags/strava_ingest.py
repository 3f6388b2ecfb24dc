"""# Strava ingest

Updates the activities that webhook events name in the lake, and copies them to linked children.

**Starts**: from the webhook, through the dispatcher; one run for each event in quiet times, for up to a hundred events
under load. An operator may start it by hand with an event that names an activity and its athlete, with any time and
subscription: an event is a hint, and the run asks Strava.

**Reads**: Strava (`GET /activities/{id}`, its streams), the raw zone, the links.
**Writes**: raw zone, `streams`, `activities`, `laps` and `copies` of the lake (one activity's rows are replaced), the
ledgers `activities` and `copies`, and new activities in the children's accounts.

**Kind**: now. It is always right to run it again, which costs at most two read calls an activity.

**Limits**: two read calls for a new activity, one for a renamed one; an upload and a few polls for each copy. Under
load a task works on a chunk of up to 20 activities; one that fails stops no other, and stays due in the ledger. When
Strava's quota is spent, Strava is down, or a fault lasts until the last try, the activity waits in the ledger, and the
run ends successfully, with a message.

**If it fails**: Strava or the settings refuse something permanently, or the task's message names activities that a
defect broke. Nothing is lost: the activity stays due in the ledger, whatever happens to the run.

**Owner**: data-engineering.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from operator import itemgetter

import pendulum
from airflow.sdk import Param, TriggerRule, dag, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook
from strava_airflow.publishing import publish
from strava_airflow.run_outcome import confirm_run, ledger_takes_over

log = logging.getLogger(__name__)

_POSITIVE = {"type": "integer", "minimum": 1}

EVENTS = Param(
    type="array",
    items={
        "type": "object",
        "required": ["object_type", "object_id", "aspect_type", "owner_id", "subscription_id", "event_time"],
        "properties": {
            "object_type": {"enum": ["activity", "athlete"]},
            "aspect_type": {"enum": ["create", "update", "delete"]},
            **dict.fromkeys(["object_id", "owner_id", "subscription_id", "event_time"], _POSITIVE),
        },
    },
    minItems=1,
    maxItems=100,
    title="Events",
    description_md="Webhook events as Strava sends them.",
)


@task
def plan_events(params: dict) -> list[list[dict]]:
    """The activities to sync, each once, in chunks."""
    from include.pipeline.chunks import in_chunks, size_for
    from include.pipeline.ingest.events import plan
    from include.strava.events import WebhookEvent

    with StravaHook().services() as services:
        items = [item.to_json() for item in plan(services, map(WebhookEvent.from_conf, params["events"]))]
    return in_chunks(items, size_for(len(items)), owner=itemgetter("athlete_id"))


@task(map_index_template="{{ chunk }}")
def sync_activities(items: list[dict]) -> list[dict]:
    """Fetch a chunk's activities and store them; returns ids and state."""
    from include.pipeline.chunks import label, process_each
    from include.pipeline.ingest.sync import sync
    from include.pipeline.ingest.sync_item import SyncItem

    context, names = get_current_context(), [item["activity_id"] for item in items]
    context["chunk"] = label(names, "activities")
    with ledger_takes_over(context), StravaHook().services() as services:
        worked = process_each(map(SyncItem.from_json, items), lambda item: sync(services, item, source="webhook"))
    done = list(worked.done.values())
    context["chunk"] = done[0].label if len(items) == len(done) == 1 else label(names, "activities", worked.waiting)
    for synced in done:
        if synced.reason:
            log.info("Activity %s is %s: %s", synced.activity_id, synced.state, synced.reason)
    worked.confirm()
    return [synced.to_json() for synced in done]


@task(map_index_template="{{ chunk }}")
def copy_to_children(synced: list[dict]) -> list[dict]:
    """Copy a chunk's activities to every linked child whom their titles name."""
    from include.pipeline.chunks import COPIED_AT_ONCE, label, process_each
    from include.pipeline.copying.copies import copy_to_children

    context, ids = get_current_context(), {each["activity_id"]: each["athlete_id"] for each in synced}
    context["chunk"] = label(list(ids), "activities")
    with ledger_takes_over(context), StravaHook().services(priority="COPY") as services:
        worked = process_each(ids, lambda key: copy_to_children(services, ids[key], key), at_once=COPIED_AT_ONCE)
    results = [result for each in worked.done.values() for result in each]
    if not results and not worked.faults:
        raise AirflowSkipException("No title names a linked child.")
    children = ", ".join(str(child_id) for child_id in sorted({result.child_id for result in results}))
    context["chunk"] = f"{label(list(ids), 'activities', worked.waiting)} → {children}"
    worked.confirm()
    return [result.to_json() for result in results]


@task_group(prefix_group_id=False)
def ingest_activities(items: list[dict]) -> None:
    """One chunk: its copies start as soon as it is synced, independently of other chunks."""
    copy_to_children(sync_activities(items))


@task(trigger_rule=TriggerRule.ALL_DONE, outlets=[LAKE])
def publish_lake() -> None:
    """Notify the catalogue that partitions changed."""
    publish()


@dag(
    dag_id="strava_ingest",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=16,
    default_args=DEFAULT_ARGS,
    params={"events": EVENTS},
    dagrun_timeout=timedelta(hours=2),
    is_paused_upon_creation=False,
    tags=[Tag.TIER_1, Tag.NOW],
    doc_md=__doc__,
)
def strava_ingest() -> None:
    """Wires events to syncs, syncs to copies, and both to the lake's asset."""
    ingest_activities.expand(items=plan_events()) >> [publish_lake(), confirm_run()]


strava_ingest()
