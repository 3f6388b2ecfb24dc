"""Links from a parent to a child: which names mean the child, what a copy carries, who agreed to it when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from include.clock import Clock
from include.errors import VersionConflict
from include.state.copies.ledger import LEASE_S
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store

DUE = "due"
"""What the index of links with copies to wake is asked for."""

SETTLED_S = LEASE_S + 240
"""So long after a change no worker decides about a copy by the link as it was before: the lease under which one read
it has ended, also where two clocks are two minutes off."""

_CHOSEN_0 = -1


class LinkStatus(StrEnum):
    """Whether a link makes copies."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """What a copy carries besides position, elevation, time, speed, distance and cadence."""

    heartrate: bool = True
    power: bool = True
    temperature: bool = True
    trim_m: int | None = None
    """Radius hidden around the first and the last position; None where the parent has chosen nothing."""
    allow_private: bool = False
    """Whether activities that only the parent can see are copied too."""
    title: str = "{title}"
    """The copy's title, with the placeholders of `include.copying.title`."""
    link_back: bool = True
    """Whether the copy's description links to the original."""
    sports: tuple[str, ...] = ()
    """The sports that are copied, as Strava names them; empty for all."""

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> CopyOptions:
        """The choice in a row's fields; what an older row lacks is as if nobody had chosen it.

        A stored `trim_m` of 0 is no choice: it was the form's default once, so a chosen 0 is stored as -1, which
        older versions read as nothing trimmed too.
        """
        stored = fields.get("trim_m", 0)
        trim_m = None if stored == 0 else max(stored, 0)
        return cls(**{**fields, "trim_m": trim_m, "sports": tuple(fields.get("sports", ()))})

    def to_fields(self) -> dict[str, Any]:
        """The same as fields of a row."""
        stored = 0 if self.trim_m is None else self.trim_m or _CHOSEN_0
        return {**asdict(self), "trim_m": stored, "sports": list(self.sports)}


@dataclass(frozen=True, slots=True)
class Link:
    """One parent's link to one child.

    Units: consent times are None as long as that side has not agreed; copies start with activities that
    begin at or after `starts_at_epoch_s`.
    """

    parent_id: int
    child_id: int
    names: tuple[str, ...]
    options: CopyOptions = field(default_factory=CopyOptions)
    starts_at_epoch_s: int = 0
    parent_consent_epoch_s: int | None = None
    child_consent_epoch_s: int | None = None
    status: LinkStatus = LinkStatus.ACTIVE
    wake_at_epoch_s: int | None = field(default=None, compare=False)
    """From when on the copies are to be looked at again that it had stood against; None where they have been."""
    version: int = field(default=ABSENT, compare=False)

    @property
    def makes_copies(self) -> bool:
        """Whether both sides have agreed to it and nobody has paused or ended it."""
        agreed = self.parent_consent_epoch_s is not None and self.child_consent_epoch_s is not None
        return agreed and self.status is LinkStatus.ACTIVE


class Links:
    """Every link there is, found from either side."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def save(self, link: Link) -> Link:
        """Store the link over the version it was read with and return it with its new version.

        Where it makes copies and differs from what is stored, the same write says that the copies are to be looked at
        again which it had stood against: reconcile does so, whoever has changed the link.
        Errors: `VersionConflict` when the other side changed it meanwhile: read it again and decide again.
        """
        before = self.get(link.parent_id, link.child_id)
        wake_at = before.wake_at_epoch_s if before else None
        if link != before:
            wake_at = int(self._clock()) + SETTLED_S
        return self._put(replace(link, wake_at_epoch_s=wake_at if link.makes_copies else None))

    def due(self, now: float) -> Iterator[Link]:
        """The links whose copies are to be looked at again now, those that were changed first before the others."""
        for found in list(self._store.find("links", "due", DUE, up_to=now)):
            link = self.get(found.fields["parent_id"], found.fields["child_id"])
            if link is not None and link.wake_at_epoch_s is not None and link.wake_at_epoch_s <= now:
                yield link

    def note_woken(self, link: Link) -> None:
        """Note that the copies have been looked at; nothing where the link has changed since it was read."""
        with suppress(VersionConflict):
            self._put(replace(link, wake_at_epoch_s=None))

    @retry_on_conflict
    def forget(self, parent_id: int, child_id: int) -> None:
        """Remove the link of this pair, whatever it says; safe to repeat."""
        item = self._store.get(_key(parent_id, child_id))
        if item is not None:
            self._store.delete(item.key, expected_version=item.version)

    def get(self, parent_id: int, child_id: int) -> Link | None:
        """The link of this pair, or None."""
        item = self._store.get(_key(parent_id, child_id))
        return _link(item) if item else None

    def of_parent(self, parent_id: int) -> list[Link]:
        """The links to a parent's children, of whatever status."""
        return [_link(item) for item in self._store.query("links", str(parent_id))]

    def of_child(self, child_id: int) -> list[Link]:
        """The links that lead to a child; for finding, re-read a link before deciding."""
        return [_link(item) for item in self._store.find("links", "by_child", child_id)]

    def _put(self, link: Link) -> Link:
        version = self._store.put(_key(link.parent_id, link.child_id), _fields(link), expected_version=link.version)
        return replace(link, version=version)


def _key(parent_id: int, child_id: int) -> Key:
    return Key("links", str(parent_id), str(child_id))


def _fields(link: Link) -> dict[str, Any]:
    return {
        "parent_id": link.parent_id,
        "child_id": link.child_id,
        "names": list(link.names),
        "carried": link.options.to_fields(),
        "starts_at_epoch_s": link.starts_at_epoch_s,
        "parent_consent_epoch_s": link.parent_consent_epoch_s,
        "child_consent_epoch_s": link.child_consent_epoch_s,
        "status": str(link.status),
        "wake_at_epoch_s": link.wake_at_epoch_s,
        "due": None if link.wake_at_epoch_s is None else DUE,
    }


def _link(item: Item) -> Link:
    fields = item.fields
    return Link(
        parent_id=fields["parent_id"],
        child_id=fields["child_id"],
        names=tuple(fields["names"]),
        options=CopyOptions.from_fields(fields["carried"]),
        starts_at_epoch_s=fields["starts_at_epoch_s"],
        parent_consent_epoch_s=fields["parent_consent_epoch_s"],
        child_consent_epoch_s=fields["child_consent_epoch_s"],
        status=LinkStatus(fields["status"]),
        wake_at_epoch_s=fields.get("wake_at_epoch_s"),
        version=item.version,
    )
