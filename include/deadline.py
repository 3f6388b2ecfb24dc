"""The deadline of the present work: calls to other machines give up early enough to meet it."""

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
    """A block with the deadline `ends_at_s`, in seconds of `time.monotonic`; an earlier deadline around it stays."""
    token = _ends_at_s.set(min(ends_at_s, _ends_at_s.get()))
    try:
        yield
    finally:
        _ends_at_s.reset(token)


@contextmanager
def without_deadline() -> Iterator[None]:
    """A block without a deadline, for work whose result would be lost if it were given up."""
    token = _ends_at_s.set(math.inf)
    try:
        yield
    finally:
        _ends_at_s.reset(token)


def remaining_s() -> float:
    """The time until the deadline: infinite without a deadline, negative after it."""
    return _ends_at_s.get() - time.monotonic()
