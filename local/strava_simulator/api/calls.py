"""Counts of calls, by route and status."""

from __future__ import annotations

import sqlite3
from typing import Any


def count(db: sqlite3.Connection, route: str, status: int) -> None:
    """Count one call."""
    db.execute(
        "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
        (route, status),
    )


def counted(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """The counts so far, by route and status."""
    return [dict(row) for row in db.execute("SELECT * FROM calls ORDER BY route, status").fetchall()]
