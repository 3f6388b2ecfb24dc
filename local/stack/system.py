"""The whole system on one machine: simulated Strava, web edge, dispatcher and Airflow."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from include.errors import SettingsError
from include.settings import Settings
from local.stack.airflow.database import AirflowDatabase, choose, socket_folder
from local.stack.airflow.home import Login, airflow_environment, prepare_home
from local.stack.backend import Backend, Embedded
from local.stack.disk import ensure_room, explained
from local.stack.processes import Command, Processes
from local.stack.progress import Progress
from local.stack.readiness import AirflowReadiness, PageReadiness, Readiness, wait_until_ready
from local.strava_simulator.world.quota import Tier
from local.testbed.inspection import Inspection
from ops.machine.environment import API_PATH, process_environment, settings_environment, uses_simulator
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.ports import FILE, Ports, url
from ops.machine.state_dir import StateDir

ATHLETES_PAGES, AIRFLOW = "Athletes' pages", "Airflow"
"""The labels of the links to these pages on the simulator's pages."""

SIMULATOR = "strava_simulator"
"""The process of the simulated Strava."""

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Stack:
    """A running system."""

    state_dir: StateDir
    settings: Settings
    environment: Mapping[str, str] = field(repr=False)
    """The environment of the web edge and the dispatcher, for further processes; contains secrets."""
    simulator_url: str
    """Empty with the real Strava."""
    web_url: str
    airflow_url: str
    airflow_login: Login
    processes: Processes
    ports: Ports
    backend: Backend
    database: AirflowDatabase

    @classmethod
    @contextmanager
    def start(  # noqa: PLR0913 - each is a choice of its own, and has a default
        cls,
        *,
        state_dir: Path,
        dags: Collection[str],
        progress: Progress,
        fresh: bool = False,
        overrides: Mapping[str, str] | None = None,
        backend: Backend | None = None,
        tier: Tier = Tier.UPGRADED,
        api_path: str = API_PATH,
    ) -> Iterator[Stack]:
        """A context with a system that is ready for work; all of its processes are ended when the context is left.

        `state_dir` is created if it is missing, else the system continues from it; `fresh` first deletes what an
        earlier run left there. `dags` are the DAGs to wait for. `overrides` are settings that replace the derived
        ones; with credentials of a real Strava application among them, no simulator is started. `backend` chooses the
        leaves, by default this machine's own; `tier` are the simulated limits, and `api_path` is the path of the API at
        the simulated Strava.
        Call it from the main thread, once at a time.

        Errors: `SettingsError` when another system uses `state_dir`, a setting is wrong or the disk refuses,
        `StackFailed` when a process dies or is not ready in time. SIGTERM and SIGHUP leave the context as Ctrl-C does.
        Effects: processes, ports of the loopback interface, files below `state_dir`, nothing else.
        """
        place = StateDir(state_dir.resolve())
        with (
            explained(place.root),
            place.hold(),
            _ended_by_signals(),
            socket_folder(place) as sockets,
            _ended_on_leaving(place) as processes,
        ):
            if fresh:
                place.clear()
            ensure_room(place.root)
            database = choose(place, sockets, GeneratedSecrets.of(place))
            leaves = backend or Embedded()
            with Ports.reserved(place.root / FILE, progress.say, leaves.servers) as ports:
                stack, airflow = cls._configure(
                    place, processes, overrides or {}, ports, leaves, database, api_path=api_path
                )
                with leaves.opened(stack.environment, ports, processes, progress):
                    database.start(processes, progress.say)
                    stack._launch(airflow, tier)
                    stack._wait(dags, progress)
                    yield stack

    @classmethod
    def _configure(
        cls,
        place: StateDir,
        processes: Processes,
        overrides: Mapping[str, str],
        ports: Ports,
        backend: Backend,
        database: AirflowDatabase,
        *,
        api_path: str,
    ) -> tuple[Stack, Mapping[str, str]]:
        """The configured system, and Airflow's environment."""
        simulated = uses_simulator(overrides)
        _claim(place, "simulated Strava" if simulated else "real Strava")
        generated = GeneratedSecrets.of(place)
        settings = settings_environment(place, ports, generated, {**backend.settings(), **overrides}, api_path=api_path)
        environment = process_environment(backend.shell(os.environ, ports), settings)
        stack = cls(
            state_dir=place,
            settings=Settings.from_environ(environment),
            environment=environment,
            simulator_url=url(ports.simulator) if simulated else "",
            web_url=url(ports.web),
            airflow_url=url(ports.airflow),
            airflow_login=prepare_home(place, generated),
            processes=processes,
            ports=ports,
            backend=backend,
            database=database,
        )
        return stack, backend.airflow(airflow_environment(place, ports, generated, environment, database.options))

    def inspection(self) -> Inspection:
        """Reads the contents of the system's leaves."""
        return self.backend.inspection(self.state_dir)

    def _launch(self, airflow: Mapping[str, str], tier: Tier) -> None:
        """Start everything at once; what is started first is ended last."""
        start, place = self.processes.start, self.state_dir
        if self.simulator_url:
            arguments = ["--port", str(self.ports.simulator), "--state", str(place.simulator), "--limits", tier]
            arguments += ["--around", f"{ATHLETES_PAGES}={self.web_url}", "--around", f"{AIRFLOW}={self.airflow_url}"]
            start(Command.module("local.strava_simulator", arguments, self.environment).outside())
        start(Command.module("local.stack.airflow.server", [str(place.logs), self.settings.runs_keep_days], airflow))
        for command in self.backend.commands(self.environment, self.ports):
            start(command)

    def _wait(self, dags: Collection[str], progress: Progress) -> None:
        waiting: dict[str, Readiness] = {
            self.backend.web: PageReadiness(f"{self.web_url}/health"),
            "airflow_server": AirflowReadiness(self.airflow_url, self.airflow_login, dags, since_epoch_s=time.time()),
        }
        if self.simulator_url:
            waiting = {SIMULATOR: PageReadiness(self.simulator_url), **waiting}
        wait_until_ready(self.processes, waiting, progress)


def _claim(place: StateDir, strava: str) -> None:
    """Reserve the state directory for athletes of this Strava, simulated or real. Errors: `SettingsError`."""
    belongs_to = place.root / "strava"
    if belongs_to.exists() and (owner := belongs_to.read_text().strip()) != strava:
        raise SettingsError(
            f"{place.root} holds athletes of the {owner}, and your settings ask for the {strava}: "
            "set STATE_DIR to another directory, for example STATE_DIR=.state/other."
        )
    belongs_to.write_text(strava + "\n")


@contextmanager
def _ended_on_leaving(place: StateDir) -> Iterator[Processes]:
    """A context with the processes of a new run; it ends them when it is left, and no signal interrupts that."""
    processes = Processes.open(place.logs, place.root / "run")
    try:
        yield processes
    finally:
        kept = {signum: signal.signal(signum, signal.SIG_IGN) for signum in (signal.SIGINT, *_ENDING)}
        processes.stop()
        for signum, handler in kept.items():
            signal.signal(signum, handler)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    def leave(signum: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    heeded = [signum for signum in _ENDING if signal.getsignal(signum) is not signal.SIG_IGN]  # nohup ignores SIGHUP
    kept = {signum: signal.signal(signum, leave) for signum in heeded}
    try:
        yield
    finally:
        for signum, handler in kept.items():
            signal.signal(signum, handler)
