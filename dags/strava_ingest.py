"""# Strava ingest

Brings the activities that webhook events name up to date in the lake and copies them to linked children.

**Starts**: from the webhook, through the dispatcher; one run for one event in quiet times, for up to a hundred under
load. An operator may start it by hand with an event that names an activity and its athlete, any time and subscription:
events are hints, Strava is asked for the truth.

**Reads**: Strava (`GET /activities/{id}`, its streams), the raw zone, the links.
**Writes**: raw zone, `streams`, `activities`, `laps` and `copies` of the lake (one activity's rows are replaced), the
ledgers `activities` and `copies`, and new activities in the children's accounts.

**Kind**: now. Running it again is always right and costs at most two read calls an activity.

**Limits**: two read calls for a new activity, one for a renamed one; an upload and some polls for each copy.
When Strava's quota is spent, Strava is out, or a fault has not passed by the last try, the activity waits in the ledger
and the run ends green, saying so.

**If it fails**: Strava or the settings refuse something for good; nothing is lost, the ledger still holds the activity,
whatever becomes of the run.

**Owner**: data-engineering.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import pendulum
from airflow.sdk import Param, TriggerRule, dag, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook
from strava_airflow.publishing import publish
from strava_airflow.verdict import confirm_run, ledger_takes_over

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
def plan_events(params: dict) -> list[dict]:
    """The activities to look at, each once."""
    from include.pipeline.ingest import plan
    from include.strava.events import WebhookEvent

    with StravaHook().services() as services:
        items = plan(services, [WebhookEvent.from_conf(event) for event in params["events"]])
    return [item.to_json() for item in items]


@task(map_index_template="{{ activity }}")
def sync_activity(item: dict) -> dict:
    """Fetch one activity and store it; returns ids, state and the partitions that changed."""
    from include.pipeline.sync import SyncItem, sync

    context = get_current_context()
    context["activity"] = str(item["activity_id"])
    with ledger_takes_over(context), StravaHook().services() as services:
        synced = sync(services, SyncItem.from_json(item), source="webhook")
    context["activity"] = synced.label
    if synced.reason:
        log.info("Activity %s is %s: %s", synced.activity_id, synced.state, synced.reason)
    return synced.to_json()


@task(map_index_template="{{ activity }}")
def copy_to_children(synced: dict) -> list[dict]:
    """Copy one activity to every linked child whom its title names."""
    from include.pipeline.copies import copy_to_children

    context = get_current_context()
    context["activity"] = str(synced["activity_id"])
    with ledger_takes_over(context), StravaHook().services(priority="COPY") as services:
        results = copy_to_children(services, synced["athlete_id"], synced["activity_id"])
    if not results:
        raise AirflowSkipException("The title names no linked child.")
    context["activity"] = f"{synced['activity_id']} → {', '.join(str(result.child_id) for result in results)}"
    return [result.to_json() for result in results]


@task_group(prefix_group_id=False)
def ingest_activity(item: dict) -> None:
    """One activity: its copies start as soon as it is synced, whatever the others do."""
    copy_to_children(sync_activity(item))


@task(trigger_rule=TriggerRule.ALL_DONE, outlets=[LAKE])
def publish_lake(*, ti=None, outlet_events=None) -> int:
    """Tell the catalogue which partitions changed; returns how many activities were looked at."""
    return len(publish(ti, outlet_events, task_id="sync_activity", also=["copy_to_children"]))


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
    ingest_activity.expand(item=plan_events()) >> [publish_lake(), confirm_run()]


strava_ingest()
