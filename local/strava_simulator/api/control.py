"""The simulator's own control API, JSON under `/simulator/`, for tests and demonstrations; it is not part of Strava.

    GET    /simulator/health                         {"status": "ok", "time_epoch_s": …}
    GET    /simulator/athletes                       [profile, …]
    POST   /simulator/athletes                       {"athlete_id"?, "firstname"?, "lastname"?} → 201 profile
    GET    /simulator/athletes/A/activities          {"activity_ids": […]}: hidden ones too, newest first
    POST   /simulator/athletes/A/activities          an activity is finished → 201 {"activity_id": …}; either
               {"detail": …, "streams": … or null, "announce"?: bool}: `detail` needs name, start_date, sport_type;
                   an id is given where it lacks one, and the athlete is A in any case; or
               {"kind": …, "seed": …, "start_at": ISO 8601 with zone, "name"?, "points"?, "announce"?: bool}
               `announce` false makes history: no event, never late.
    GET    /simulator/activities/N                   {"detail", "streams", "deleted", "upload"}: the truth; `upload`
                                                     is the status of the upload it came from, or null
    PATCH  /simulator/activities/N                   {"name"?, "sport_type"?, "visibility"?}, one event for each;
                                                     and what `edits.SILENT` names, without an event
    POST   /simulator/activities/N/correct           {"altitude" or "distance": factor}: counted anew; no event
    POST   /simulator/activities/N/crop              {"first": samples, "last": samples}; no event
    POST   /simulator/activities/N/hide-start        its start reads 00:00:01 from now on; no event
    DELETE /simulator/activities/N
    DELETE /simulator/athletes/A/connections/C       the athlete disconnects application C at strava.com
    PUT    /simulator/athletes/A/zone                {"lat", "lng", "radius_m"}: tokens without activity:read_all
                                                     see no end of a track that lies in it
    GET    /simulator/tokens                         [every access and refresh token ever issued]
    GET    /simulator/deliveries                     {"deliveries": [try, …], "pending": events that still wait}
    GET    /simulator/calls                          [{"route": "GET /api/v3/athlete", "status": 200, "count": 1}, …]
    GET    /simulator/applications/C/faults          every fault by name, see `faults.Faults`
    PUT    /simulator/applications/C/faults          {fault: value, …}; the others are switched off
    GET    /simulator/script                         [line, …], see `script.Line`, each with its `calls` so far
    PUT    /simulator/script                         [line, …] in the place of the present ones; counted from here on

Errors: {"error": text} with 400 for a wrong value, 404 for what does not exist, 409 for an id that is taken.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest

from local.strava_simulator.api import control_bodies
from local.strava_simulator.api.answers import Refusal
from local.strava_simulator.api.calls import counted
from local.strava_simulator.api.faults import Faults, faults_of, switch
from local.strava_simulator.api.script import Line
from local.strava_simulator.world import activities, athletes, deliveries, edits, events, tokens, uploads
from local.strava_simulator.world.applications import identify
from local.strava_simulator.world.privacy import Zone, keep_zone
from local.strava_simulator.world.processing import settle_due
from local.strava_simulator.world.simulation import Simulation, simulation

blueprint = Blueprint("control", __name__, url_prefix="/simulator")

_ID = "int(max=9223372036854775807)"
_Edit = Callable[[sqlite3.Connection, Simulation, int, str], None]
_EDITS: Mapping[str, _Edit] = {
    "name": edits.rename,
    "sport_type": edits.change_sport,
    "visibility": edits.change_visibility,
}


@blueprint.get("/health")
def health() -> Response:
    """The simulator's status and time."""
    return jsonify(status="ok", time_epoch_s=simulation().clock())


@blueprint.get("/athletes")
def get_athletes() -> Response:
    """Everyone who has an account."""
    with simulation().state.transaction() as db:
        return jsonify([athlete.profile for athlete in athletes.everyone(db)])


