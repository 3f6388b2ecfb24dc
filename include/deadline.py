"""The deadline of the present work: whatever waits for another machine gives up in time to answer by it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ends_at_s: ContextVar[float] = ContextVar("ends_at_s", default=math.inf)
"""On the monotonic clock."""


@contextmanager
def ending_at(ends_at_s: float) -> Iterator[None]:
    """A block that ends by `ends_at_s` of `time.monotonic`, or by the deadline around it where that is earlier."""
    token = _ends_at_s.set(min(ends_at_s, _ends_at_s.get()))
    try:
        yield
    finally:
        _ends_at_s.reset(token)


@contextmanager
def without_deadline() -> Iterator[None]:
    """A block that is worth more than an answer in time: what it does would be lost if it were given up."""
    token = _ends_at_s.set(math.inf)
    try:
        yield
    finally:
        _ends_at_s.reset(token)


def left_s() -> float:
    """How long the present block may still last: infinite without a deadline, negative when it is over."""
    return _ends_at_s.get() - time.monotonic()
