"""Copies later decisions of people into a restored state: erasures, links, invitations, mail addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from include.clock import Clock
from include.lake.objects.files import FileObjects
from include.state.accounts.athletes import KIND
from include.state.erasures.ledger import EraseReason, Erasure, Erasures, ErasureStage
from include.state.links import Link, Links
from include.store.backend import open_store
from include.store.store import Store
from ops.backup.later_rows import LaterRow, end_all_sessions, later_rows, put_rows

CERTIFICATES = "certificates/"


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A summary of the later decisions that a restored state has."""

    erased: tuple[int, ...]
    links: tuple[tuple[int, int], ...]
    """Parent and child of each link that was ended or changed."""
    rows: int
    """The number of rows of mail addresses, sent mails, invitations and hidden places."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TakenOver:
        """The summary that `asdict` wrote as JSON."""
        links = tuple((parent_id, child_id) for parent_id, child_id in value["links"])
        return cls(tuple(value["erased"]), links, value["rows"])


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions that were made after a backup."""

    erased: tuple[int, ...] = ()
    """The athletes whose data was erased after it, or is to be erased."""
    certificates: tuple[str, ...] = ()
    """The keys of the certificates of these erasures."""
    links: tuple[tuple[int, int, Link | None], ...] = ()
    """Parent, child, and the later link; None where it no longer exists."""
    rows: tuple[LaterRow, ...] = ()
    """The later rows of hidden places, mail addresses and sent mails, and of invitations that the backup has."""

    @property
    def counted(self) -> TakenOver:
        """Their summary."""
        links = tuple((parent_id, child_id) for parent_id, child_id, _ in self.links)
        return TakenOver(self.erased, links, len(self.rows))


def since(backed_up: Path, backed_up_lake: Path, newer: Path, newer_lake: Path, clock: Clock) -> Decisions:
    """The decisions that the state `newer` holds, or the certificates in its lake, and the backup does not.

    Errors: `SettingsError` if the newer state cannot be opened.
    """
    certificates = {*_certificates(newer_lake)} - {*_certificates(backed_up_lake)}
    erased = {athlete_id for key in certificates if (athlete_id := _finished(newer_lake / key)) is not None}
    links: list[tuple[int, int, Link | None]] = []
    with (
        closing(open_store(f"sqlite://{backed_up}", clock)) as old,
        closing(open_store(f"sqlite://{newer}", clock)) as new,
    ):
        before, after = Erasures(old, clock), Erasures(new, clock)
        erased |= {one.athlete_id for one in after.all() if _has_to_happen(one) and not _is_in(before, one)}
        now = Links(new, clock)
        for link in _links(old, clock):
            left = now.get(link.parent_id, link.child_id)
            if left != link:
                links.append((link.parent_id, link.child_id, left))
        rows = tuple(later_rows(old, new, erased))
    return Decisions(tuple(sorted(erased)), tuple(sorted(certificates)), tuple(links), rows)


def apply(decisions: Decisions, state: Path, clock: Clock) -> None:
    """Write the decisions into the restored state; its erasures forbid writing for the athletes from now on.

    Effects: ends every session; safe to repeat; reconcile starts the runs that erase.
    """
    with closing(open_store(f"sqlite://{state}", clock)) as store:
        erasures, links = Erasures(store, clock), Links(store, clock)
        for athlete_id in decisions.erased:
            erasures.ask_now(athlete_id, EraseReason.OPERATOR)
        for parent_id, child_id, left in decisions.links:
            present = links.get(parent_id, child_id)
            if left is None:
                links.forget(parent_id, child_id)
            elif present is not None:
                links.save(replace(left, version=present.version))
        put_rows(decisions.rows, store)
        end_all_sessions(store)


def _links(store: Store, clock: Clock) -> Iterator[Link]:
    """Every link of every stored athlete."""
    links = Links(store, clock)
    for item in store.find("athletes", "all", KIND):
        yield from links.of_parent(int(item.key.partition))


def _has_to_happen(erasure: Erasure) -> bool:
    """Whether the data was erased or is being erased, or a person has asked for it."""
    asked = erasure.stage is ErasureStage.ASKED and not erasure.grounds.is_hint
    return asked or erasure.clears_away or erasure.finished_at_epoch_s is not None


def _is_in(before: Erasures, erasure: Erasure) -> bool:
    """Whether the backup has this erasure too; reconcile then continues it."""
    known = before.get(erasure.athlete_id)
    return known is not None and known.began_at_epoch_s >= erasure.began_at_epoch_s


def _certificates(lake: Path) -> Iterator[str]:
    return FileObjects(lake).list(CERTIFICATES)


def _finished(path: Path) -> int | None:
    """The athlete of a finished certificate; None for a draft, whose erasure is in the ledger, or a damaged file."""
    try:
        document = json.loads(path.read_bytes())
        return int(document["athlete_id"]) if document["finished_at"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