@blueprint.post("/athletes")
def post_athlete() -> tuple[Response, int]:
    """Open an account."""
    sim = simulation()
    with sim.state.transaction() as db:
        return jsonify(athletes.create(db, control_bodies.body(), now_epoch_s=sim.clock()).profile), 201


@blueprint.get(f"/athletes/<{_ID}:athlete_id>/activities")
def get_activity_ids(athlete_id: int) -> Response:
    """The athlete's activities, including those of uploads whose processing time is over."""
    sim = simulation()
    settle_due(sim)
    with sim.state.transaction() as db:
        athletes.find(db, athlete_id)
        return jsonify(activity_ids=activities.ids_of(db, athlete_id))


@blueprint.post(f"/athletes/<{_ID}:athlete_id>/activities")
def post_activity(athlete_id: int) -> tuple[Response, int]:
    """Let an athlete finish an activity."""
    sim = simulation()
    body = control_bodies.body()
    announce = body.get("announce", True)
    if not isinstance(announce, bool):
        raise ValueError(f"announce is true or false, not {announce!r}")
    with sim.state.transaction() as db:
        athletes.find(db, athlete_id)
        activity = control_bodies.activity(body, athlete_id, activities.next_id(db))
        kept = activities.add(db, activity, fresh=announce)
        if announce:
            events.activity_created(db, sim, kept.subject)
    return jsonify(activity_id=kept.activity_id), 201


@blueprint.get(f"/activities/<{_ID}:activity_id>")
def get_truth(activity_id: int) -> Response:
    """All that is true of an activity."""
    with simulation().state.transaction() as db:
        kept = activities.find(db, activity_id)
        truth = activities.truth(db, activity_id)
        upload = uploads.of_activity(db, activity_id)
    return jsonify(detail=truth.detail, streams=truth.streams, deleted=kept.deleted, upload=upload)


@blueprint.patch(f"/activities/<{_ID}:activity_id>")
def patch_activity(activity_id: int) -> tuple[str, int]:
    """Change fields that an athlete can change, one after the other."""
    sim = simulation()
    body = control_bodies.body()
    if not body or not set(body) <= {*_EDITS, *edits.SILENT}:
        raise ValueError(f"give one or more of {', '.join((*_EDITS, *edits.SILENT))}")
    with sim.state.transaction() as db:
        for field, value in body.items():
            if field in edits.SILENT:
                edits.change_silently(db, activity_id, field, value)
                continue
            if not isinstance(value, str):
                raise ValueError(f"{field} is text, not {value!r}")
            _EDITS[field](db, sim, activity_id, value)
    return "", 204


@blueprint.post(f"/activities/<{_ID}:activity_id>/crop")
def post_crop(activity_id: int) -> tuple[str, int]:
    """Remove samples from the start and the end."""
    body = control_bodies.body()
    first, last = (control_bodies.whole_number(body, name) for name in ("first", "last"))
    with simulation().state.transaction() as db:
        edits.crop(db, activity_id, first=first, last=last)
    return "", 204


@blueprint.post(f"/activities/<{_ID}:activity_id>/correct")
def post_correct(activity_id: int) -> tuple[str, int]:
    """Recompute an activity's altitude or distance."""
    with simulation().state.transaction() as db:
        for stream, factor in control_bodies.body().items():
            if not isinstance(factor, int | float) or isinstance(factor, bool):
                raise ValueError(f"{stream} is a number, not {factor!r}")
            edits.correct(db, activity_id, stream, factor)
    return "", 204


@blueprint.post(f"/activities/<{_ID}:activity_id>/hide-start")
def post_hide_start(activity_id: int) -> tuple[str, int]:
    """Hide when an activity began."""
    with simulation().state.transaction() as db:
        edits.hide_start(db, activity_id)
    return "", 204


