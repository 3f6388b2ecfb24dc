"""The points at which a process may die, and the stores and the session that pass them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Flask

from include.clock import Clock
from include.lake.objects.objects import Condition, ObjectStore, StoredObject
from include.queue.queue import Message, Queue
from include.store.store import Item, Key, Store
from include.strava.http.response import Response
from include.strava.http.session import Call, StravaSession
from local.proofs.race.watched_store import WatchedStore
from local.strava_simulator.in_process import InProcessTransport

_NUMBER = re.compile(r"\d+")


class Crashed(BaseException):
    """The process is dead: nothing in it catches this, and nothing in it gets anything done any more."""


class Points:
    """Notes the points that a process passes, and lets something happen at the one of a certain name.

    That is its death, or a `blow` of another kind, once.
    """

    def __init__(self, strike_at: str | None = None, *, blow: Callable[[], None] | None = None) -> None:
        self.passed: list[str] = []
        """Every point's name, numbered where it repeats; the one it died at is the last."""
        self._strike_at = strike_at
        self._blow = blow
        self._seen: Counter[str] = Counter()
        self._dead = False

    @contextmanager
    def around(self, what: str) -> Iterator[None]:
        """A point before and one after the block; the latter only where the block succeeds."""
        name = self.before(what)
        yield
        self.after(name)

    def before(self, what: str) -> str:
        """The point before `what`; returns its numbered name, for `after`."""
        self._seen[what] += 1
        name = f"{what} ({self._seen[what]})" if self._seen[what] > 1 else what
        self._pass(f"before {name}")
        return name

    def after(self, name: str) -> None:
        """The point after what `before` named."""
        self._pass(f"after {name}")

    def alive(self) -> None:
        """Let nothing happen in a dead process: its `finally` blocks run here, as they would not after a kill."""
        if self._dead:
            raise Crashed

    def _pass(self, name: str) -> None:
        self.alive()
        self.passed.append(name)
        if name != self._strike_at:
            return
        if self._blow is not None:
            self._blow()
            return
        self._dead = True
        raise Crashed


class MortalStore(WatchedStore):
    """A store with a point on either side of each write."""

    def __init__(self, store: Store, points: Points) -> None:
        super().__init__(store)
        self._points = points

    def get(self, key: Key) -> Item | None:
        """As `Store.get`."""
        self._points.alive()
        return super().get(key)

    def put(
        self, key: Key, fields: Mapping[str, Any], *, expected_version: int, expires_at_epoch_s: int | None = None
    ) -> int:
        """As `Store.put`."""
        with self._points.around(f"put `{key.table}`{_copy_words(fields) if key.table == 'copies' else ''}"):
            return super().put(key, fields, expected_version=expected_version, expires_at_epoch_s=expires_at_epoch_s)

    def delete(self, key: Key, *, expected_version: int) -> None:
        """As `Store.delete`."""
        with self._points.around(f"delete `{key.table}`"):
            super().delete(key, expected_version=expected_version)

    def add(
        self,
        key: Key,
        increments: Mapping[str, int],
        *,
        ceilings: Mapping[str, int] | None = None,
        expires_at_epoch_s: int | None = None,
    ) -> Mapping[str, int]:
        """As `Store.add`."""
        with self._points.around(f"add `{key.table}`"):
            return super().add(key, increments, ceilings=ceilings, expires_at_epoch_s=expires_at_epoch_s)


class MortalObjects:
    """An object store with a point on either side of each write."""

    def __init__(self, objects: ObjectStore, points: Points) -> None:
        self._objects = objects
        self._points = points

    def get(self, key: str) -> StoredObject | None:
        """As `ObjectStore.get`."""
        self._points.alive()
        return self._objects.get(key)

    def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
        """As `ObjectStore.put`."""
        with self._points.around(f"write {_object_words(key)}"):
            return self._objects.put(key, body, expected=expected)

    def delete(self, key: str, *, expected: str | Condition) -> None:
        """As `ObjectStore.delete`."""
        with self._points.around(f"remove {_object_words(key)}"):
            self._objects.delete(key, expected=expected)

    def list(self, prefix: str) -> Iterator[str]:
        """As `ObjectStore.list`."""
        self._points.alive()
        return self._objects.list(prefix)

    def prune(self, prefix: str) -> None:
        """As `ObjectStore.prune`."""
        self._points.alive()
        self._objects.prune(prefix)

    def url(self, key: str) -> str:
        """As `ObjectStore.url`."""
        return self._objects.url(key)


class MortalQueue:
    """A queue with a point on either side of whatever changes what is in it."""

    def __init__(self, queue: Queue, points: Points) -> None:
        self._queue = queue
        self._points = points

    def send(self, body: str) -> str:
        """As `Queue.send`."""
        with self._points.around("send a message"):
            return self._queue.send(body)

    def receive(self, max_messages: int, *, visibility_s: int) -> Sequence[Message]:
        """As `Queue.receive`; a look into an empty queue is no point."""
        self._points.alive()
        messages = self._queue.receive(max_messages, visibility_s=visibility_s)
        if messages:
            self._points.before("opening the messages")
        return messages

    def delete(self, message: Message) -> None:
        """As `Queue.delete`."""
        with self._points.around("delete the message"):
            self._queue.delete(message)

    def release(self, message: Message, *, delay_s: int) -> None:
        """As `Queue.release`."""
        with self._points.around("release the message"):
            self._queue.release(message, delay_s=delay_s)

    def bury(self, message: Message, reason: str) -> None:
        """As `Queue.bury`."""
        with self._points.around("bury the message"):
            self._queue.bury(message, reason)

    def depth(self) -> int:
        """As `Queue.depth`."""
        return self._queue.depth()

    def dead(self) -> Sequence[tuple[Message, str]]:
        """As `Queue.dead`."""
        return self._queue.dead()

    def revive(self, message_ids: Collection[str]) -> int:
        """As `Queue.revive`."""
        with self._points.around("revive dead letters"):
            return self._queue.revive(message_ids)


class MortalSession(StravaSession):
    """A session with the simulator `app`, in this process, with a point on either side of each call.

    The points are next to the exchange itself: the budget's writes before and after it have points of their own.
    """

    def __init__(self, app: Flask, clock: Clock, points: Points) -> None:
        super().__init__(clock, sleep=lambda _: None)
        self._http.mount("http://", InProcessTransport(app))
        self._points = points

    def send(
        self,
        base_url: str,
        call: Call,
        *,
        before: Callable[[], None] = lambda: None,
        after: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> Response:
        """As `StravaSession.send`."""
        name = ""

        def leave() -> None:
            nonlocal name
            before()
            name = self._points.before(f"`{call.method} {_NUMBER.sub('…', call.path)}`")

        def arrive(headers: Mapping[str, str]) -> None:
            self._points.after(name)
            after(headers)

        return super().send(base_url, call, before=leave, after=arrive)


def _copy_words(fields: Mapping[str, Any]) -> str:
    return f" as {fields['state']}, {'held' if fields['lease_until_epoch_s'] else 'free'}"


def _object_words(key: str) -> str:
    return "the lake's rows" if key.startswith("copies/") else "the file"
