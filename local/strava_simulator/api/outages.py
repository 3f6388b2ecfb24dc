"""The five ways in which the simulated Strava fails for a while; an outage outlasts a restart."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from flask import Request

from local.strava_simulator.api import answers
from local.strava_simulator.api.script import Line
from local.strava_simulator.world.quota import Limits, Usage
from local.strava_simulator.world.simulation import simulation

LONGEST_S = 86_400


class Outage(StrEnum):
    """What callers get instead of Strava's answer."""

    QUOTA = "quota"
    DOWN = "down"
    SILENT = "silent"
    PAGE = "page"
    TOKENS = "tokens"


_OF_ATHLETES = frozenset({Outage.QUOTA, Outage.TOKENS})
"""Outages of calls made with an athlete's token; calls with the application's own credentials are answered."""
_APPLICATIONS_OWN = ("/oauth/", "/push_subscriptions")
_FOR_PEOPLE = "/oauth/authorize"
"""The page on which an athlete lets an application in works always."""

_LINES: Mapping[Outage, Line] = {
    Outage.DOWN: Line(
        route="*", status=503, content_type="text/html", body="<html><body>503 Service Unavailable</body></html>"
    ),
    # A byte in four seconds: whoever waits gives up, and then the connection is free again.
    Outage.SILENT: Line(route="*", head_bytes_per_s=0.25),
    Outage.PAGE: Line(
        route="*", content_type="text/html; charset=utf-8", body="<html><body>Strava is having a break.</body></html>"
    ),
    Outage.TOKENS: Line(
        route="*",
        status=401,
        body=json.dumps(answers.wrong_token().body),
    ),
}


@dataclass(frozen=True, slots=True)
class Failing:
    """The present outage."""

    kind: Outage
    until_epoch_s: float


def begin(db: sqlite3.Connection, kind: Outage, *, until_epoch_s: float) -> None:
    """Let Strava fail in this way until then, and in no other."""
    end(db)
    db.execute("INSERT INTO outage VALUES (?, ?)", (kind, until_epoch_s))


def end(db: sqlite3.Connection) -> None:
    """Let Strava answer again; safe to repeat."""
    db.execute("DELETE FROM outage")


def present(db: sqlite3.Connection, *, now: float) -> Failing | None:
    """The outage that has not ended, if there is one."""
    row = db.execute("SELECT * FROM outage WHERE until_epoch_s > ?", (now,)).fetchone()
    return None if row is None else Failing(Outage(row["kind"]), row["until_epoch_s"])


def line_for(request: Request) -> Line | None:
    """The answer of the present outage to this call, None where Strava itself answers."""
    sim = simulation()
    with sim.state.transaction() as db:
        failing = present(db, now=sim.clock())
    path = request.path.removeprefix("/api/v3")
    if failing is None or path == _FOR_PEOPLE:
        return None
    if failing.kind in _OF_ATHLETES and path.startswith(_APPLICATIONS_OWN):
        return None
    return _spent(sim.rules.limits) if failing.kind is Outage.QUOTA else _LINES[failing.kind]


def _spent(limits: Limits) -> Line:
    """The answer to a call that overruns the window's budget."""
    usage = Usage(
        limits,
        is_read=True,
        window=limits.window + 1,
        day=limits.window + 1,
        read_window=limits.read_window + 1,
        read_day=limits.read_window + 1,
    )
    body = json.dumps(answers.limit_exceeded("rate limit").body)
    return Line(route="*", status=429, headers=usage.headers(), body=body)
