"""The rows about the webhook's answer, for which Strava waits two seconds."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from flask import Flask

from include.queue.sqlite import SqliteQueue
from include.settings import Settings
from include.strava.models import Athlete, AthleteId, TokenGrant
from local.bench.claim import Claim
from local.bench.scale import Scale
from local.bench.system import DATABASE, SUBSCRIPTION_ID, connect, embedded_settings, environment
from local.bench.timing import percentile
from local.environment import process_environment
from local.ports import LOOPBACK
from webhook_api.app import create_app
from webhook_api.edge import EXTENSION, Edge

_ATHLETE_ID = 7
_WARM_UP = 50
_LOOK_EVERY_S = 0.002
_LONGEST_S = 30.0


def webhook_warm(scale: Scale, directory: Path) -> Sequence[Claim]:
    """The 99th percentile of an event's way through the Flask app, until it is safe on the disk and answered."""
    settings = _connected(directory)
    times: list[float] = []
    with _opened(settings, directory / DATABASE) as app:
        client = app.test_client()
        for number in range(scale.events + _WARM_UP):
            start = time.perf_counter()
            answer = client.post(f"/webhook/{settings.webhook_path_secret}", data=_event(number))
            times.append(time.perf_counter() - start)
            if answer.json != {"status": "queued"}:
                raise AssertionError(f"the webhook answered {answer.status} to a good event; the times mean nothing")
    return [Claim.bounded("webhook_warm", "ms", percentile(times[_WARM_UP:], 0.99) * 1e3, at_most=20)]


def webhook_cold(scale: Scale, directory: Path) -> Sequence[Claim]:
    """From the start of a bare process to its first answer over HTTP, for a handshake and for an event."""
    settings = _connected(directory)
    challenge = {
        "hub.mode": "subscribe",
        "hub.verify_token": settings.webhook_verify_token,
        "hub.challenge": "c",
    }
    path = f"/webhook/{settings.webhook_path_secret}"
    _first_answer_s(settings, "POST", path, _event(0))  # the first process reads everything from the disk
    times = [
        (
            _first_answer_s(settings, "GET", f"{path}?{urlencode(challenge)}", b""),
            _first_answer_s(settings, "POST", path, _event(number)),
        )
        for number in range(scale.rounds)
    ]
    return [
        Claim.bounded("webhook_cold", "s", median(get for get, _ in times), at_most=1.0),
        Claim.bounded("webhook_cold.post", "s", median(post for _, post in times), at_most=1.6),
    ]


def _connected(directory: Path) -> Settings:
    settings = embedded_settings(directory)
    athlete = Athlete(AthleteId(_ATHLETE_ID), "Ann", "Other")
    connect(settings, TokenGrant("access", "refresh", int(time.time()) + 21_600, athlete), time.time)
    return settings


@contextmanager
def _opened(settings: Settings, database: Path) -> Iterator[Flask]:
    """The app, its leaves closed at the end."""
    app = create_app(settings)
    edge: Edge = app.extensions[EXTENSION]
    with closing(SqliteQueue(database, time.time)) as queue, closing(edge.store()):
        app.extensions[EXTENSION] = replace(edge, queue=lambda: queue)
        yield app


def _event(number: int) -> bytes:
    event = {
        "aspect_type": "create",
        "event_time": 1_760_000_000 + number,
        "object_id": 1_000_000 + number,
        "object_type": "activity",
        "owner_id": _ATHLETE_ID,
        "subscription_id": SUBSCRIPTION_ID,
        "updates": {},
    }
    return json.dumps(event).encode()


def _first_answer_s(settings: Settings, method: str, path: str, body: bytes) -> float:
    """Seconds from the start of a server process to its first answer."""
    port = _free_port()
    start = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "local.webhook_server", "--port", str(port)],
        env=process_environment(os.environ, environment(settings)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        status = _ask(port, method, path, body, give_up_at=start + _LONGEST_S)
        took = time.perf_counter() - start
    finally:
        server.terminate()
        server.wait()
    if status != 200:
        raise AssertionError(f"the first {method} was answered {status}, not 200; its time means nothing")
    return took


def _ask(port: int, method: str, path: str, body: bytes, *, give_up_at: float) -> int:
    """The status of the answer, asked for until somebody listens."""
    headers: Mapping[str, str] = {"Content-Type": "application/json"}
    while True:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_LONGEST_S)
        try:
            connection.request(method, path, body, headers)
            return connection.getresponse().status
        except ConnectionRefusedError:
            if time.perf_counter() > give_up_at:
                raise
            time.sleep(_LOOK_EVERY_S)
        finally:
            connection.close()


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as probe:
        return int(probe.getsockname()[1])
