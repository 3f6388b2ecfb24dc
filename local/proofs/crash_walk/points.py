"""The points at which a process may die."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Crashed(BaseException):
    """The process is dead: nothing in it catches this, and nothing in it gets anything done any more."""


class Points:
    """Notes the points that a process passes, and lets something happen at the one of a certain name.

    The process dies there; where an `event` is given, that happens instead, once.
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
        """Let nothing happen in a dead process: its `finally` blocks run here, as they would not after a kill."""
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
