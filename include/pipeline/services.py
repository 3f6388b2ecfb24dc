"""The services that use cases work with, built from the settings in one place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from include.clock import Clock
from include.crypto.backend import open_cipher
from include.lake.backend import open_catalog, open_objects
from include.lake.catalog.catalog import Catalog
from include.lake.encodings import Encodings
from include.lake.lake import Lake
from include.lake.objects.noted import NotedObjects
from include.lake.objects.objects import ObjectStore
from include.lake.raw import RawZone
from include.lake.rows.copies import CopyRows
from include.lake.rows.freshness import FreshnessRows
from include.queue.backend import open_queue
from include.queue.queue import Queue
from include.settings import Settings
from include.state.accounts.tokens import Tokens
from include.state.copies.ledger import CopyLedger
from include.state.crawls import Crawls
from include.state.partitions import Partitions
from include.state.state import State
from include.store.backend import open_store
from include.store.store import Store
from include.strava.application import open_oauth, open_push
from include.strava.client import Priority, StravaClient
from include.strava.http.session import StravaSession
from include.strava.oauth import OAuthClient
from include.strava.subscriptions import PushSubscriptions


@dataclass(frozen=True, slots=True)
class DataLake:
    """The lake's objects, its tables, its catalogue and the partitions that wait for it."""

    objects: ObjectStore
    raw: RawZone
    tables: Lake
    copy_rows: CopyRows
    freshness_rows: FreshnessRows
    catalog: Catalog
    partitions: Partitions
    crawls: Crawls


@dataclass(frozen=True, slots=True)
class Strava:
    """The clients of Strava's API, as this application and as its athletes."""

    client: StravaClient
    oauth: OAuthClient
    tokens: Tokens
    push: PushSubscriptions


@dataclass(frozen=True, slots=True)
class Services:
    """The leaves and stores of one process, opened; a use case takes what it needs from here."""

    state: State
    lake: DataLake
    strava: Strava
    queue: Queue
    clock: Clock
    wait: Callable[[float], None]
    """Pauses between two polls of an upload; tests pass a function that moves their clock."""


@dataclass(frozen=True, slots=True)
class Adapters:
    """Everything through which a process reads, writes and calls."""

    store: Store
    session: StravaSession
    objects: ObjectStore
    queue: Queue


@contextmanager
def open_services(
    settings: Settings,
    *,
    priority: Priority = Priority.LIVE,
    clock: Clock = time.time,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Services]:
    """The services that `settings` describe, closed at the end; Strava calls are made at `priority`."""
    with (
        closing(open_store(settings.state_url, clock)) as store,
        StravaSession(clock) as session,
        closing(open_queue(settings.queue_url, clock, keep_days=int(settings.messages_keep_days))) as queue,
    ):
        adapters = Adapters(store, session, open_objects(settings.lake_url), queue)
        yield assemble(settings, adapters, priority=priority, clock=clock, wait=wait)


def assemble(
    settings: Settings, adapters: Adapters, *, priority: Priority, clock: Clock, wait: Callable[[float], None]
) -> Services:
    """The services that work with these `adapters`."""
    store, cipher = adapters.store, open_cipher(settings.key_url)
    oauth = open_oauth(settings, adapters.session)
    tokens = Tokens(store, cipher, clock, oauth.refresh, wait)
    state = State.on(store, cipher, clock)
    return Services(
        state=state,
        lake=_lake(settings, adapters.objects, Partitions(store, clock), Crawls(store, clock), state.copies),
        strava=Strava(
            client=StravaClient(adapters.session, settings.strava_api_url, tokens, state.quota, priority),
            oauth=oauth,
            tokens=tokens,
            push=open_push(settings, adapters.session),
        ),
        queue=adapters.queue,
        clock=clock,
        wait=wait,
    )


def _lake(
    settings: Settings, stored: ObjectStore, partitions: Partitions, crawls: Crawls, copies: CopyLedger
) -> DataLake:
    objects = NotedObjects(stored, partitions)
    return DataLake(
        objects=objects,
        raw=RawZone(objects),
        tables=Lake(objects, encodings=Encodings(settings.lake_encodings)),
        copy_rows=CopyRows(objects, copies),
        freshness_rows=FreshnessRows(objects),
        catalog=open_catalog(settings.catalog_url, settings.lake_url),
        partitions=partitions,
        crawls=crawls,
    )
