"""Fresh processes, with nothing imported or cached by other rows."""

from __future__ import annotations

import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path


def fresh_processes(count: int) -> ProcessPoolExecutor:
    """A pool of `count` processes that inherit nothing from this one."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


def peak_mb() -> float:
    """This process's peak memory so far, in MB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # On Linux, ru_maxrss would count what the starting process held.
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024 / 1e6
