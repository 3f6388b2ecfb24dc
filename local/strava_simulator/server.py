"""Serves the simulator on the loopback interface: for the command line, and for tests in a thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from local.strava_simulator.api.http_pacing import PacedChannel
from local.strava_simulator.app import create_app
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.deliveries import DeliveryWorker
from local.strava_simulator.world.simulation import EXTENSION, Clock, Rules
from local.strava_simulator.world.state import State

_HOST = "127.0.0.1"
_THREADS = 8
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class RunningSimulator:
    """A simulator that serves at `base_url`, with the client of its control API."""

    base_url: str
    control: SimulatorControl
    application: Application


@contextmanager
def running_simulator(
    *,
    state_path: str = ":memory:",
    application: Application | None = None,
    rules: Rules | None = None,
    clock: Clock = time.time,
    port: int = 0,
    around: Mapping[str, str] | None = None,
) -> Iterator[RunningSimulator]:
    """A simulator that serves, processes uploads and delivers events until the block ends; port 0 is a free one.

    Its pages link to the addresses `around` it, by their names.
    """
    application = application or Application()
    state = State(state_path)
    # The callbacks are on this machine, which a proxy from the environment could not reach.
    with requests.Session() as session:
        session.trust_env = False
        app = create_app(state, application=application, rules=rules, clock=clock, session=session, around=around)
        worker = DeliveryWorker(app.extensions[EXTENSION])
        worker.start()
        try:
            with (
                socket.create_server((_HOST, port)) as listener,
                serving(app, listener) as base_url,
                SimulatorControl(base_url) as control,
            ):
                yield RunningSimulator(base_url, control, application)
        finally:
            worker.stop()
            state.close()


@contextmanager
def serving(app: Flask, listener: socket.socket) -> Iterator[str]:
    """Serve `app` at `listener` with threads until the block ends; yields the address."""
    channels: dict[int, Any] = {}
    server: Any = create_server(app, map=channels, sockets=[listener], threads=_THREADS, ident=None)
    server.channel_class = PacedChannel
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            wasyncore.loop(timeout=_LOOK_EVERY_S, use_poll=True, map=channels, count=1)

    host, port = listener.getsockname()[:2]
    thread = threading.Thread(target=serve, name="simulator", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        stopped.set()
        thread.join()
        server.task_dispatcher.shutdown()
        wasyncore.close_all(channels)
