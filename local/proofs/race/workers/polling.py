"""A reader that reads repeatedly beside the writers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PAUSE_S = 0.01


@contextmanager
def polling(look: Callable[[], None]) -> Iterator[None]:
    """Call `look` repeatedly, in parallel to the block until it ends, and once more at the end."""
    over = threading.Event()

    def poll() -> None:
        while not over.wait(_PAUSE_S):
            look()

    thread = threading.Thread(target=poll, name="reader")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    look()
