"""The routes that read an athlete's data, and the checks before every route with an access token."""

from __future__ import annotations

import json

from flask import Blueprint, Response, g, request

from local.strava_simulator.api import answers
from local.strava_simulator.api.access import Breakdown, authenticate, count_call, meet_faults, refuse_inactive
from local.strava_simulator.api.faults import faults_of
from local.strava_simulator.world import activities, athletes, processing, uploads
from local.strava_simulator.world.privacy import with_start_as_shown, zone_of
from local.strava_simulator.world.simulation import simulation
from local.strava_simulator.world.tokens import Caller

blueprint = Blueprint("api", __name__, url_prefix="/api/v3")

_MOST_PER_PAGE = 200
_READ_SCOPES = ("activity:read", "activity:read_all")


@blueprint.before_request
def check_call() -> None:
    """Identify the caller, count the call, and apply faults, after settling uploads that are due.

    So the answer depends only on the clock, not on when the background worker runs.
    An upload may fail after it was accepted: then the caller does not know its outcome.
    """
    is_upload = _is_route("post_upload")
    processing.settle_due(simulation())
    g.caller = authenticate()
    g.usage = count_call(g.caller, is_read=not is_upload)
    if g.usage.exceeded:
        raise answers.limit_exceeded(g.usage.exceeded)
    refuse_inactive(g.caller.client_id)
    try:
        meet_faults(g.caller.client_id)
    except Breakdown as breakdown:
        if not (is_upload and simulation().chances.pick(g.caller.client_id, 2)):
            raise
        g.breakdown = breakdown


@blueprint.after_request
def show_usage(response: Response) -> Response:
    """Add the usage headers, which 401, 404 and streams lack, as recorded."""
    if "breakdown" in g:
        breakdown: Breakdown = g.breakdown
        return breakdown.response()
    if "usage" in g and response.status_code not in (401, 404) and not _is_route("get_streams"):
        response.headers.update(g.usage.headers())
    return response


@blueprint.get("/athlete")
def get_athlete() -> Response:
    """The athlete; in full only with `profile:read_all`."""
    caller = _caller()
    with simulation().state.transaction() as db:
        athlete = athletes.find(db, caller.athlete_id)
    detailed = "profile:read_all" in caller.scopes
    return answers.answer(athlete.profile if detailed else athlete.summary())


@blueprint.get("/athlete/activities")
def get_activities() -> Response:
    """A page of the athlete's activities."""
    caller = _caller()
    caller.require("activity:read_permission", *_READ_SCOPES)
    page = activities.Page(
        number=_number("page", 1, least=1),
        per_page=_number("per_page", 30, least=1, most=_MOST_PER_PAGE),
        before_epoch_s=_epoch_s("before"),
        after_epoch_s=_epoch_s("after"),
    )
    if page.after_epoch_s is not None and page.after_epoch_s > simulation().clock():
        raise answers.bad_request("Application", "after")
    with simulation().state.transaction() as db:
        listed = activities.listed(db, caller.athlete_id, page, only_me_too=caller.may_see_only_me)
    return answers.answer(listed)


@blueprint.get("/activities/<int(max=9223372036854775807):activity_id>")
def get_activity(activity_id: int) -> Response:
    """One activity in full."""
    detail = _readable(activity_id, "detail_fetches").detail
    if not _caller().may_see_only_me:
        with simulation().state.transaction() as db:
            detail = activities.seen_by_others(db, activities.truth(db, activity_id)).detail
    return answers.answer(with_start_as_shown(detail))


@blueprint.get("/activities/<int(max=9223372036854775807):activity_id>/streams")
def get_streams(activity_id: int) -> Response:
    """The streams named in `keys`, and always `distance`: keyed with `key_by_type=true`, else an array."""
    kept = _readable(activity_id, "streams_fetches")
    if not kept.has_streams:
        raise answers.no_streams()
    wanted = ("distance", *request.args.get("keys", "").split(","))
    with simulation().state.transaction() as db:
        texts = activities.stream_texts(db, activity_id, wanted)
        if not _caller().may_see_only_me and zone_of(db, kept.athlete_id) is not None:
            seen = activities.seen_by_others(db, activities.truth(db, activity_id)).streams or {}
            texts = {kind: json.dumps(seen[kind], separators=(",", ":")) for kind in texts}
    # The bodies are stored as JSON text: parsing and serialising a day-long ride would take longer than Strava does.
    if request.args.get("key_by_type", "").lower() == "true":
        body = "{" + ",".join(f'"{kind}":{text}' for kind, text in texts.items()) + "}"
    else:
        body = "[" + ",".join(f'{{"type":"{kind}",{text[1:]}' for kind, text in texts.items()) + "]"
    return Response(body, content_type="application/json; charset=utf-8")


@blueprint.post("/uploads")
def post_upload() -> Response:
    """Accept a file."""
    caller = _caller()
    caller.require("write_permission", "activity:write")
    order = uploads.read_upload(request)
    sim = simulation()
    with sim.state.transaction() as db:
        upload_id = uploads.take_in(db, caller, order, ready_at=sim.clock() + sim.rules.processing_s)
        return answers.answer(uploads.status_of(db, uploads.find(db, upload_id)), 201)


@blueprint.get("/uploads/<int(max=9223372036854775807):upload_id>")
def get_upload(upload_id: int) -> Response:
    """The state of an upload of the same application for the same athlete."""
    caller = _caller()
    caller.require("write_permission", "activity:write")
    with simulation().state.transaction() as db:
        try:
            upload = uploads.find(db, upload_id)
        except uploads.UnknownUpload as err:
            raise answers.record_not_found() from err
        if (upload.client_id, upload.athlete_id) != (caller.client_id, caller.athlete_id):
            raise answers.record_not_found()
        return answers.answer(uploads.status_of(db, upload))


def _is_route(name: str) -> bool:
    """Whether the present call is of this route, under either base URL."""
    return (request.endpoint or "").endswith(f".{name}")


def _caller() -> Caller:
    caller: Caller = g.caller
    return caller


def _readable(activity_id: int, fetches: str) -> activities.StoredActivity:
    """The activity, if the caller may see it and it is already available."""
    caller = _caller()
    caller.require("activity:read_permission", *_READ_SCOPES)
    with simulation().state.transaction() as db:
        try:
            kept = activities.find(db, activity_id)
        except activities.UnknownActivity as err:
            raise answers.record_not_found() from err
        hidden = kept.only_me and not caller.may_see_only_me
        late = faults_of(db, caller.client_id).fresh_404s
        is_late = bool(late) and 0 < activities.count_fetch(db, activity_id, fetches) <= late
    if kept.deleted or hidden or is_late or kept.athlete_id != caller.athlete_id:
        raise answers.record_not_found()
    return kept


def _number(name: str, default: int, *, least: int, most: int = 10**9) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19 and least <= int(text) <= most):
        raise answers.bad_request("Application", name)
    return int(text)


def _epoch_s(name: str) -> int | None:
    return _number(name, 0, least=0, most=10**11) if name in request.args else None
