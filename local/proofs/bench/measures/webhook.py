"""The rows about the webhook's answer, for which Strava waits two seconds: Lambda's own runtime client is measured."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from include.settings import Settings
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from local.aws.lambda_runtime import LambdaProcess, lambda_process
from local.proofs.bench.claim import Claim
from local.proofs.bench.scale import Scale
from local.proofs.bench.system import SUBSCRIPTION_ID, connect
from local.proofs.bench.timing import percentile
from local.testbed.settings import NO_STRAVA, environment_of, settings_in
from ops.machine.environment import process_environment
from ops.package.http_event import http_event

_HANDLER = "webhook_api.aws_lambda.http.handler"
_ATHLETE_ID = 7
_WARM_UP = 50


def webhook_warm(scale: Scale, directory: Path) -> Sequence[Claim]:
    """The 99th percentile of an event's way through a warm Lambda process: from the runtime's API and back to it.

    State and queue are files, so that nobody else's service is measured: the event is safe on the disk when answered.
    """
    settings = _connected(directory)
    with lambda_process(_HANDLER, _lambda_environment(settings)) as process:
        times = [_answer_ms(process, _event(settings, number)) for number in range(scale.events + _WARM_UP)][_WARM_UP:]
    share = len(times) // scale.rounds
    slowest = [percentile(times[first : first + share], 0.99) for first in range(0, share * scale.rounds, share)]
    return [Claim.bounded("webhook_warm", "ms", slowest, at_most=20)]


def webhook_cold(scale: Scale, directory: Path) -> Sequence[Claim]:
    """From the start of a bare process to its first answer through Lambda's runtime, for a handshake and an event."""
    settings = _connected(directory)
    _first_answer_s(settings, _event(settings, 0))  # the first process reads everything from the disk
    times = [
        (_first_answer_s(settings, _handshake(settings)), _first_answer_s(settings, _event(settings, number)))
        for number in range(scale.rounds)
    ]
    return [
        Claim.bounded("webhook_cold", "s", [get for get, _ in times], at_most=1.0),
        Claim.bounded("webhook_cold.post", "s", [post for _, post in times], at_most=1.6),
    ]


def _connected(directory: Path) -> Settings:
    settings = settings_in(directory, NO_STRAVA)
    athlete = Athlete(AthleteId(_ATHLETE_ID), "Ann", "Other")
    connect(settings, TokenGrant("access", "refresh", int(time.time()) + 21_600, athlete), time.time)
    return settings


def _lambda_environment(settings: Settings) -> Mapping[str, str]:
    return process_environment(os.environ, environment_of(settings))


def _handshake(settings: Settings) -> Mapping[str, Any]:
    query = {"hub.mode": "subscribe", "hub.verify_token": settings.webhook_verify_token, "hub.challenge": "c"}
    return http_event("GET", f"/webhook/{settings.webhook_path_secret}", query=query)


def _event(settings: Settings, number: int) -> Mapping[str, Any]:
    event = {
        "aspect_type": "create",
        "event_time": 1_760_000_000 + number,
        "object_id": 1_000_000 + number,
        "object_type": "activity",
        "owner_id": _ATHLETE_ID,
        "subscription_id": SUBSCRIPTION_ID,
        "updates": {},
    }
    return http_event("POST", f"/webhook/{settings.webhook_path_secret}", json.dumps(event).encode())


def _answer_ms(process: LambdaProcess, request: Mapping[str, Any]) -> float:
    """Milliseconds until the event is queued and answered."""
    start = time.perf_counter()
    answer = process.invoke(request)
    took_s = time.perf_counter() - start
    if json.loads(answer["body"]) != {"status": "queued"}:
        raise AssertionError(f"the webhook answered {answer['statusCode']} to a good event: nothing is measured")
    return took_s * 1e3


def _first_answer_s(settings: Settings, request: Mapping[str, Any]) -> float:
    """Seconds from the start of a process to its first answer."""
    start = time.perf_counter()
    with lambda_process(_HANDLER, _lambda_environment(settings)) as process:
        return _answered_s(process, request, start)


def _answered_s(process: LambdaProcess, request: Mapping[str, Any], start: float) -> float:
    answer = process.invoke(request)
    took = time.perf_counter() - start
    if answer["statusCode"] != 200:
        raise AssertionError(f"the first answer was {answer['statusCode']}, not 200: its time means nothing")
    return took
