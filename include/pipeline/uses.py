"""The parameters of use cases: each names the groups of services that it uses, itself or through its callees."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from include.state.state import UsesClock, UsesState

if TYPE_CHECKING:  # the wiring imports every leaf; a use case must not wait for that
    from include.pipeline.services import DataLake, Strava
    from include.queue.queue import Queue


class UsesLake(UsesClock, Protocol):
    """Reads and writes objects."""

    @property
    def lake(self) -> DataLake:
        """The raw zone, the tables and their catalogue."""
        ...


class UsesStrava(UsesClock, Protocol):
    """Calls Strava."""

    @property
    def strava(self) -> Strava:
        """The clients of Strava's API."""
        ...


class UsesQueue(UsesClock, Protocol):
    """Sends messages, from which runs are started."""

    @property
    def queue(self) -> Queue:
        """The queue."""
        ...


class UsesWait(Protocol):
    """Pauses."""

    @property
    def wait(self) -> Callable[[float], None]:
        """Pauses for that many seconds."""
        ...


class UsesStorage(UsesState, UsesLake, Protocol):
    """Reads and writes rows and objects."""


class UsesStateAndQueue(UsesState, UsesQueue, Protocol):
    """Reads and writes rows, and sends messages."""


class UsesStateAndStrava(UsesState, UsesStrava, Protocol):
    """Reads and writes rows, and calls Strava."""


class UsesStorageAndStrava(UsesStorage, UsesStateAndStrava, Protocol):
    """Reads and writes rows and objects, and calls Strava."""


class UsesStateAndWait(UsesState, UsesWait, Protocol):
    """Reads and writes rows, and pauses."""


class UsesStorageAndQueue(UsesStorage, UsesStateAndQueue, Protocol):
    """Reads and writes rows and objects, and sends messages."""


class UsesStorageAndWait(UsesStorage, UsesStateAndWait, Protocol):
    """Reads and writes rows and objects, and pauses."""


class UsesStateStravaAndQueue(UsesStateAndStrava, UsesStateAndQueue, Protocol):
    """Reads and writes rows, calls Strava and sends messages."""


class UsesStorageStravaAndQueue(UsesStorageAndStrava, UsesStorageAndQueue, Protocol):
    """Reads and writes rows and objects, calls Strava and sends messages."""


class UsesStorageStravaAndWait(UsesStorageAndStrava, UsesStorageAndWait, Protocol):
    """Reads and writes rows and objects, calls Strava and pauses."""
