"""# Strava retention

Deletes data from Strava's API that is older than the setting `RETENTION_DAYS` allows, and checks every night that the
lake matches the ledgers.

**Starts**: nightly at 02:20 UTC; or by an operator, with the form. *Dry run* counts and changes nothing.

**Reads**: the ledgers `activities` and `copies`, every table object of the lake.
**Writes**: expired activities are removed from `streams`, `activities`, `laps`, the raw zone and the upload files;
their ledger rows stay, as `expired`. Where lake and ledger differ, the ledger row is corrected and the activity is
fetched again. Rows of `copies` are made to match their ledger, and late records of erased athletes are removed.

**Kind**: now. It is always right to run it again. A task checks a chunk of 50 athletes; one who cannot be checked stops
nobody else and is left to the next night, and the run fails at its end. With more than 25,000 athletes, a night checks
a part of them.

**Limits**: no Strava calls of its own, but one for each activity that differed; it takes as long as reading the lake
once. On AWS `RETENTION_DAYS` has no default. Data from an athlete's own archive does not expire.

**If it fails**: data stays longer than decided, and differences stay undetected; nothing is lost. Look at it this week.

**Owner**: data-engineering.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param, TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook
from strava_airflow.publishing import publish
from strava_airflow.run_outcome import confirm_run

log = logging.getLogger(__name__)

PARAMS = {
    "dry_run": Param(
        default=False,
        type="boolean",
        title="Dry run",
        description_md="Only count what would be deleted and what differs.",
    ),
}


@task
def find_athletes() -> list[list[int]]:
    """The athletes in the state or the lake, in chunks; fails where `RETENTION_DAYS` is not set on AWS."""
    from include.pipeline.chunks import ATHLETES, in_chunks
    from include.pipeline.retention.audit import athlete_ids
    from include.pipeline.retention.expiry import kept_days

    hook = StravaHook()
    kept_days(hook.settings())
    with hook.services() as services:
        night = int(services.clock() // timedelta(days=1).total_seconds())
        return in_chunks(athlete_ids(services), ATHLETES, turn=night)


@task(map_index_template="{{ chunk }}", max_active_tis_per_dagrun=2, execution_timeout=timedelta(hours=1))
def check_athletes(athlete_ids: list[int], params: dict) -> dict:
    """Compare each athlete's lake with the ledger, then delete expired data; returns the counts."""
    from include.pipeline.chunks import label
    from include.pipeline.retention.expiry import kept_days
    from include.pipeline.retention.night import check

    context = get_current_context()
    context["chunk"] = label(athlete_ids, "athletes")
    hook = StravaHook()
    with hook.services() as services:
        checked = check(services, athlete_ids, kept_days(hook.settings()), dry_run=params["dry_run"])
    context["chunk"] = label(athlete_ids, "athletes", checked.waiting)
    return checked.to_json()


@task
def repair_copies(params: dict) -> int:
    """Make the rows of `copies` agree with their ledger; returns how many did not."""
    if params["dry_run"]:
        raise AirflowSkipException("Dry run: the rows of `copies` are unchanged.")
    with StravaHook().services() as services:
        return services.lake.copy_rows.repair([athlete.athlete_id for athlete in services.state.athletes.all()])


@task
def sweep_erased(params: dict) -> int:
    """Remove records that were written late of athletes erased in the last 30 days; returns how many."""
    from include.pipeline.erasure.watch import remove_late_records_everywhere

    if params["dry_run"]:
        raise AirflowSkipException("Dry run: late records of erased athletes are unchanged.")
    with StravaHook().services() as services:
        return remove_late_records_everywhere(services)


@task(trigger_rule=TriggerRule.ALL_DONE)
def report_night(*, ti=None) -> dict:
    """Sum up the findings and deletions; fails if athletes were left to the next night."""
    nights = [night for night in ti.xcom_pull(task_ids=["check_athletes"]) if night]
    names = sorted({name for night in nights for name, value in night.items() if isinstance(value, int)})
    total = {name: sum(night.get(name, 0) for night in nights) for name in names}
    log.info("Tonight's totals: %s", total)
    if total.get("left"):
        raise AirflowFailException(f"{total['left']} athletes are left to the next night; the tasks' logs say why.")
    return total


@task(trigger_rule=TriggerRule.ALL_DONE, outlets=[LAKE])
def publish_lake() -> None:
    """Notify the catalogue that partitions changed."""
    publish()


@dag(
    dag_id="strava_retention",
    schedule=CronTriggerTimetable("20 2 * * *", timezone="UTC"),
    start_date=None,  # a new Airflow waits for its first night; one that was off catches up only the last night
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    dagrun_timeout=timedelta(hours=12),
    is_paused_upon_creation=False,
    tags=[Tag.TIER_2, Tag.NOW],
    doc_md=__doc__,
)
def strava_retention() -> None:
    """Wires the athletes to their checks, and the lake's changes to its asset."""
    checked = check_athletes.expand(athlete_ids=find_athletes())
    repaired = repair_copies()
    [checked, repaired] >> publish_lake()
    reported = report_night()
    checked >> reported
    [checked, reported, repaired, sweep_erased()] >> confirm_run()


strava_retention()
