"""The simulator as one Flask application."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import requests
from flask import Flask, Response, g, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from local.strava_simulator.api import answers, authorize, buttons, calls, control, oauth, outages, subscriptions
from local.strava_simulator.api import reads as api
from local.strava_simulator.api.access import Breakdown
from local.strava_simulator.api.faults import SeededChances
from local.strava_simulator.api.script import Line
from local.strava_simulator.world import applications
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.simulation import EXTENSION, Clock, Rules, Simulation, simulation
from local.strava_simulator.world.state import State

_V3 = "/api/v3"
_OWN = ("/simulator/", "/static/")
_MOST_BYTES = 30 * 1024 * 1024


def create_app(
    state: State,
    *,
    application: Application | None = None,
    rules: Rules | None = None,
    clock: Clock = time.time,
    session: requests.Session | None = None,
    sleep: Callable[[float], None] = time.sleep,
    around: Mapping[str, str] | None = None,
) -> Flask:
    """The simulator over `state`, in which `application` is registered; its pages link to the addresses `around` it.

    Events are not delivered automatically: call `deliveries.deliver_due`, or start a `deliveries.DeliveryWorker`.
    """
    rules = rules or Rules()
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    app.jinja_env.globals["around"] = dict(around or {})
    app.extensions[EXTENSION] = Simulation(
        state=state,
        clock=clock,
        rules=rules,
        chances=SeededChances(rules.seed),
        session=session or requests.Session(),
        sleep=sleep,
    )
    with state.transaction() as db:
        applications.register(db, application or Application())
    for module in (api, oauth, subscriptions, authorize, control, buttons):
        app.register_blueprint(module.blueprint)
    # From 2027-01-04 the API is at the root of its own host; the old base URL stays for some months.
    app.register_blueprint(api.blueprint, name="api_2027", url_prefix="")
    app.register_blueprint(subscriptions.blueprint, name="subscriptions_2027", url_prefix="/push_subscriptions")
    app.register_error_handler(answers.Refusal, answers.Refusal.response)
    app.register_error_handler(Breakdown, Breakdown.response)
    app.register_error_handler(NotFound, _miss)
    app.register_error_handler(MethodNotAllowed, _miss)
    app.before_request(_scripted)
    app.after_request(_count)
    return app


def _is_stravas() -> bool:
    return request.path != "/" and not request.path.startswith(_OWN)


def _scripted() -> Response | None:
    """The script's or the outage's answer, if there is one and Strava does not carry out the call first."""
    g.line = (simulation().script.line_for(request) or outages.line_for(request)) if _is_stravas() else None
    return None if g.line is None or g.line.does_the_work else g.line.response()


def _miss(error: NotFound | MethodNotAllowed) -> Response:
    if _is_stravas():
        return answers.unknown_path().response()
    return answers.answer({"error": f"the simulator has no {request.method} {request.path}"}, error.code or 404)


def _count(response: Response) -> Response:
    """Count the call under its route, not its path, which contains ids.

    A route is counted under its name before 2027, whatever the base URL.
    """
    line: Line | None = g.get("line")
    if line is not None and line.does_the_work:
        response = line.response(response)
    if _is_stravas():
        rule = request.url_rule.rule if request.url_rule else "unknown"
        name = rule if rule.startswith((_V3, "/oauth", "unknown")) else f"{_V3}{rule}"
        route = f"{request.method} {name.replace('int(max=9223372036854775807):', '')}"
        with simulation().state.transaction() as db:
            calls.count(db, route, response.status_code)
    return response
