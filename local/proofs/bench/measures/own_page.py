"""The row about the page that athletes open most."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from flask import Flask
from werkzeug.test import TestResponse

from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from local.proofs.bench.claim import Claim
from local.proofs.bench.scale import Scale
from local.proofs.bench.system import connect
from local.proofs.bench.timing import percentile
from local.testbed.large_family import SENT, add_years, link_family
from local.testbed.settings import NO_STRAVA, settings_in
from webhook_api.app import create_app
from webhook_api.edge import EXTENSION, Edge
from webhook_api.pages.recent import SHOWN
from webhook_api.session import begin_session

_ATHLETE_ID = 7
_ACTIVITIES = 5_000
"""Of the athlete's own, and as many copies each way."""
_TIMES = 20
"""How often the page is asked for in each round."""


def own_page(scale: Scale, directory: Path) -> Sequence[Claim]:
    """The 95th percentile of `/me`, on the clock, after years with a family of ten.

    State is a file, so that nobody else's service is measured.
    """
    settings = replace(
        settings_in(directory, NO_STRAVA), contact="us@example.org", mail_url=f"file://{directory}/mails"
    )
    athlete = Athlete(AthleteId(_ATHLETE_ID), "Ann", "Other")
    connect(settings, TokenGrant("access", "refresh", int(time.time()) + 21_600, athlete), time.time)
    app = create_app(settings)
    edge: Edge = app.extensions[EXTENSION]
    link_family(edge.state, _ATHLETE_ID, int(time.time()))
    edge.store().close()
    add_years(directory / "state.sqlite", _ATHLETE_ID, _ACTIVITIES, int(time.time()))

    page = _signed_in(create_app(settings))
    _answer_ms(page)  # the first opens the file, and compiles the templates
    slowest = [percentile([_answer_ms(page) for _ in range(_TIMES)], 0.95) for _ in range(scale.rounds)]
    return [Claim.bounded("own_page", "ms", slowest, at_most=150)]


def _signed_in(app: Flask) -> Callable[[], TestResponse]:
    """Asks for the page in a browser in which the athlete is signed in."""
    edge: Edge = app.extensions[EXTENSION]
    with app.test_request_context():
        begin_session(edge.state.athletes.get(_ATHLETE_ID))
        cookie = app.process_response(app.make_response("")).headers["Set-Cookie"].partition(";")[0]
    return partial(app.test_client(use_cookies=False).get, "/me", headers={"Cookie": cookie})


def _answer_ms(page: Callable[[], TestResponse]) -> float:
    start = time.perf_counter()
    answer = page()
    took_ms = (time.perf_counter() - start) * 1e3
    if answer.text.count(SENT) != SHOWN:
        raise AssertionError(f"the page answered {answer.status_code}, not with {SHOWN} copies: its time means nothing")
    return took_ms
