"""Starts a program that does not outlive its starter: `python die_with_parent.py <starter's pid> <program> …`.

Where the kernel offers it (Linux), the program gets SIGTERM the moment its starter ends, `kill -9` included.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tie_to(starter_pid: int) -> None:
    """Make the kernel end this process when its parent, the process `starter_pid`, ends.

    It survives exec, not fork. Ends this process if the starter has already ended.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != starter_pid:
        sys.exit(f"Process {starter_pid} ended before {sys.argv[-1]} could start")


if __name__ == "__main__":
    tie_to(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the commands we start are our own
