"""CPU times that other work on the machine does not change much."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from statistics import mean


def interleaved(
    ours: Callable[[], object], rival: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """The CPU times of both in each round, in ms, measured in turn so that a busy minute of the machine meets both.

    Ours is called twice in a round, because it is short; each once beforehand. Garbage is collected before each call,
    so that none pays for the other's; during the call the collector runs as it does in production, but passes over what
    this process held before.
    """
    gc.collect()
    gc.freeze()
    try:
        ours()
        rival()
        rounds_s = [(seconds(rival), seconds(ours), seconds(ours)) for _ in range(rounds)]
    finally:
        gc.unfreeze()
    return [mean(both_s) * 1e3 for _, *both_s in rounds_s], [rival_s * 1e3 for rival_s, *_ in rounds_s]


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
