"""The points at which a process may die."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Crashed(BaseException):
    """The process is dead: its code cannot catch this, and its adapters refuse all further work."""


class Points:
    """Records the crash points that a process passes, and kills the process at the named one.

    Where an `event` is given, it is called there instead, once.
    """

    def __init__(self, happens_at: str | None = None, *, event: Callable[[], None] | None = None) -> None:
        self.passed: list[str] = []
        """Every point's name, numbered where it repeats; the one it died at is the last."""
        self._happens_at = happens_at
        self._event = event
        self._seen: Counter[str] = Counter()
        self._dead = False

    @contextmanager
    def around(self, what: str) -> Iterator[None]:
        """A point before and one after the block; the latter only where the block succeeds."""
        name = self.before(what)
        yield
        self.after(name)

    def before(self, what: str) -> str:
        """The point before `what`; returns its numbered name, for `after`."""
        self._seen[what] += 1
        name = f"{what} ({self._seen[what]})" if self._seen[what] > 1 else what
        self._pass(f"before {name}")
        return name

    def after(self, name: str) -> None:
        """The point after what `before` named."""
        self._pass(f"after {name}")

    def alive(self) -> None:
        """Refuse all work in a dead process: its `finally` blocks run here, although they would not after a kill."""
        if self._dead:
            raise Crashed

    def _pass(self, name: str) -> None:
        self.alive()
        self.passed.append(name)
        if name != self._happens_at:
            return
        if self._event is not None:
            self._event()
            return
        self._dead = True
        raise Crashed
