"""# Strava erase

Erases an athlete: ends the access to the account, removes every record of the athlete, and leaves a certificate with
counts and times, but no personal data.

**Starts**: from the webhook, through the dispatcher, when Strava reports that an athlete revoked the access; when an
athlete requests it on their own page; or by an operator, with the form, whose dry run only counts.

**Reads**: the request in `erasures`, the athlete's row, Strava's token endpoint. A reported deauthorisation is
confirmed with Strava first: if Strava still accepts the athlete's tokens, nothing happens, and the task is skipped with
a message. It is also skipped when the athlete only disconnected on their own page, so that the stored data stays, when
the athlete has connected since the request, and when another run holds the erasure.
**Writes**: removes the athlete's rows and objects of the lake, raw answers, upload files, ledgers, links, invitations,
events and the athlete's row; ends links, and notifies the other side. When an operator or the athlete started it, it
first revokes the access at Strava (`POST /oauth/revoke`). The certificate is `certificates/<athlete>-<began at>.json`
in the lake, and is shown in the task's log.

**Kind**: now. It is always right to run it again: it continues where a run stopped. Otherwise `strava_reconcile` starts
a run, once in a window, until the erasure is finished or withdrawn.

**Limits**: two calls to the token endpoint, which do not count in the quota.

**If it fails**: the athlete is not erased yet: look at it today. Before the access has ended nothing is removed;
afterwards nothing is written for the athlete. An outage of Strava or of the whole application never counts as a
deauthorisation.

**Owner**: data-engineering.
"""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pendulum
from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import DEFAULT_ARGS, LAKE, Tag
from strava_airflow.hook import StravaHook
from strava_airflow.reschedule import reschedule_on_spent_quota

log = logging.getLogger(__name__)

PARAMS = {
    "athlete": Param(type="integer", minimum=1, title="Athlete", description_md="Strava's id of the athlete."),
    "reason": Param(
        default="operator",
        type="string",
        enum=["deauthorisation", "operator", "athlete"],
        title="Reason",
        description_md="`operator` and `athlete` revoke the access at Strava; `deauthorisation` only confirms that "
        "it has ended.",
    ),
    "asked_at_epoch_s": Param(
        default=None,
        type=["null", "integer"],
        minimum=0,
        title="Asked at",
        description_md="Time of the request, in seconds since 1970; leave it empty for now. An athlete who has "
        "connected since then is not erased.",
    ),
    "dry_run": Param(
        default=False, type="boolean", title="Dry run", description_md="Only count what an erasure would remove."
    ),
}


@task
def erase_athlete(params: dict, *, dag_run=None) -> dict:
    """Erase the athlete once the access has ended; returns the request's outcome, with counts."""
    from include.pipeline.erasure.erase import EraseRequest, Outcome, erase

    hook = StravaHook()
    settings = hook.settings()
    request = EraseRequest.from_params(params, default_asked_at=dag_run.run_after)
    with hook.services() as services, reschedule_on_spent_quota():
        erased = erase(services, request, settings)
    log.info(erased.message)
    if erased.certificate:
        log.info("Certificate %s:\n%s", erased.certificate.key, json.dumps(erased.certificate.to_json(), indent=2))
    if erased.outcome in (Outcome.STILL_CONNECTED, Outcome.CONNECTED_AGAIN, Outcome.DISCONNECTED, Outcome.IN_HAND):
        raise AirflowSkipException(erased.message)
    return erased.to_json()


@task(outlets=[LAKE])
def publish_lake(erased: dict) -> None:
    """Notify the catalogue that tables have lost rows; the erasure itself has unregistered the athlete's partitions."""
    if erased["certificate"] is None:
        raise AirflowSkipException("Nothing was removed.")


@dag(
    dag_id="strava_erase",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=4,
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    dagrun_timeout=timedelta(hours=24),
    is_paused_upon_creation=False,
    tags=[Tag.TIER_1, Tag.NOW],
    doc_md=__doc__,
)
def strava_erase() -> None:
    """Wires the request to the erasure, and the erasure to the catalogue."""
    publish_lake(erase_athlete())


strava_erase()
