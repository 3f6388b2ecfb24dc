"""500 webhooks at ten a second while callbacks hang, connections are half open and large bodies are posted."""

from __future__ import annotations

import http.client
import io
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

import requests
from rich.console import Console

from include.queue.backend import open_queue
from include.settings import Settings
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from local.proofs.bench.system import SUBSCRIPTION_ID, connect
from local.proofs.bench.timing import percentile
from local.proofs.edge.crowd import BODY_BYTES
from local.proofs.edge.silent_strava import SilentStrava
from local.proofs.proof import Effort
from local.proofs.verdict import Verdict
from local.stack.backend import Embedded
from local.stack.processes import Command, Processes
from local.stack.progress import Progress
from local.stack.readiness import PageReadiness, wait_until_ready
from local.testbed.settings import environment_of, settings_in
from ops.machine.environment import process_environment
from ops.machine.ports import LOOPBACK, Ports, url

P99_S = 0.2
PAGE_S = 2.0
"""How long the start page may take meanwhile; it is requested once a second."""
_EACH_S = 0.1
_ATHLETE_ID = 7
_WARM_UP = 20
_LONGEST_S = 10.0
_GATHERS_S = 2.0
"""How long it takes until all clients are connected."""
_LOOK_EVERY_S = 0.1
_IS_THERE = 0.9
"""What share of the crowd is there on average: who was refused or answered comes again at once, but comes again."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many clients do what."""

    callbacks: int
    half_open: int
    posters: int


@dataclass(slots=True)
class Measurements:
    """The measurements while the webhooks arrived."""

    webhook_s: list[float] = field(default_factory=list)
    """Seconds from the time when each webhook was due to its answer."""
    queued: int = 0
    """Webhooks that were answered 200."""
    page_s: list[float] = field(default_factory=list)
    pages: int = 0
    """Start pages that were answered 200."""
    hanging: list[int] = field(default_factory=list)
    """How many callbacks waited for Strava, at each measurement."""


def prove_edge(effort: Effort) -> list[Verdict]:
    """500 webhooks beside 20 callbacks, 200 half requests and 3 posters; or 30 beside 6, 40 and 2."""
    crowd = Crowd(6, 40, 2) if effort.is_small else Crowd(20, 200, 3)
    count = effort.rounds(500, small=30)
    with SilentStrava.serving() as strava, _served(strava.url) as (settings, processes, port):
        seen = Measurements()
        _post_all(port, settings, range(_WARM_UP), Measurements())
        arguments = [f"--{name.replace('_', '-')}={getattr(crowd, name)}" for name in Crowd.__slots__]
        environment = process_environment(os.environ, {})
        command = Command.module("local.proofs.edge.crowd", [f"--port={port}", *arguments], environment)
        processes.start(command)
        time.sleep(_GATHERS_S)
        with _watched(port, strava, seen):
            _post_all(port, settings, range(_WARM_UP, _WARM_UP + count), seen)
        processes.check()
        effort.advance(count)
        told = [json.loads(line) for line in processes.log(command.name).read_text().splitlines()]
        depth = open_queue(settings.queue_url, time.time, keep_days=28).depth()
    within_s = effort.within_s(P99_S)
    return [
        _in_time(seen, count, within_s),
        _queued(seen, count, depth - _WARM_UP),
        _crowded(seen, told, crowd),
        _pages(seen, effort.within_s(PAGE_S)),
    ]


