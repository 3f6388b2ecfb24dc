"""The simulator's state, in one SQLite file that survives a restart."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SCHEMA = """
CREATE TABLE IF NOT EXISTS applications (
    client_id INTEGER PRIMARY KEY,
    client_secret TEXT NOT NULL,
    callback_domain TEXT NOT NULL,
    athlete_capacity INTEGER NOT NULL,
    faults TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS athletes (
    athlete_id INTEGER PRIMARY KEY,
    profile TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY,
    client_id INTEGER NOT NULL,
    athlete_id INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    expires_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS grants (
    client_id INTEGER NOT NULL,
    athlete_id INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    PRIMARY KEY (client_id, athlete_id)
);
CREATE TABLE IF NOT EXISTS token_pairs (
    pair_id INTEGER PRIMARY KEY,
    client_id INTEGER NOT NULL,
    athlete_id INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    access_token TEXT NOT NULL UNIQUE,
    refresh_token TEXT NOT NULL UNIQUE,
    issued_at REAL NOT NULL,
    expires_at INTEGER NOT NULL,
    access_ended_at REAL,
    refresh_ended_at REAL
);
CREATE TABLE IF NOT EXISTS activities (
    activity_id INTEGER PRIMARY KEY,
    athlete_id INTEGER NOT NULL,
    start_epoch_s INTEGER NOT NULL,
    only_me INTEGER NOT NULL,
    detail TEXT NOT NULL,
    has_streams INTEGER NOT NULL,
    fresh INTEGER NOT NULL,
    detail_fetches INTEGER NOT NULL DEFAULT 0,
    streams_fetches INTEGER NOT NULL DEFAULT 0,
    deleted_at REAL
);
CREATE INDEX IF NOT EXISTS newest_activities ON activities (athlete_id, start_epoch_s, activity_id);
CREATE TABLE IF NOT EXISTS streams (
    activity_id INTEGER NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (activity_id, type)
);
CREATE TABLE IF NOT EXISTS zones (
    athlete_id INTEGER PRIMARY KEY,
    lat REAL NOT NULL,
    lng REAL NOT NULL,
    radius_m REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS uploads (
    upload_id INTEGER PRIMARY KEY,
    client_id INTEGER NOT NULL,
    athlete_id INTEGER NOT NULL,
    data_type TEXT NOT NULL,
    label TEXT NOT NULL,
    fields TEXT NOT NULL,
    content BLOB NOT NULL,
    ready_at REAL NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    activity_id INTEGER
);
CREATE TABLE IF NOT EXISTS subscriptions (
    subscription_id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id INTEGER NOT NULL UNIQUE,
    callback_url TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    event_id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id INTEGER NOT NULL,
    subscription_id INTEGER NOT NULL,
    callback_url TEXT NOT NULL,
    body TEXT NOT NULL,
    due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS due_events ON events (outcome, due_at, event_id);
CREATE TABLE IF NOT EXISTS deliveries (
    delivery_id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    latency_ms REAL NOT NULL,
    delivered_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS usage (
    client_id INTEGER NOT NULL,
    span TEXT NOT NULL,
    start_epoch_s INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    reads INTEGER NOT NULL,
    PRIMARY KEY (client_id, span, start_epoch_s)
);
CREATE TABLE IF NOT EXISTS outage (
    kind TEXT NOT NULL,
    until_epoch_s REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS calls (
    route TEXT NOT NULL,
    status INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (route, status)
);
"""


class State:
    """The simulator's SQLite file; with `:memory:` the state ends with the process.

    One connection serves every thread, one transaction at a time.
    """

    def __init__(self, path: str) -> None:
        # A reentrant lock turns a transaction inside a transaction into SQLite's own error, not into a deadlock.
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The database for one transaction: committed when the block ends, rolled back when it raises."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file; the state is not used afterwards."""
        with self._lock:
            self._db.close()
