"""# Strava reconcile

Queues work that no event starts: rows that are due in the ledgers (what waited for Strava's quota or is still being
processed there, copies that a link no longer blocks, erasures and backfills that are not finished), and activities in
which Strava's lists differ from the ledger.

**Starts**: one minute after every quota window opens (minutes 1, 16, 31, 46). Once an hour, or every six
(`LIST_EVERY_H`) while Strava's events arrive, it lists each athlete's activities: the newest page, and one older page
in rotation. The lake's columns follow the list. Once a day it checks the webhook subscription.
**Reads**: the ledgers of the state; Strava (`GET /athlete/activities`, `GET /push_subscriptions`).
**Writes**: messages, from which the dispatcher starts `strava_ingest`, `strava_erase` and `strava_backfill`; the
progress of each athlete's rotation; the columns of `activities` that the list shows, and `freshness`. For a day after
an erasure it removes late records. The log of `look_after_erasures` names athletes whose tokens Strava has refused for
a week. `remove_unwanted` removes what athletes gave up, if they asked. `send_mails` tells those who gave an address.
`wake_catalog` starts `strava_catalog` when a partition has waited for a quarter of an hour.

**Kind**: now. It is always right to run it again.

**Limits**: two read calls for each listing of an athlete; with many athletes each is listed less often, so that listing
takes at most half of the day's read calls. Activities from before an athlete connected are left to `strava_backfill`.

**If it fails**: due work waits a quarter of an hour longer. If `check_subscription` fails, Strava sends no events: do
what its message says. If `prove_installation` fails, something other than Strava's API answers at STRAVA_API_URL:
nothing is removed until that is corrected.

**Owner**: data-engineering.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import pendulum
from airflow.sdk import CronTriggerTimetable, dag, task

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook
from strava_airflow.publishing import publish

log = logging.getLogger(__name__)

WINDOW = timedelta(minutes=15)


@task
def queue_due() -> dict:
    """Queue the due rows of every ledger; returns the counts."""
    from dataclasses import asdict

    from include.pipeline.reconcile.due import queue_due

    with StravaHook().services(priority="RECONCILE") as services:
        return asdict(queue_due(services))


@task
def list_athletes() -> dict:
    """List the athletes who are due and queue what the ledger lacks; returns the counts."""
    from include.pipeline.reconcile.due import list_athletes

    hook = StravaHook()
    with hook.services(priority="RECONCILE") as services:
        listed = list_athletes(services, hook.settings())
    for refusal in listed.refusals:
        log.warning(refusal)
    return listed.to_json()


@task
def prove_installation() -> str:
    """Check that Strava's API answers at the configured URL, until that is proved; fail if something else answers."""
    from include.pipeline.reconcile.installation import prove_again

    with StravaHook().services() as services:
        return prove_again(services.strava.push, services.state.installation, services.clock)


@task
def check_subscription() -> str:
    """Fail, with instructions, if Strava should send events and does not."""
    from include.pipeline.subscription import check_subscription

    with (hook := StravaHook()).services() as services:
        return check_subscription(services, hook.settings())


@task
def look_after_erasures() -> dict:
    """Remove records written late after erasures, and name athletes whose tokens have been refused for a week."""
    from include.pipeline.erasure.watch import remove_late_records
    from include.pipeline.reconcile.refused_athletes import refused_athletes

    with StravaHook().services() as services:
        removed = remove_late_records(services)
        refused = refused_athletes(services)
    for athlete in refused:
        log.warning(athlete.message)
    return {"removed_late": removed, "refused_athletes": [athlete.athlete_id for athlete in refused]}


@task
def send_mails() -> int:
    """Tell athletes by mail what has happened to them, once per cause; returns how many mails."""
    from include.pipeline.reconcile.mails import send_mails

    with (hook := StravaHook()).services() as services:
        return send_mails(services, hook.settings())


@task(outlets=[LAKE])
def wake_catalog() -> None:
    """Start strava_catalog if a partition has waited for as long as the interval of this DAG."""
    publish(waited_s=WINDOW.total_seconds())


@task
def remove_unwanted() -> dict:
    """Remove what athletes' narrowed grants no longer cover; returns counts of activities and refetched tracks."""
    from include.pipeline.erasure.coverage import remove_unwanted

    with StravaHook().services() as services:
        return remove_unwanted(services)


@dag(
    dag_id="strava_reconcile",
    schedule=CronTriggerTimetable("1,16,31,46 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(minutes=14),
    is_paused_upon_creation=False,
    tags=[Tag.TIER_1, Tag.NOW],
    doc_md=__doc__,
)
def strava_reconcile() -> None:
    """Wires the schedule to eight tasks, none of which waits for another."""
    queue_due()
    list_athletes()
    prove_installation()
    check_subscription()
    look_after_erasures()
    remove_unwanted()
    send_mails()
    wake_catalog()


strava_reconcile()
