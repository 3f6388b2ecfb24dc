"""How the lake writes an object that others may write too: read, check the right to write, write conditionally."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from include.errors import ObjectConflict

Guard = Callable[[], None]
"""Raises `LeaseLost` when the caller may write no more.

It is called after the object was read and before it is written under the condition that it is unchanged. So a writer
who loses the right in between fails on the condition as soon as the next holder has written, reads again and stops.
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
