"""Fresh processes: nothing imported, cached or left over from other rows."""

from __future__ import annotations

import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path


def fresh_processes(count: int) -> ProcessPoolExecutor:
    """So many processes that start empty, whatever this one holds."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


def peak_mb() -> float:
    """The most memory that this process has held so far, in MB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # On Linux, ru_maxrss would count what the starting process held.
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024 / 1e6