@blueprint.put(f"/athletes/<{_ID}:athlete_id>/zone")
def put_zone(athlete_id: int) -> tuple[str, int]:
    """Give an athlete a privacy zone."""
    body = control_bodies.body()
    values = [body.get(name) for name in ("lat", "lng", "radius_m")]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        raise ValueError("lat, lng and radius_m are numbers")
    with simulation().state.transaction() as db:
        athletes.find(db, athlete_id)
        keep_zone(db, athlete_id, Zone(*map(float, values)))  # type: ignore[arg-type]  # numbers all, as seen above
    return "", 204


@blueprint.delete(f"/activities/<{_ID}:activity_id>")
def delete_activity(activity_id: int) -> tuple[str, int]:
    """Delete an activity."""
    sim = simulation()
    with sim.state.transaction() as db:
        edits.delete(db, sim, activity_id)
    return "", 204


@blueprint.delete(f"/athletes/<{_ID}:athlete_id>/connections/<{_ID}:client_id>")
def delete_connection(athlete_id: int, client_id: int) -> tuple[str, int]:
    """Let an athlete disconnect an application on Strava's own settings page."""
    sim = simulation()
    with sim.state.transaction() as db:
        if not tokens.revoke(db, client_id, athlete_id, now_epoch_s=sim.clock()):
            raise athletes.UnknownAthlete(f"athlete {athlete_id} is not connected to application {client_id}")
        events.athlete_disconnected(db, sim, client_id, athlete_id)
    return "", 204


@blueprint.get("/tokens")
def get_tokens() -> Response:
    """Every token ever issued, so that a test can search for it where it must not be."""
    with simulation().state.transaction() as db:
        return jsonify(tokens.ever_issued(db))


@blueprint.get("/deliveries")
def get_deliveries() -> Response:
    """Every attempt to deliver an event."""
    with simulation().state.transaction() as db:
        return jsonify(deliveries=deliveries.log(db), pending=deliveries.pending_count(db))


@blueprint.get("/calls")
def get_calls() -> Response:
    """How often each of Strava's routes was called."""
    with simulation().state.transaction() as db:
        return jsonify(counted(db))


@blueprint.get(f"/applications/<{_ID}:client_id>/faults")
def get_faults(client_id: int) -> Response:
    """The application's faults."""
    with simulation().state.transaction() as db:
        identify(db, str(client_id))
        return jsonify(faults_of(db, client_id).to_json())


@blueprint.put(f"/applications/<{_ID}:client_id>/faults")
def put_faults(client_id: int) -> Response:
    """Replace the application's faults."""
    faults = Faults.from_json(control_bodies.body())
    with simulation().state.transaction() as db:
        identify(db, str(client_id))
        switch(db, client_id, faults)
    return jsonify(faults.to_json())


@blueprint.get("/script")
def get_script() -> Response:
    """The answer script."""
    return jsonify(simulation().script.to_json())


@blueprint.put("/script")
def put_script() -> tuple[str, int]:
    """Replace the answer script."""
    lines = request.get_json(force=True)
    if not isinstance(lines, list):
        raise ValueError("the body is a JSON array of lines")
    simulation().script.write([Line.from_json(line) for line in lines])
    return "", 204


@blueprint.errorhandler(ValueError)
@blueprint.errorhandler(BadRequest)
def refuse_value(err: Exception) -> tuple[Response, int]:
    """400: something given is wrong."""
    return jsonify(error=str(err)), 400


@blueprint.errorhandler(athletes.UnknownAthlete)
@blueprint.errorhandler(activities.UnknownActivity)
@blueprint.errorhandler(Refusal)
def miss(err: Exception) -> tuple[Response, int]:
    """404: there is no such athlete, activity, connection or application."""
    return jsonify(error=str(err)), 404


@blueprint.errorhandler(athletes.AthleteExists)
@blueprint.errorhandler(activities.ActivityExists)
def refuse_taken(err: Exception) -> tuple[Response, int]:
    """409: the id is taken."""
    return jsonify(error=str(err)), 409
