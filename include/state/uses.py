"""What is taken by whatever reads and writes rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from include.clock import Clock

if TYPE_CHECKING:  # a page is loaded without the ledgers that it does not name
    from include.state.state import State


class UsesClock(Protocol):
    """Tells the time."""

    @property
    def clock(self) -> Clock:
        """The present time as epoch seconds, each time it is called."""
        ...


class UsesState(UsesClock, Protocol):
    """Reads and writes rows."""

    @property
    def state(self) -> State:
        """The ledgers."""
        ...
