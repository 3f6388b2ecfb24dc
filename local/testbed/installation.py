"""An installation with web pages and a simulated Strava for a browser, all in this process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import requests
from flask import Flask

from include.errors import IngestError
from include.pipeline.reconcile.due import queue_due
from include.pipeline.services import Services, open_services
from include.settings import Settings
from include.store.backend import open_store
from include.store.store import Store
from local.strava_simulator.app import create_app as create_strava
from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.server import serving
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.deliveries import deliver_due
from local.strava_simulator.world.processing import settle_due
from local.strava_simulator.world.simulation import EXTENSION as SIMULATION
from local.strava_simulator.world.simulation import Rules, Simulation
from local.strava_simulator.world.state import State
from local.testbed.manual_clock import ManualClock
from local.testbed.runs import InlineRuns
from local.testbed.settings import settings_in
from webhook_api.app import create_app as create_pages
from webhook_api.dispatcher import dispatch
from webhook_api.edge import EXTENSION as EDGE

_ACTIVITY_S = 1800
_POINTS = 600


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation; the work of its events and pages is done in `catch_up`."""

    settings: Settings
    control: SimulatorControl
    clock: ManualClock
    store: Store
    services: Services
    simulation: Simulation
    runs: InlineRuns

    @property
    def web_url(self) -> str:
        """The address of its pages."""
        return self.settings.public_url

    @property
    def client_id(self) -> int:
        """The application's client id at Strava."""
        return int(self.settings.strava_client_id)

    def finish(self, athlete_id: int, title: str, kind: str = "run") -> int:
        """Let the athlete finish an activity of half an hour now, then catch up; returns its id."""
        start_at = datetime.fromtimestamp(self.clock() - _ACTIVITY_S, UTC)
        activity_id = self.control.generate_activity(athlete_id, kind, start_at=start_at, points=_POINTS, name=title)
        self.catch_up()
        return activity_id

    def rename(self, activity_id: int, title: str) -> None:
        """Let the athlete rename the activity, then catch up."""
        self.control.rename(activity_id, title)
        self.catch_up()

    def only_mail(self) -> str:
        """The text of the one mail that was written."""
        (mail,) = Path(self.settings.mail_url.removeprefix("file://")).iterdir()
        return str(message_from_bytes(mail.read_bytes(), policy=default).get_content())

    def catch_up(self) -> None:
        """Deliver Strava's events, and do the queued work until none is left."""
        while True:
            settle_due(self.simulation)
            delivered = deliver_due(self.simulation)
            if not dispatch(self.services.queue, self.runs, self.store, self.clock).received and not delivered:
                return

    def reconcile(self) -> None:
        """Queue due work, as reconcile does every quarter of an hour, and do it."""
        queue_due(self.services)
        self.catch_up()


@contextmanager
def one_process(folder: Path, *, now_epoch_s: float, rules: Rules | None = None) -> Iterator[Installation]:
    """An installation with its state in `folder` and Strava's in memory; its webhook is already subscribed.

    It says who runs it, and writes its mails into a folder in `folder`.
    """
    clock, application = ManualClock(now_epoch_s), Application()
    with (
        loopback_listener() as pages,
        loopback_listener() as listener,
        simulated_strava(":memory:", application, clock, rules) as strava,
        serving(strava, listener) as strava_url,
    ):
        settings = replace(
            settings_in(folder, strava_url, application=application, public_url=address_of(pages)),
            operator_name="the Smith family",
            contact="hello@smith.example",
            mail_url=f"file://{folder}/mails",
        )
        with opened(settings, strava, strava_url, clock, pages) as installation:
            services, webhook = installation.services, settings.webhook_url
            subscription = services.strava.push.create(webhook, settings.webhook_verify_token)
            services.state.subscriptions.save(subscription)
            yield installation


@contextmanager
def simulated_strava(
    state_path: str, application: Application, clock: ManualClock, rules: Rules | None = None
) -> Iterator[Flask]:
    """The simulator with the state at this path, without a server; its events wait for `catch_up`."""
    with closing(State(state_path)) as state, requests.Session() as session:
        session.trust_env = False  # The callbacks are on this machine.
        yield create_strava(state, application=application, rules=rules, clock=clock, session=session)


@contextmanager
def opened(
    settings: Settings,
    strava: Flask,
    strava_url: str,
    clock: ManualClock,
    pages: socket.socket,
    failures: list[IngestError] | None = None,
) -> Iterator[Installation]:
    """The installation with these settings; its pages are served at the listener `pages`, `strava` at `strava_url`.

    Errors: those of tasks, unless `failures` collects them.
    """
    simulation: Simulation = strava.extensions[SIMULATION]

    def wait(seconds: float) -> None:
        clock.advance(seconds)
        settle_due(simulation)

    with ExitStack() as stack:
        services = stack.enter_context(open_services(settings, clock=clock, wait=wait))
        store = stack.enter_context(closing(open_store(settings.state_url, clock)))
        web = create_pages(settings, clock)
        web.extensions[EDGE] = replace(
            web.extensions[EDGE],
            store=lambda: store,
            queue=lambda: services.queue,
            oauth=lambda: services.strava.oauth,
        )
        stack.enter_context(serving(web, pages))
        control = stack.enter_context(SimulatorControl(strava_url))
        runs = InlineRuns(services, settings, failures)
        yield Installation(settings, control, clock, store, services, simulation, runs)


def loopback_listener() -> socket.socket:
    """A listener on a free port of this machine."""
    return socket.create_server(("127.0.0.1", 0))


def address_of(listener: socket.socket) -> str:
    """The base URL of a listener."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"
