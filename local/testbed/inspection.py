"""Inspection of all data of a system, without the code that wrote it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the state."""

    table: str
    partition: str
    sort: str
    fields: Mapping[str, Any]


class Inspection(Protocol):
    """Reads all data of a system."""

    def lake(self) -> Path:
        """A folder with the lake's present objects."""
        ...

    def rows(self) -> Sequence[Row]:
        """Every row of the state."""
        ...

    def outside(self) -> Mapping[str, bytes]:
        """Data that is in no file of the state directory, by name."""
        ...

    def account(self) -> Sequence[Mapping[str, str]]:
        """For a report, each `leaf` with its `address` and what it `holds`; empty where all data is in files."""
        ...

    def faults(self) -> Sequence[str]:
        """Inconsistencies in a few words each: a partition that analysts would not find, a dead letter."""
        ...


@dataclass(frozen=True, slots=True)
class FileInspection:
    """Files and a SQLite database of this machine."""

    folder: Path
    database: Path

    def lake(self) -> Path:
        """The lake itself."""
        return self.folder

    def rows(self) -> Sequence[Row]:
        """Every row of the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            found = connection.execute("SELECT table_name, partition, sort, fields FROM items").fetchall()
        return [Row(table, partition, sort, json.loads(fields)) for table, partition, sort, fields in found]

    def outside(self) -> Mapping[str, bytes]:
        """Nothing: everything is a file."""
        return {}

    def account(self) -> Sequence[Mapping[str, str]]:
        """Nothing: all data is in files."""
        return ()

    def faults(self) -> Sequence[str]:
        """None: the catalogue's views read the files."""
        return ()
