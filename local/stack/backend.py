"""The backend of a local system: everything that differs between this machine's own leaves and AWS's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from local.stack.processes import Command, Processes
from local.stack.progress import Progress
from local.testbed.inspection import FileInspection, Inspection
from ops.machine.ports import EMBEDDED, Ports
from ops.machine.state_dir import StateDir


class Backend(Protocol):
    """The settings, processes and environment of one kind of leaves."""

    @property
    def servers(self) -> Sequence[str]:
        """The servers of `Ports` that this backend runs."""
        ...

    @property
    def web(self) -> str:
        """The name of the process that answers Strava and browsers."""
        ...

    def settings(self) -> Mapping[str, str]:
        """Settings that differ from those of one machine."""
        ...

    def shell(self, inherited: Mapping[str, str], ports: Ports) -> Mapping[str, str]:
        """The environment that processes inherit, in addition to their settings."""
        ...

    def opened(
        self, environment: Mapping[str, str], ports: Ports, processes: Processes, progress: Progress
    ) -> AbstractContextManager[None]:
        """A context in which the leaves exist, empty, for this process too."""
        ...

    def commands(self, environment: Mapping[str, str], ports: Ports) -> Sequence[Command]:
        """The processes that bring an event from the webhook to Airflow, in the order of their start."""
        ...

    def airflow(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Airflow's environment, made from the one that it would have on one machine."""
        ...

    def inspection(self, place: StateDir) -> Inspection:
        """Reads the contents of the leaves."""
        ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """Files and SQLite in the state directory; the default."""

    servers: Sequence[str] = EMBEDDED
    web: str = "webhook_server"

    def settings(self) -> Mapping[str, str]:
        """None: these are the defaults."""
        return {}

    def shell(self, inherited: Mapping[str, str], ports: Ports) -> Mapping[str, str]:  # noqa: ARG002 - files have none
        """The shell's whole environment."""
        return inherited

    def opened(self, *_: Mapping[str, str] | Ports | Processes | Progress) -> AbstractContextManager[None]:
        """No effect: each process creates the files that it needs."""
        return nullcontext()

    def commands(self, environment: Mapping[str, str], ports: Ports) -> Sequence[Command]:
        """The web server and the dispatcher."""
        return (
            Command.module("local.stack.webhook_server", ["--port", str(ports.web)], environment),
            Command.module("local.stack.dispatcher", [], environment),
        )

    def airflow(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """The same."""
        return environment

    def inspection(self, place: StateDir) -> Inspection:
        """The files."""
        return FileInspection(place.lake, place.database)
