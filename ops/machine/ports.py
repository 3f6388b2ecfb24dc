"""The ports of the loopback interface on which the servers listen."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

LOOPBACK = "127.0.0.1"
FILE = "ports.json"
EMBEDDED = ("simulator", "web", "airflow")
"""The servers of a system that uses this machine's own leaves."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One port for each server; the defaults are the preferred ports."""

    simulator: int = 8410
    web: int = 8420
    airflow: int = 8430
    aws: int = 8440
    mwaa: int = 8450

    @classmethod
    @contextmanager
    def reserved(cls, memory: Path, say: Callable[[str], None], servers: Collection[str] = EMBEDDED) -> Iterator[Ports]:
        """The ports of the last start, or the preferred ones; where another program has taken one, the next free one.

        Only ports of `servers` are checked. While the context is open no other system chooses them, although their
        servers may take half a minute until they listen.

        Effects: the choice is stored in the file `memory`, so that addresses stay the same after a restart; `say` gets
        one line for each port that had to change.
        """
        wanted = {server: port for server, port in asdict(cls()).items() if server in servers}
        if memory.exists():
            wanted |= json.loads(memory.read_text())
        chosen: dict[str, int] = {}
        with ExitStack() as reservations:
            for server, port in wanted.items():
                chosen[server] = next(free for free in count(port) if _is_free(free) and _reserve(free, reservations))
                if chosen[server] != port:
                    say(f"Port {port} is taken by another program: {server} moves to {chosen[server]}")
            memory.write_text(json.dumps(chosen) + "\n")
            yield cls(**chosen)


def remembered(memory: Path) -> Ports:
    """The ports of the last start, whose choice is in the file `memory`."""
    return Ports(**json.loads(memory.read_text()))


def url(port: int) -> str:
    """The address of a server on this machine, without a trailing slash."""
    return f"http://{LOOPBACK}:{port}"


def _reserve(port: int, reservations: ExitStack) -> bool:
    """Whether no other system has reserved this port: each holds the otherwise unused UDP port of the same number."""
    holder = reservations.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    try:
        holder.bind((LOOPBACK, port))
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT, of a server that has just ended, is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
