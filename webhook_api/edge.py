"""The services that the pages use: settings, clock and the leaves, each opened at its first use."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast

from flask import current_app

from include.aws import ANSWER
from include.clock import Clock
from include.crypto.cipher import Cipher
from include.deadline import remaining_s
from include.errors import RetryLater
from include.queue.queue import Queue
from include.settings import Settings
from include.store.store import Store

if TYPE_CHECKING:
    from include.mail.mailer import Mailer
    from include.state.accounts.tokens import Tokens
    from include.state.state import State
    from include.strava.oauth import OAuthClient

EXTENSION = "edge"
"""The key in `app.extensions` under which a test puts an edge of its own."""

_Leaf = TypeVar("_Leaf")


@dataclass(frozen=True, slots=True)
class Edge:
    """Settings, clock and leaves of one app; calling a leaf opens it the first time, safely from any thread."""

    settings: Settings
    clock: Clock
    store: Callable[[], Store]
    queue: Callable[[], Queue]
    cipher: Callable[[], Cipher]
    oauth: Callable[[], OAuthClient]
    mailer: Callable[[], Mailer | None]

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> Edge:
        """The edge that `settings` describe; nothing is opened and no backend imported yet."""

        def open_store() -> Store:
            from include.store.backend import open_store

            return open_store(settings.state_url, clock, ANSWER)

        def open_queue() -> Queue:
            from include.queue.backend import open_queue

            return open_queue(settings.queue_url, clock, keep_days=int(settings.messages_keep_days), patience=ANSWER)

        def open_cipher() -> Cipher:
            from include.crypto.backend import open_cipher

            return open_cipher(settings.key_url, ANSWER)

        def open_oauth() -> OAuthClient:
            from include.strava.application import open_oauth
            from include.strava.http.session import StravaSession

            return open_oauth(settings, StravaSession(clock))

        def open_mailer() -> Mailer | None:
            from include.mail.backend import open_mailer

            return open_mailer(settings)

        return cls(
            settings=settings,
            clock=clock,
            store=_once(open_store),
            queue=_once(open_queue),
            cipher=_once(open_cipher),
            oauth=_once(open_oauth),
            mailer=_once(open_mailer),
        )

    def open(self) -> None:
        """Open the leaves that an event needs, before the first event; no service is called yet."""
        self.queue()
        _ = self.state

    @property
    def state(self) -> State:
        """The ledgers, on the store."""
        from include.state.state import State

        return State.on(self.store(), self.cipher(), self.clock)

    def tokens(self) -> Tokens:
        """Athletes' access tokens, refreshed where needed."""
        from include.state.accounts.tokens import Tokens

        return Tokens(self.store(), self.cipher(), self.clock, self.oauth().refresh, wait_in_time)


def wait_in_time(seconds: float) -> None:
    """Wait. Errors: `RetryLater`, at once, if the wait would end after the request's deadline."""
    if remaining_s() < seconds:
        raise RetryLater("Another process works on this, and the answer has to be given before it ends: try it again.")
    time.sleep(seconds)


def current_edge() -> Edge:
    """The edge of the app that answers the present request."""
    return cast(Edge, current_app.extensions[EXTENSION])


def _once(open_leaf: Callable[[], _Leaf]) -> Callable[[], _Leaf]:
    lock = Lock()
    opened = cache(open_leaf)

    def leaf() -> _Leaf:
        with lock:  # two requests at once must not open the same file twice
            return opened()

    return leaf
