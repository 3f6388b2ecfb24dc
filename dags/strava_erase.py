"""# Strava erase

Ends the access to an athlete's account: destroys the tokens that this system holds.

It does not yet erase the athlete's rows of the lake, raw objects and ledgers: those stay as they are.

**Starts**: from the webhook, through the dispatcher, when Strava reports that an athlete took the access away; or by an
operator, with the form.

**Reads**: the athlete's row, Strava's token endpoint. A reported deauthorisation is confirmed with Strava first: while
Strava accepts the athlete's tokens nothing happens, and the task is skipped, saying so.
**Writes**: the athlete's row: the tokens are destroyed, the status becomes `revoked`. Started by an operator, it gives
the access back at Strava first (`POST /oauth/revoke`).

**Kind**: now. Running it again is always right.

**Limits**: two calls to the token endpoint, which count in no quota.

**If it fails**: nothing was destroyed, and the athlete's wish is not met: look at it today. An outage of Strava or of
the whole application never counts as an athlete's wish.

**Owner**: data-engineering.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import pendulum
from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from strava_airflow.defaults import DEFAULT_ARGS, Tag
from strava_airflow.hook import StravaHook
from strava_airflow.reschedule import back_when_quota_opens

log = logging.getLogger(__name__)

PARAMS = {
    "athlete": Param(type="integer", minimum=1, title="Athlete", description_md="Strava's id of the athlete."),
    "reason": Param(
        default="operator",
        type="string",
        enum=["deauthorisation", "operator"],
        title="Reason",
        description_md="`operator` gives the access back at Strava; `deauthorisation` only confirms that it is gone.",
    ),
}


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
    """Wires the request to the athlete's row."""

    @task
    def destroy_tokens(params: dict) -> dict:
        """Destroy the athlete's tokens once Strava accepts them no longer; returns what became of the request."""
        from include.pipeline.erase import EraseRequest, Outcome, disconnect

        with StravaHook().services() as services, back_when_quota_opens():
            ended = disconnect(services, EraseRequest.from_params(params))
        log.info(ended.message)
        if ended.outcome is Outcome.STILL_CONNECTED:
            raise AirflowSkipException(ended.message)
        return ended.to_json()

    destroy_tokens()


strava_erase()
