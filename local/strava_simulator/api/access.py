"""The checks before every call: the caller, the rate limit, and injected faults."""

from __future__ import annotations

from flask import Response, request

from local.strava_simulator.api import answers
from local.strava_simulator.api.faults import faults_of
from local.strava_simulator.world import quota, tokens
from local.strava_simulator.world.simulation import simulation
from local.strava_simulator.world.tokens import Caller

_BREAKDOWNS = (
    (500, "application/json; charset=utf-8", '{"message":"Internal Server Error","errors":[]}'),
    (502, "text/html", "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"),
    (503, "text/html", "<html><head><title>503</title></head><body>503 Service Unavailable</body></html>"),
)


class Breakdown(Exception):
    """Strava itself fails: a 5xx answer, often not JSON."""

    def __init__(self, status: int, content_type: str, body: str) -> None:
        super().__init__(f"{status} on purpose")
        self.status = status
        self.content_type = content_type
        self.body = body

    def response(self) -> Response:
        """The HTTP answer."""
        return Response(self.body, self.status, content_type=self.content_type)


def authenticate() -> Caller:
    """The caller of the present request.

    Errors: Refusal 401 without a valid access token in the Authorization header, or with one anywhere else.
    """
    sim = simulation()
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or "access_token" in request.args or "access_token" in request.form:
        raise answers.wrong_token()
    with sim.state.transaction() as db:
        caller = tokens.caller_of(db, access_token, now_epoch_s=sim.clock())
    if caller is None:
        raise answers.wrong_token()
    return caller


def count_call(caller: Caller, *, is_read: bool) -> quota.Usage:
    """Count the present call, also if it is refused; returns the usage after it."""
    sim = simulation()
    with sim.state.transaction() as db:
        return quota.count(db, caller.client_id, now_epoch_s=sim.clock(), is_read=is_read, limits=sim.rules.limits)


def meet_faults(client_id: int) -> None:
    """Apply the application's faults: wait for its latency, and fail at its error rate.

    Errors: Breakdown.
    """
    sim = simulation()
    with sim.state.transaction() as db:
        faults = faults_of(db, client_id)
    if faults.latency_s:
        sim.sleep(faults.latency_s)
    if sim.chances.falls(client_id, faults.error_rate):
        raise Breakdown(*_BREAKDOWNS[sim.chances.pick(client_id, len(_BREAKDOWNS))])


def refuse_inactive(client_id: int) -> None:
    """Return unless the application was switched off.

    Errors: Refusal 403.
    """
    with simulation().state.transaction() as db:
        if faults_of(db, client_id).inactive:
            raise answers.application_inactive()
