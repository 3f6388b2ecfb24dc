"""What a use case works with, built from the settings in one place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from random import SystemRandom

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
from include.queue.backend import open_queue
from include.queue.queue import Queue
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.accounts.notices import Notices
from include.state.accounts.tokens import Tokens
from include.state.activities.ledger import ActivityLedger
from include.state.copies.ledger import CopyLedger
from include.state.copies.outings import Outings
from include.state.copies.places import Places
from include.state.crawls import Crawls
from include.state.erasures.ledger import Erasures
from include.state.events import EventAudit
from include.state.histories import Histories
from include.state.installation import Installation
from include.state.invites import Invites
from include.state.links import Links
from include.state.listings import Listings
from include.state.outages import Outages
from include.state.partitions import Partitions
from include.state.quota import Quota
from include.state.subscriptions import Subscriptions
from include.store.backend import open_store
from include.store.store import Store
from include.strava.client import Priority, StravaClient
from include.strava.http.session import StravaSession
from include.strava.oauth import OAuthClient, RevokeBy
from include.strava.subscriptions import PushSubscriptions


@dataclass(frozen=True, slots=True)
class Services:
    """The leaves and stores of one process, opened; a use case takes what it needs from here."""

    clock: Clock
    wait: Callable[[float], None]
    """Pauses between two polls of an upload; tests pass one that moves their clock instead."""
    strava: StravaClient
    oauth: OAuthClient
    tokens: Tokens
    athletes: Athletes
    links: Links
    activities: ActivityLedger
    copies: CopyLedger
    outings: Outings
    events: EventAudit
    invites: Invites
    erasures: Erasures
    notices: Notices
    listings: Listings
    list_every_s: float
    """How long one listing of an athlete is from the next while Strava's events arrive."""
    histories: Histories
    places: Places
    outages: Outages
    partitions: Partitions
    crawls: Crawls
    subscriptions: Subscriptions
    installation: Installation
    push: PushSubscriptions
    quota: Quota
    queue: Queue
    objects: ObjectStore
    raw: RawZone
    lake: Lake
    copy_rows: CopyRows
    catalog: Catalog


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
    with closing(open_store(settings.state_url, clock)) as store, StravaSession(clock) as session:
        queue = open_queue(settings.queue_url, clock, keep_days=int(settings.messages_keep_days))
        adapters = Adapters(store, session, open_objects(settings.lake_url), queue)
        yield assemble(settings, adapters, priority=priority, clock=clock, wait=wait)


def assemble(
    settings: Settings, adapters: Adapters, *, priority: Priority, clock: Clock, wait: Callable[[float], None]
) -> Services:
    """The services that work with these `adapters`."""
    store, partitions = adapters.store, Partitions(adapters.store, clock)
    objects = NotedObjects(adapters.objects, partitions)
    oauth, push = _of_application(settings, adapters.session)
    cipher = open_cipher(settings.key_url)
    copies = CopyLedger(store, clock)
    tokens = Tokens(store, cipher, clock, oauth.refresh, wait)
    quota = Quota(store, clock)
    return Services(
        clock=clock,
        wait=wait,
        strava=StravaClient(adapters.session, settings.strava_api_url, tokens, quota, priority),
        oauth=oauth,
        tokens=tokens,
        athletes=Athletes(store, cipher, clock),
        links=Links(store, clock),
        activities=ActivityLedger(store, clock),
        copies=copies,
        outings=Outings(store),
        events=EventAudit(store, clock),
        invites=Invites(store, clock),
        erasures=Erasures(store, clock),
        notices=Notices(store, clock),
        listings=Listings(store, clock),
        list_every_s=int(settings.list_every_h) * 3600.0,
        histories=Histories(store, clock),
        places=Places(store, cipher, SystemRandom().random),
        outages=Outages(store, clock),
        partitions=partitions,
        crawls=Crawls(store, clock),
        subscriptions=Subscriptions(store),
        installation=Installation(store),
        push=push,
        quota=quota,
        queue=adapters.queue,
        objects=objects,
        raw=RawZone(objects),
        lake=Lake(objects, encodings=Encodings(settings.lake_encodings)),
        copy_rows=CopyRows(objects, copies),
        catalog=open_catalog(settings.catalog_url, settings.lake_url),
    )


def _of_application(settings: Settings, session: StravaSession) -> tuple[OAuthClient, PushSubscriptions]:
    """What calls Strava with the application's own credentials."""
    client_id, client_secret = settings.strava_client_id, settings.strava_client_secret
    revoke_by = RevokeBy(settings.strava_revoke)
    return (
        OAuthClient(session, settings.strava_oauth_url, client_id, client_secret, revoke_by),
        PushSubscriptions(session, settings.strava_api_url, client_id, client_secret),
    )
