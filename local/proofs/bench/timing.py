"""CPU times that other work on the machine does not change much."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from statistics import median


def interleaved(ours: Callable[[], object], rival: Callable[[], object], rounds: int) -> tuple[float, float]:
    """The median CPU times of both, in seconds, measured in turn so that a busy minute of the machine meets both.

    Each is called once beforehand. Garbage is collected before each call, so that none pays for the other's;
    during the call the collector runs as it does in production.
    """
    ours()
    rival()
    times = [(seconds(rival), seconds(ours), seconds(ours)) for _ in range(rounds)]
    return median(time for _, *both in times for time in both), median(rivals for rivals, *_ in times)


def seconds(call: Callable[[], object]) -> float:
    """The CPU time that one call takes in all its threads, the garbage of earlier ones collected.

    The time on the clock would tell how busy the machine is.
    """
    gc.collect()
    start = time.process_time()
    call()
    return time.process_time() - start


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that `share` of them do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]
