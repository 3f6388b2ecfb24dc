"""Rows that are copied from the replaced state into the restored one: later choices of athletes, and sent mails.

Hidden places are among them: a second circle around the same place, together with the first, would reveal it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from include.state.accounts.athletes import KIND, without_sessions
from include.store.store import ABSENT, Item, Key, Store

_OF_ATHLETE = ("mail_addresses", "places", "sent_mails")


@dataclass(frozen=True, slots=True)
class LaterRow:
    """One row as the later state has it; None where it was removed there."""

    key: Key
    item: Item | None


def later_rows(backed_up: Store, later: Store, erased: Collection[int]) -> Iterator[LaterRow]:
    """The rows of the backup's athletes that differ in the later state, except those of the athletes in `erased`.

    Invitations that the backup does not have are left out, like everything else that was begun after it.
    """
    for athlete in backed_up.find("athletes", "all", KIND):
        if int(athlete.key.partition) in erased:
            continue
        before = {item.key: item for item in _rows(backed_up, athlete.key.partition)}
        invites = [item.key for item in backed_up.find("invites", "by_parent", int(athlete.key.partition))]
        before |= {key: item for key in invites if (item := backed_up.get(key)) is not None}
        after = {item.key: item for item in _rows(later, athlete.key.partition)}
        after |= {key: item for key in invites if (item := later.get(key)) is not None}
        for key in sorted(before.keys() | after.keys(), key=str):
            if not _are_equal(before.get(key), after.get(key)):
                yield LaterRow(key, after.get(key))


def put_rows(rows: Collection[LaterRow], store: Store) -> None:
    """Write the rows into the restored state; safe to repeat."""
    for row in rows:
        present = store.get(row.key)
        version = present.version if present else ABSENT
        if row.item is not None:
            store.put(
                row.key, row.item.fields, expected_version=version, expires_at_epoch_s=row.item.expires_at_epoch_s
            )
        elif present is not None:
            store.delete(row.key, expected_version=version)


def end_all_sessions(store: Store) -> None:
    """End every athlete's sessions, because the backup cannot tell which were ended after it."""
    for found in list(store.find("athletes", "all", KIND)):
        athlete = store.get(found.key)
        if athlete is not None:
            store.put(athlete.key, without_sessions(athlete.fields), expected_version=athlete.version)


def _rows(store: Store, athlete: str) -> Iterator[Item]:
    for table in _OF_ATHLETE:
        yield from store.query(table, athlete)


def _are_equal(one: Item | None, other: Item | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.fields, one.expires_at_epoch_s) == (other.fields, other.expires_at_epoch_s)
