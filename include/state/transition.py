"""Transitions of a ledger's rows: one table for each ledger, used by code, tests and `docs/states.md`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from include.errors import NewerVersion, Refused
from include.store.store import Item

State = TypeVar("State", bound=StrEnum)
Row = TypeVar("Row")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Transition(Generic[State]):
    """One named step: from any of its sources to its target."""

    name: str
    sources: Set[State]
    target: State
    when: str
    """Why a row takes this step, for `docs/states.md`."""

    def of(self, state: State) -> State:
        """The state that follows `state` by this step. Errors: `Refused` where the table has no such step."""
        if state not in self.sources:
            raise Refused(
                f"A row that is {state} cannot become {self.target} by the step {self.name!r}; leave it as it is."
            )
        return self.target


def readable(items: Iterable[Item], read: Callable[[Item], Row]) -> Iterator[Row]:
    """The values that `read` returns for the rows, without rows of a newer version, which are logged."""
    for item in items:
        try:
            yield read(item)
        except NewerVersion as err:
            log.warning("%s %s/%s is left alone: %s", item.key.table, item.key.partition, item.key.sort, err)
