"""Opens the queue that `QUEUE_URL` names."""

from __future__ import annotations

import re
import sqlite3

from include.aws import WORK, Patience
from include.clock import Clock
from include.errors import SettingsError
from include.queue.queue import Queue
from include.queue.sqlite import SqliteQueue
from include.queue.sqs import SqsQueue
from include.store.sqlite_file import database_path

_SQS = re.compile(r"https://sqs\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/\d{12}/[A-Za-z0-9_-]{1,80}")


def open_queue(url: str, clock: Clock, *, keep_days: int, patience: Patience = WORK) -> Queue:
    """The queue at `url`: `sqlite:///absolute/path`, which may be the store's file, or `https://…` of SQS.

    `keep_days` is how long a message is kept; on AWS the queue's own setting applies. `patience` is for AWS.

    Errors: `SettingsError` that names `QUEUE_URL` when the address is unknown or the file cannot be opened.
    Effects: creates the file and its folder where they are missing; no call to SQS yet.
    """
    if _SQS.fullmatch(url):
        return SqsQueue(url, patience)
    path = database_path(url, "QUEUE_URL")
    try:
        return SqliteQueue(path, clock, keep_days=keep_days)
    except (OSError, sqlite3.DatabaseError) as err:
        raise SettingsError(f"QUEUE_URL: {path} cannot be opened as a SQLite file ({err})") from err
