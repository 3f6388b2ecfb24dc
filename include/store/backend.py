"""Opens the store that `STATE_URL` names."""

from __future__ import annotations

import re
import sqlite3

from include.aws import WORK, Patience
from include.clock import Clock
from include.errors import SettingsError
from include.store.dynamodb import DynamoStore
from include.store.sqlite import SqliteStore
from include.store.sqlite_file import database_path
from include.store.store import Store

_PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def open_store(url: str, clock: Clock, patience: Patience = WORK) -> Store:
    """The store at `url`: `sqlite:///absolute/path`, or `dynamodb://<prefix>` of the tables' names.

    `patience` is for AWS.

    Errors: `SettingsError` that names `STATE_URL` when the address is unknown or the file cannot be opened.
    Effects: creates the file and its folder where they are missing; no call to DynamoDB yet.
    """
    scheme, _, prefix = url.partition("://")
    if scheme == "dynamodb" and _PREFIX.fullmatch(prefix):
        return DynamoStore(prefix, clock, patience)
    path = database_path(url, "STATE_URL")
    try:
        return SqliteStore(path, clock)
    except (OSError, sqlite3.DatabaseError) as err:
        raise SettingsError(f"STATE_URL: {path} cannot be opened as a SQLite file ({err})") from err
