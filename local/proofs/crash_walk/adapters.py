"""Adapters with crash points: store, objects, queue and session of a process that may die."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from flask import Flask

from include.clock import Clock
from include.lake.objects.objects import Condition, ObjectStore, StoredObject
from include.pipeline.services import Adapters, Services
from include.queue.queue import Message, Queue
from include.store.store import Item, Key, Store
from include.strava.client import Priority
from include.strava.http.response import Response
from include.strava.http.session import Call
from local.proofs.crash_walk.points import Points
from local.testbed.forwarding_store import ForwardingStore
from local.testbed.world import InProcessSession, World

_NUMBER = re.compile(r"\d+")


def process(world: World, points: Points) -> Services:
    """The services of a process of the world: each of its writes, messages and calls passes `points`."""
    adapters = Adapters(
        CrashingStore(world.store, points),
        CrashingSession(world.app, world.clock, points),
        CrashingObjects(world.services.lake.objects, points),
        CrashingQueue(world.services.queue, points),
    )
    return world.process(adapters, Priority.COPY)


class CrashingStore(ForwardingStore):
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


class CrashingObjects:
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


class CrashingQueue:
    """A queue with a point on either side of each change of its contents."""

    def __init__(self, queue: Queue, points: Points) -> None:
        self._queue = queue
        self._points = points

    def send(self, body: str) -> str:
        """As `Queue.send`."""
        with self._points.around("send a message"):
            return self._queue.send(body)

    def receive(self, max_messages: int, *, visibility_s: int) -> Sequence[Message]:
        """As `Queue.receive`; receiving from an empty queue is not a point."""
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

    def close(self) -> None:
        """As `Queue.close`."""
        self._queue.close()


class CrashingSession(InProcessSession):
    """A session with the simulator with a point on either side of each call.

    The points are next to the exchange itself: the budget's writes before and after it have points of their own.
    """

    def __init__(self, app: Flask, clock: Clock, points: Points) -> None:
        super().__init__(app, clock)
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
