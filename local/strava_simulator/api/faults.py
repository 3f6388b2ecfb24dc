"""Faults that can be injected, per application and at run time."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one application; all off by default.

    Units: rates are between 0 and 1.
    `error_rate` is the share of calls that answer 5xx; an upload may break off before or after it was accepted.
    `fresh_404s` is how many first fetches of an announced activity, and of its streams, answer 404.
    `inactive` refuses every data route with 403, while OAuth still works.
    """

    latency_s: float = 0.0
    error_rate: float = 0.0
    fresh_404s: int = 0
    webhook_duplicate_rate: float = 0.0
    webhook_reorder_rate: float = 0.0
    webhook_reorder_delay_s: float = 1.0
    webhook_lose_rate: float = 0.0
    inactive: bool = False

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Faults:
        """The faults named in `values`, the others off.

        Errors: ValueError for an unknown name, a wrong type, a negative number, or a rate above 1.
        """
        types = {field.name: type(field.default) for field in fields(cls)}
        for name, value in values.items():
            if name not in types:
                raise ValueError(f"there is no fault {name!r}: choose from {', '.join(types)}")
            _check(name, value, types[name])
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Every fault by name."""
        return asdict(self)


class SeededChances:
    """Random decisions that are the same in every run with the same seed, and independent for each application."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._randoms: dict[int, Random] = {}

    def falls(self, client_id: int, rate: float) -> bool:
        """Whether an event of probability `rate` happens now; a rate of 0 draws no number."""
        if rate <= 0:
            return False
        with self._lock:
            return self._random(client_id).random() < rate

    def pick(self, client_id: int, count: int) -> int:
        """A random number from 0 to `count` - 1."""
        with self._lock:
            return self._random(client_id).randrange(count)

    def _random(self, client_id: int) -> Random:
        return self._randoms.setdefault(client_id, Random(f"{self._seed}:{client_id}"))


def faults_of(db: sqlite3.Connection, client_id: int) -> Faults:
    """The faults that are switched on for an application."""
    row = db.execute("SELECT faults FROM applications WHERE client_id = ?", (client_id,)).fetchone()
    return Faults.from_json(json.loads(row["faults"]))


def switch(db: sqlite3.Connection, client_id: int, faults: Faults) -> None:
    """Replace the application's faults."""
    db.execute("UPDATE applications SET faults = ? WHERE client_id = ?", (json.dumps(faults.to_json()), client_id))


def _check(name: str, value: Any, expected: type) -> None:
    if expected is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false, not {value!r}")
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} is a number from 0 on, not {value!r}")
    if expected is int and not isinstance(value, int):
        raise ValueError(f"{name} is a whole number, not {value!r}")
    if name.endswith("_rate") and value > 1:
        raise ValueError(f"{name} is at most 1, not {value!r}")
