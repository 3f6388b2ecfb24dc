"""The proof of `make demo`: repeated runs end within the promised time and memory."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress

import psutil

from local.proofs.proof import Effort
from local.proofs.verdict import Verdict
from ops.repository import REPOSITORY

DEMO_S = 45
MEMORY_GB = 3.0
_LOOK_EVERY_S = 3.0
"""Each look takes a tenth of a second of a core, which the demo is then without."""


def prove_demos(effort: Effort) -> list[Verdict]:
    """Ten demos in a row, or one. Their memory is that of all processes together, with shared parts counted once."""
    count = effort.rounds(10, small=1)
    held, seconds, peaks_gb = 0, [], []
    for number in range(count):
        began = time.monotonic()
        demo = subprocess.Popen([sys.executable, "-m", "local.demo"], cwd=REPOSITORY, stdout=subprocess.DEVNULL)
        peaks_gb.append(_watched_gb(demo))
        seconds.append(time.monotonic() - began)
        held += demo.returncode == 0
        effort.advance(number + 1)
    most_s, peak_gb = effort.within_s(DEMO_S), max(peaks_gb)
    took = f"{min(seconds):.1f} to {max(seconds):.1f} s"
    return [
        Verdict("demos", f"{count} demos in a row find what they should", f"{held} of {count}", held == count),
        Verdict("demos", f"each takes at most {most_s:.0f} s", took, max(seconds) <= most_s),
        Verdict("demos", f"memory stays below {MEMORY_GB:g} GB", f"at most {peak_gb:.2f} GB", peak_gb < MEMORY_GB),
    ]


def _watched_gb(demo: subprocess.Popen[bytes]) -> float:
    """The most memory that the demo's processes use until it ends."""
    peak = 0
    while demo.poll() is None:
        taken = 0
        with suppress(psutil.NoSuchProcess):
            for process in (parent := psutil.Process(demo.pid), *parent.children(recursive=True)):
                with suppress(psutil.Error):
                    taken += _own_bytes(process)
        peak = max(peak, taken)
        time.sleep(_LOOK_EVERY_S)
    return peak / 1e9


def _own_bytes(process: psutil.Process) -> int:
    """The process's memory; shared memory counts by its share, where the operating system reports that."""
    memory = process.memory_full_info()
    return int(getattr(memory, "pss", memory.uss))
