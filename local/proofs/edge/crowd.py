"""Clients that could delay the web edge, in a process of their own: `python -m local.proofs.edge.crowd`.

Prints a `Tally` as a line of JSON each second.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import requests
import typer

from ops.machine.ports import LOOPBACK, url

BODY_BYTES = 300_000_000
"""How many bytes each poster announces, or sends unless it is refused."""
_PIECE_BYTES = 64 * 1024
_AGAIN_S = 0.2
_LONGEST_S = 30.0


@dataclass(slots=True)
class Tally:
    """What the clients have done so far; each thread writes fields of its own."""

    half_open: int = 0
    """Connections that are open now, with half a request on them."""
    callbacks: int = 0
    """Callbacks that were answered, each after its call of Strava had timed out."""
    refused: int = 0
    """Bodies that were refused with 413."""
    other_ends: int = 0
    """Bodies that ended otherwise."""
    posted_bytes: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def line(self) -> str:
        """The tally as JSON."""
        return json.dumps({name: getattr(self, name) for name in _COUNTERS}, default=str)


_COUNTERS = ("half_open", "callbacks", "refused", "other_ends", "posted_bytes")


def hang(port: int, tally: Tally, number: int) -> None:
    """A browser that comes back from Strava's consent page again and again, and waits for our page."""
    base = url(port)
    while True:
        with requests.Session() as browser, suppress(requests.RequestException):
            browser.trust_env = False
            asked = browser.get(f"{base}/connect", allow_redirects=False, timeout=_LONGEST_S)
            (state,) = parse_qs(urlsplit(asked.headers.get("Location", "")).query).get("state", [""])
            answer = browser.get(
                f"{base}/callback",
                params={"state": state, "code": f"code-{number}", "scope": "read,activity:read"},
                timeout=_LONGEST_S,
            )
            with tally.counting:
                tally.callbacks += answer.status_code == requests.codes.unavailable
        time.sleep(_AGAIN_S / 10)


def keep_half_open(port: int, tally: Tally, count: int) -> None:
    """Keep connections with half a request each; one that the server closes is opened again."""
    kept: list[socket.socket] = []
    while True:
        kept = [one for one in kept if not _is_closed(one)]
        while len(kept) < count:
            half = socket.create_connection((LOOPBACK, port), timeout=_LONGEST_S)
            half.sendall(b"POST /webhook/half HTTP/1.1\r\nHost: half\r\nContent-Length: 300\r\n")
            half.setblocking(False)
            kept.append(half)
        tally.half_open = len(kept)
        time.sleep(_AGAIN_S)


def post(port: int, tally: Tally, *, is_chunked: bool) -> None:
    """A client that posts a body of `BODY_BYTES` as fast as the server reads it, and again when it was refused."""
    while True:
        sent, is_refused = _post_once(port, is_chunked=is_chunked)
        with tally.counting:
            tally.posted_bytes += sent
            tally.refused += is_refused
            tally.other_ends += not is_refused
        time.sleep(_AGAIN_S)


def _post_once(port: int, *, is_chunked: bool) -> tuple[int, bool]:
    length = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % BODY_BYTES
    piece = bytes(_PIECE_BYTES)
    if is_chunked:
        piece = b"%x\r\n%b\r\n" % (len(piece), piece)
    sent = 0
    with socket.create_connection((LOOPBACK, port), timeout=_LONGEST_S) as sender:
        with suppress(ConnectionError):
            sender.sendall(b"POST /webhook/large HTTP/1.1\r\nHost: large\r\n%b\r\n\r\n" % length)
            while sent < BODY_BYTES:
                sender.sendall(piece)
                sent += len(piece)
        with suppress(ConnectionError):
            return sent, sender.recv(20).startswith(b"HTTP/1.1 413")
    return sent, True  # the connection was reset before the answer was read, as HTTP allows


def _is_closed(half: socket.socket) -> bool:
    try:
        return half.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def main(
    port: Annotated[int, typer.Option()],
    callbacks: Annotated[int, typer.Option()],
    half_open: Annotated[int, typer.Option()],
    posters: Annotated[int, typer.Option()],
) -> None:
    """Load the server at `port` until the process is ended."""
    tally = Tally()
    for number in range(callbacks):
        threading.Thread(target=hang, args=(port, tally, number), daemon=True).start()
    threading.Thread(target=keep_half_open, args=(port, tally, half_open), daemon=True).start()
    for number in range(posters):
        threading.Thread(target=post, args=(port, tally), kwargs={"is_chunked": number % 2 == 1}, daemon=True).start()
    while True:
        time.sleep(1)
        print(tally.line(), flush=True)


if __name__ == "__main__":
    typer.run(main)
