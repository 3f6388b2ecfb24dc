"""What a person reads while the system starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console


class Progress:
    """Lines about what is done, and, on a terminal, one line about what is being waited for."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("", spinner="dots")

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While this is open, `wait_for` shows on a terminal; elsewhere it shows nothing."""
        if not self._console.is_terminal:
            yield
            return
        with self._status:
            yield

    def wait_for(self, lacking: Mapping[str, str], elapsed_s: float) -> None:
        """Show what each part still lacks."""
        parts = "; ".join(f"{name}: {what}" for name, what in lacking.items())
        self._status.update(f"{elapsed_s:3.0f} s  {parts}")
