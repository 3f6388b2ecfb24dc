"""Progress lines while the system starts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text


class Progress:
    """Lines about finished steps, and, on a terminal, one line about the parts that are not ready."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._waiting_line = _WaitingLine()

    def say(self, line: str) -> None:
        """Print a permanent line."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A context in which a terminal shows the parts last given to `wait_for`."""
        if not self._console.is_terminal:
            yield
            return
        self._waiting_line = _WaitingLine()
        with self._console.status(self._waiting_line, spinner="dots"):
            yield

    def wait_for(self, lacking: Mapping[str, str]) -> None:
        """Note what each part still lacks."""
        self._waiting_line.lacking = dict(lacking)


class _WaitingLine:
    """A line that counts the seconds while the caller polls."""

    def __init__(self) -> None:
        self.lacking: Mapping[str, str] = {}
        self._since = time.monotonic()

    def __rich__(self) -> Text:
        parts = "; ".join(f"{name} is {what}" for name, what in self.lacking.items())
        return Text(
            f"{time.monotonic() - self._since:3.0f} s  {parts.replace('_', ' ')}", overflow="ellipsis", no_wrap=True
        )
