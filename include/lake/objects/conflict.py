"""Conditional writes of shared objects: read, check the lease, write under the condition."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from include.errors import ObjectConflict

Guard = Callable[[], None]
"""Raises `LeaseLost` when the caller may no longer write.

It is called after the object was read and before it is written, on the condition that it is unchanged. So a writer that
loses its lease in between fails on the condition once the next holder has written; it then reads again and stops.
"""


def until_written(sleep: Callable[[float], None]) -> Retrying:
    """Repeats a read-change-write after an `ObjectConflict`, up to 40 times with growing, random pauses."""
    return Retrying(
        retry=retry_if_exception_type(ObjectConflict),
        wait=wait_random_exponential(multiplier=0.02, max=1.0),
        stop=stop_after_attempt(40),
        sleep=sleep,
        reraise=True,
    )
