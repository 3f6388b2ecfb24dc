"""The event queue in the SQLite file: the embedded implementation of `Queue`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from pathlib import Path

from include.clock import Clock
from include.queue.queue import Message
from include.store.sqlite_file import SqliteFile

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS messages (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id TEXT NOT NULL UNIQUE,
        receipt TEXT NOT NULL DEFAULT '',
        body TEXT NOT NULL,
        sent_at_epoch_s REAL NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        visible_at_epoch_s REAL NOT NULL,
        buried_because TEXT
    )
    """,
    """
    CREATE INDEX IF NOT EXISTS messages_alive ON messages (position, visible_at_epoch_s)
    WHERE buried_because IS NULL
    """,
)
_RECEIVE = """
    UPDATE messages SET receipt = ?, attempts = attempts + 1, visible_at_epoch_s = ? WHERE position = ?
    RETURNING message_id, receipt, body, sent_at_epoch_s, attempts
"""
_FORGET = "DELETE FROM messages WHERE buried_because IS NOT NULL AND sent_at_epoch_s <= ?"
_REVIVE = """
    UPDATE messages SET buried_because = NULL, receipt = '', attempts = 0, visible_at_epoch_s = ?
    WHERE message_id = ? AND buried_because IS NOT NULL
"""
_BURY_OVERDUE = """
    UPDATE messages SET buried_because = ?
    WHERE buried_because IS NULL AND visible_at_epoch_s <= ? AND attempts >= ?
"""


class SqliteQueue:
    """Messages in one file, oldest first, safe for many threads and processes.

    A message that was received `max_receives` times and is visible again goes to the dead letters at the next
    receive. A stale receipt can delete its message (the work is done) but not release or bury it,
    because another receiver may be working on it. A dead letter is deleted `keep_days` after it was sent.
    """

    def __init__(
        self, path: Path, clock: Clock, *, keep_days: int, max_receives: int = 20, busy_timeout_s: float = 10.0
    ) -> None:
        self._file = SqliteFile(path, _SCHEMA, busy_timeout_s=busy_timeout_s)
        self._clock = clock
        self._keep_s = keep_days * 86_400
        self._max_receives = max_receives

    def send(self, body: str) -> str:
        """Durably enqueue one message and return its id. Errors: `RetryLater`; then nothing was sent."""
        message_id = uuid.uuid4().hex
        now_epoch_s = self._clock()
        with self._file.transaction() as connection:
            connection.execute(
                "INSERT INTO messages (message_id, body, sent_at_epoch_s, visible_at_epoch_s) VALUES (?, ?, ?, ?)",
                (message_id, body, now_epoch_s, now_epoch_s),
            )
        return message_id

    def receive(self, max_messages: int, *, visibility_s: int) -> Sequence[Message]:
        """Up to `max_messages` visible ones, oldest first, hidden from other receivers for `visibility_s`."""
        now_epoch_s = self._clock()
        reason = f"received {self._max_receives} times without success"
        with self._file.transaction() as connection:
            connection.execute(_BURY_OVERDUE, (reason, now_epoch_s, self._max_receives))
            connection.execute(_FORGET, (now_epoch_s - self._keep_s,))
            positions = connection.execute(
                "SELECT position FROM messages WHERE buried_because IS NULL AND visible_at_epoch_s <= ?"
                " ORDER BY position LIMIT ?",
                (now_epoch_s, max_messages),
            ).fetchall()
            return [
                Message(
                    *connection.execute(_RECEIVE, (uuid.uuid4().hex, now_epoch_s + visibility_s, position)).fetchone()
                )
                for (position,) in positions
            ]

    def delete(self, message: Message) -> None:
        """Delete a message; safe to repeat. A dead letter stays."""
        with self._file.transaction() as connection:
            connection.execute(
                "DELETE FROM messages WHERE message_id = ? AND buried_because IS NULL", (message.message_id,)
            )

    def release(self, message: Message, *, delay_s: int) -> None:
        """Make a received message visible again after `delay_s`, unless its receipt is stale."""
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE messages SET receipt = '', visible_at_epoch_s = ?"
                " WHERE message_id = ? AND receipt = ? AND buried_because IS NULL",
                (self._clock() + delay_s, message.message_id, message.receipt),
            )

    def bury(self, message: Message, reason: str) -> None:
        """Move a received message to the dead letters, unless its receipt is stale."""
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE messages SET buried_because = ?"
                " WHERE message_id = ? AND receipt = ? AND buried_because IS NULL",
                (reason, message.message_id, message.receipt),
            )

    def depth(self) -> int:
        """How many messages wait or are in flight."""
        rows = self._file.read("SELECT count(*) FROM messages WHERE buried_because IS NULL", ())
        return int(rows[0][0])

    def dead(self) -> Sequence[tuple[Message, str]]:
        """The dead letters with their reasons, oldest first."""
        rows = self._file.read(
            "SELECT message_id, receipt, body, sent_at_epoch_s, attempts, buried_because FROM messages"
            " WHERE buried_because IS NOT NULL ORDER BY position",
            (),
        )
        return [(Message(*row[:5]), row[5]) for row in rows]

    def revive(self, message_ids: Collection[str]) -> int:
        """Put these dead letters back into the queue, all or none; returns how many were found."""
        now_epoch_s = self._clock()
        with self._file.transaction() as connection:
            return sum(connection.execute(_REVIVE, (now_epoch_s, message_id)).rowcount for message_id in message_ids)

    def close(self) -> None:
        """Close the connections of all threads; the queue is not used afterwards."""
        self._file.close()
