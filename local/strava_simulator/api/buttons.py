"""The page for a person: who is here, and buttons to do what athletes do, or to let Strava fail; no script needed.

    GET  /                          numbered steps, forms, everybody's newest activities
    POST /simulator/press/finish    athlete_id, kind, name
    POST /simulator/press/change    activity_id, name, do: rename, hide, show or delete
    POST /simulator/press/fail      way, minutes
    POST /simulator/press/recover
    GET  /simulator/pressed         what comes of it, with the newest activities; loads itself again

Errors: 400 with a page that says what is wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WsgiResponse

from local.strava_simulator.api import outages
from local.strava_simulator.api.outages import Failing, Outage
from local.strava_simulator.recordings.generator import Kind, generate
from local.strava_simulator.world import activities, athletes, edits, events, processing, uploads
from local.strava_simulator.world.simulation import Simulation, simulation

blueprint = Blueprint("buttons", __name__)

_POINTS = 600
"""An activity lasts ten minutes, a trail run with its pause a little longer."""
_APART_S, _SLOTS = 1800, 1000
_SHOWN, _NEWEST = 30, 5
_LONGEST_NAME = 255
_WAYS: Mapping[Outage, str] = {
    Outage.QUOTA: "answer 429: the application has used up its calls",
    Outage.DOWN: "answer 503",
    Outage.SILENT: "say nothing until the caller gives up",
    Outage.PAGE: "answer with an HTML page and status 200",
    Outage.TOKENS: "refuse every athlete's access token with 401",
}
_Change = Callable[[sqlite3.Connection, Simulation, int, str], None]
_CHANGES: Mapping[str, _Change] = {
    "rename": edits.rename,
    "hide": lambda db, sim, activity_id, _: edits.change_visibility(db, sim, activity_id, "only_me"),
    "show": lambda db, sim, activity_id, _: edits.change_visibility(db, sim, activity_id, "everyone"),
    "delete": lambda db, sim, activity_id, _: edits.delete(db, sim, activity_id),
}


@blueprint.get("/")
def home() -> str:
    """The page of all buttons."""
    with simulation().state.transaction() as db:
        everyone = _everyone(db, _SHOWN)
        failing = outages.present(db, now=simulation().clock())
    return render_template("home.html", athletes=everyone, kinds=list(Kind), ways=_WAYS, failing=_told(failing))


@blueprint.post("/simulator/press/finish")
def finish() -> WsgiResponse:
    """Let an athlete finish an activity of this kind and title now."""
    sim = simulation()
    athlete_id, kind, name = _number("athlete_id"), Kind(request.form.get("kind", "")), _name()
    with sim.state.transaction() as db:
        athletes.find(db, athlete_id)
        activity_id = activities.next_id(db)
        activity = generate(
            kind,
            seed=activity_id,
            activity_id=activity_id,
            athlete_id=athlete_id,
            start_at=_free_start(db, athlete_id, sim.clock()),
            name=name,
            points=_POINTS,
        )
        events.activity_created(db, sim, activities.add(db, activity, fresh=True).subject)
    return _pressed("finish")


@blueprint.post("/simulator/press/change")
def change() -> WsgiResponse:
    """Rename, hide, show or delete an activity."""
    sim = simulation()
    do, activity_id = request.form.get("do", ""), _number("activity_id")
    if do not in _CHANGES:
        raise ValueError(f"do is one of {', '.join(_CHANGES)}, not {do!r}")
    with sim.state.transaction() as db:
        _CHANGES[do](db, sim, activity_id, _name() if do == "rename" else "")
    return _pressed(do)


@blueprint.post("/simulator/press/fail")
def fail() -> WsgiResponse:
    """Let Strava fail in this way for so many minutes."""
    sim = simulation()
    way, seconds = Outage(request.form.get("way", "")), _number("minutes") * 60
    if seconds > outages.LONGEST_S:
        raise ValueError(f"minutes is at most {outages.LONGEST_S // 60}")
    with sim.state.transaction() as db:
        outages.begin(db, way, until_epoch_s=sim.clock() + seconds)
    return _pressed("fail")


@blueprint.post("/simulator/press/recover")
def recover() -> WsgiResponse:
    """Let Strava answer again."""
    with simulation().state.transaction() as db:
        outages.end(db)
    return _pressed("recover")


@blueprint.get("/simulator/pressed")
def pressed() -> str:
    """What comes of the button that was pressed."""
    processing.settle_due(simulation())
    with simulation().state.transaction() as db:
        newest = _everyone(db, _NEWEST)
        failing = outages.present(db, now=simulation().clock())
    return render_template("pressed.html", athletes=newest, did=request.args.get("did", ""), failing=_told(failing))


@blueprint.errorhandler(ValueError)
@blueprint.errorhandler(athletes.UnknownAthlete)
@blueprint.errorhandler(activities.UnknownActivity)
def refuse(err: Exception) -> Response:
    """400: what was sent is no choice of the page, or is gone by now."""
    return Response(render_template("not_pressed.html", why=str(err)), 400, content_type="text/html; charset=utf-8")


def _pressed(did: str) -> WsgiResponse:
    return redirect(url_for("buttons.pressed", did=did), code=303)


def _everyone(db: sqlite3.Connection, count: int) -> list[tuple[athletes.Athlete, list[dict[str, Any]]]]:
    """Each athlete with the newest activities, each with whether an application uploaded it."""
    page, made = activities.Page(per_page=count), uploads.made(db)
    return [
        (
            athlete,
            [
                {**shown, "is_uploaded": shown["id"] in made}
                for shown in activities.listed(db, athlete.athlete_id, page, only_me_too=True)
            ],
        )
        for athlete in athletes.everyone(db)
    ]


def _told(failing: Failing | None) -> str:
    """The outage in words; empty where there is none."""
    if failing is None:
        return ""
    until = datetime.fromtimestamp(failing.until_epoch_s, UTC)
    return f"{_WAYS[failing.kind]}, until {until:%H:%M:%S} UTC"


def _free_start(db: sqlite3.Connection, athlete_id: int, now: float) -> datetime:
    """A start so that the activity is over by now and apart from all others: who presses twice was out twice."""
    start = int(now) - _POINTS
    for shown in activities.listed(db, athlete_id, activities.Page(per_page=_SLOTS), only_me_too=True):
        begun = activities.start_epoch_s(shown)
        if start < begun + shown["elapsed_time"] + _APART_S and begun < start + _POINTS + _APART_S:
            start = begun - _POINTS - _APART_S
    return datetime.fromtimestamp(start, UTC)


def _number(field: str) -> int:
    text = request.form.get(field, "")
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**63):
        raise ValueError(f"{field} is a whole number above 0, not {text!r}")
    return int(text)


def _name() -> str:
    name = request.form.get("name", "").strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        raise ValueError(f"a title has 1 to {_LONGEST_NAME} characters")
    return name