@contextmanager
def _served(strava_url: str) -> Iterator[tuple[Settings, Processes, int]]:
    """The web server as `make up` starts it, for one connected athlete; no dispatcher receives what it queues."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-")))
        ports = stack.enter_context(Ports.reserved(folder / "ports.json", lambda _: None, ("web",)))
        settings = settings_in(folder, strava_url, public_url=url(ports.web))
        athlete = Athlete(AthleteId(_ATHLETE_ID), "Ann", "Other")
        connect(settings, TokenGrant("access", "refresh", int(time.time()) + 21_600, athlete), time.time)
        processes = Processes.open(folder, folder / "run")
        stack.callback(processes.stop)
        environment = process_environment(os.environ, environment_of(settings))
        server, _dispatcher = Embedded().commands(environment, ports)
        processes.start(server)
        parts = {server.name: PageReadiness(f"{url(ports.web)}/health")}
        wait_until_ready(processes, parts, Progress(Console(file=io.StringIO())))
        yield settings, processes, ports.web


def _post_all(port: int, settings: Settings, numbers: range, seen: Measurements) -> None:
    """Post an event each tenth of a second, whether or not the previous one has been answered."""
    began = time.monotonic()

    def post(number: int) -> float:
        due = began + (number - numbers.start) * _EACH_S
        time.sleep(max(0.0, due - time.monotonic()))
        status = _post(port, settings, number)
        seen.queued += status == http.client.OK
        return time.monotonic() - due

    with ThreadPoolExecutor(max_workers=round(_LONGEST_S)) as senders:
        seen.webhook_s += senders.map(post, numbers)


def _post(port: int, settings: Settings, number: int) -> int:
    """The status of the answer to an event posted on a connection of its own; 0 without an answer."""
    event = {
        "aspect_type": "create",
        "event_time": 1_760_000_000 + number,
        "object_id": 1_000_000 + number,
        "object_type": "activity",
        "owner_id": _ATHLETE_ID,
        "subscription_id": SUBSCRIPTION_ID,
        "updates": {},
    }
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_LONGEST_S)
    try:
        connection.request("POST", f"/webhook/{settings.webhook_path_secret}", json.dumps(event))
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@contextmanager
def _watched(port: int, strava: SilentStrava, seen: Measurements) -> Iterator[None]:
    """Until the block ends, note how many callbacks wait and how fast the start page is."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_EVERY_S):
            seen.hanging.append(strava.waiting)

    def browse() -> None:
        while not over.wait(1.0):
            began = time.monotonic()
            try:
                seen.pages += requests.get(url(port), timeout=_LONGEST_S).ok
            except requests.RequestException:
                continue
            finally:
                seen.page_s.append(time.monotonic() - began)

    watchers = [threading.Thread(target=watch) for watch in (look, browse)]
    for watcher in watchers:
        watcher.start()
    try:
        yield
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()


def _in_time(seen: Measurements, count: int, within_s: float) -> Verdict:
    p99_s = percentile(seen.webhook_s, 0.99)
    figures = (
        f"median {median(seen.webhook_s) * 1e3:.0f} ms, p99 {p99_s * 1e3:.0f} ms, "
        f"longest {max(seen.webhook_s) * 1e3:.0f} ms"
    )
    return Verdict(
        "edge", f"{count} webhooks at 10 a second: p99 below {within_s * 1e3:.0f} ms", figures, p99_s < within_s
    )


def _queued(seen: Measurements, count: int, depth: int) -> Verdict:
    figures = f"{seen.queued} answered 200, {depth} in the queue"
    return Verdict("edge", "each is answered 200 and in the queue once", figures, seen.queued == depth == count)


def _crowded(seen: Measurements, told: Sequence[dict[str, Any]], crowd: Crowd) -> Verdict:
    hanging, half_open = mean(seen.hanging), mean(line["half_open"] for line in told)
    last = told[-1]
    claim = (
        f"meanwhile {crowd.callbacks} callbacks hang at a silent Strava, {crowd.half_open} connections are half open, "
        f"and {crowd.posters} post {BODY_BYTES // 1_000_000} MB each, which are refused"
    )
    figures = (
        f"on average {hanging:.1f} hung and {half_open:.0f} were half open; {last['callbacks']} callbacks were "
        f"answered 503; {last['refused']} bodies refused after {last['posted_bytes'] / 1e6:.0f} MB in all, "
        f"{last['other_ends']} not refused"
    )
    is_there = hanging >= _IS_THERE * crowd.callbacks and half_open >= _IS_THERE * crowd.half_open
    return Verdict("edge", claim, figures, is_there and last["refused"] > 0 and not last["other_ends"])


def _pages(seen: Measurements, within_s: float) -> Verdict:
    figures = f"{seen.pages} of {len(seen.page_s)} answered 200, the longest {max(seen.page_s):.2f} s"
    return Verdict(
        "edge",
        f"the start page, asked for once a second, comes within {within_s:.0f} s",
        figures,
        seen.pages == len(seen.page_s) and max(seen.page_s) <= within_s,
    )
