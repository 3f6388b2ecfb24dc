"""Links from a parent to a child: which names mean the child, what a copy contains, and both consents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum

from include.clock import Clock
from include.errors import BeingErased, VersionConflict
from include.state.consent.feed import FeedEntry, LinkAction, Side, appended
from include.state.consent.terms import ClosedProposal, Terms
from include.state.copies.ledger import LEASE_S
from include.state.erasures.ledger import Erasures
from include.store.codec import NOT_STORED, decode, encode, stored
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store

DUE = "due"
"""The index value of links with copies to wake."""

SETTLED_S = LEASE_S + 240
"""After this time no worker uses a link as it was before a change: the lease under which it read the link has ended,
even if two clocks differ by two minutes."""


class LinkStatus(StrEnum):
    """The status of a link."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


def _stored_trim_m(chosen: int | None) -> int:
    """The choice as it is stored in a row.

    A stored 0 means no choice: it was once the form's default. So a chosen 0 is stored as -1, which older versions also
    read as "nothing trimmed".
    """
    return 0 if chosen is None else chosen or -1


def _chosen_trim_m(stored_m: int) -> int | None:
    return None if stored_m == 0 else max(stored_m, 0)


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """What a copy contains besides position, elevation, time, speed, distance and cadence."""

    heartrate: bool = True
    power: bool = True
    temperature: bool = True
    trim_m: int | None = field(default=None, metadata=stored(read=_chosen_trim_m, write=_stored_trim_m))
    """Radius hidden around the first and the last position; None where the parent has not chosen."""
    allow_private: bool = False
    """Whether activities that only the parent can see are copied too."""
    title: str = "{title}"
    """The copy's title, with the placeholders of `include.copying.title`."""
    link_back: bool = True
    """Whether the copy's description links to the original."""
    sports: tuple[str, ...] = ()
    """The sports that are copied, by Strava's names; empty for all."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Who ended a link, and its status before."""

    by: Side
    was: LinkStatus
    undo_until_epoch_s: int
    """Until then the side that ended the link can restore it; earlier if the other side ends the link too."""


@dataclass(frozen=True, slots=True)
class Link:
    """One parent's link to one child. Copies are made by its own names, options and start; a proposal changes nothing.

    Units: consent times are None until that side has agreed; activities that begin at or after `starts_at_epoch_s` are
    copied.
    """

    parent_id: int
    child_id: int
    names: tuple[str, ...]
    options: CopyOptions = field(default_factory=CopyOptions, metadata=stored("carried"))
    starts_at_epoch_s: int = 0
    parent_consent_epoch_s: int | None = None
    child_consent_epoch_s: int | None = None
    status: LinkStatus = LinkStatus.ACTIVE
    agreed: Terms | None = None
    """The terms that the child has agreed to; None if they equal those in force, as in rows of older versions."""
    proposal: Terms | None = None
    """What the parent wishes beyond that, while it waits for the child's yes."""
    closed_proposal: ClosedProposal | None = field(default=None, metadata=stored("set_aside"))
    """The latest proposal that was declined or withdrawn, until the parent chooses anew."""
    declined_at_epoch_s: int | None = None
    """When the child last said no to a proposal; None where it has not, has taken that back, or has said yes since."""
    ending: Ending | None = None
    """How the link ended; None while it has not, and for a link that an older version ended."""
    made_by_operator: bool = False
    """Whether an operator made it on the command line: the child then need not agree to later changes."""
    feed: tuple[FeedEntry, ...] = field(default=(), compare=False)
    """The latest actions on the link, oldest first."""
    wake_at_epoch_s: int | None = field(default=None, compare=False)
    """When reconcile makes the copies due that the link had blocked; None once it has."""
    version: int = field(default=ABSENT, compare=False, metadata=NOT_STORED)

    @property
    def makes_copies(self) -> bool:
        """Whether both sides have agreed and nobody has paused or ended the link."""
        agreed = self.parent_consent_epoch_s is not None and self.child_consent_epoch_s is not None
        return agreed and self.status is LinkStatus.ACTIVE

    @property
    def terms(self) -> Terms:
        """The terms in force."""
        waits = self.parent_consent_epoch_s is None and self.starts_at_epoch_s == 0
        options = self.options
        starts_at_epoch_s = None if waits else self.starts_at_epoch_s
        return Terms(self.names, starts_at_epoch_s, options.allow_private, options.title, options.sports)

    @property
    def agreed_terms(self) -> Terms:
        """The terms that the child has agreed to."""
        return self.agreed or self.terms

    @property
    def wished(self) -> Link:
        """The link as the parent wants it: with the proposed terms, if there are any."""
        return self.with_terms(self.proposal) if self.proposal else self

    def with_terms(self, terms: Terms) -> Link:
        """The link with these terms in force; terms without a start keep the one that the confirmation has set."""
        starts_at_epoch_s = terms.starts_at_epoch_s
        if starts_at_epoch_s is None:
            starts_at_epoch_s = 0 if self.parent_consent_epoch_s is None else self.starts_at_epoch_s
        return replace(
            self,
            names=terms.names,
            options=replace(self.options, allow_private=terms.allow_private, title=terms.title, sports=terms.sports),
            starts_at_epoch_s=starts_at_epoch_s,
        )

    def with_entry(self, at_epoch_s: float, by: Side, action: LinkAction, parts: tuple[str, ...] = ()) -> Link:
        """The link with one more entry in its feed."""
        return replace(self, feed=appended(self.feed, FeedEntry(int(at_epoch_s), by, action, parts)))


class Links:
    """Every link, found from either side."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._erasures = Erasures(store, clock)

    def save(self, link: Link) -> Link:
        """Store the link over the version with which it was read; returns it with its new version.

        If it makes copies, and makes others than the stored link, the same write sets `wake_at_epoch_s`, so that
        reconcile makes the copies due that the link had blocked.
        Errors: `VersionConflict` when the other side changed it meanwhile: read it again and decide again.
        `BeingErased` for a new link of an athlete whose data is being removed, or was; it is not kept.
        """
        before = self.get(link.parent_id, link.child_id)
        wake_at_epoch_s = before.wake_at_epoch_s if before else None
        if before is None or _copy_conditions(link) != _copy_conditions(before):
            wake_at_epoch_s = int(self._clock()) + SETTLED_S
        saved = self._put(replace(link, wake_at_epoch_s=wake_at_epoch_s if link.makes_copies else None))
        ids = (link.parent_id, link.child_id)
        if link.version == ABSENT and self._erasures.clear_away(*ids):  # checked after the write, see `Erasures`
            self.forget(*ids)
            raise BeingErased(f"athlete {ids[0]} or {ids[1]} is being erased or was: nothing was linked")
        return saved

    def due(self, now_epoch_s: float) -> Iterator[Link]:
        """The links whose blocked copies have to be made due, earliest change first."""
        for found in list(self._store.find("links", "due", DUE, up_to=now_epoch_s)):
            link = self.get(found.fields["parent_id"], found.fields["child_id"])
            if link is not None and link.wake_at_epoch_s is not None and link.wake_at_epoch_s <= now_epoch_s:
                yield link

    def note_woken(self, link: Link) -> None:
        """Note that the blocked copies are due; no effect if the link has changed since it was read."""
        with suppress(VersionConflict):
            self._put(replace(link, wake_at_epoch_s=None))

    @retry_on_conflict
    def forget(self, parent_id: int, child_id: int) -> None:
        """Remove the link of this pair, whatever its status; safe to repeat."""
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

    def count_children(self, parent_id: int) -> int:
        """How many children of the parent have a link that has not ended."""
        return sum(link.status is not LinkStatus.ENDED for link in self.of_parent(parent_id))

    def of_child(self, child_id: int) -> list[Link]:
        """The links that lead to a child. The index may be late: re-read a link before deciding."""
        return [_link(item) for item in self._store.find("links", "by_child", child_id)]

    def _put(self, link: Link) -> Link:
        fields = encode(link) | {"due": None if link.wake_at_epoch_s is None else DUE}
        version = self._store.put(_key(link.parent_id, link.child_id), fields, expected_version=link.version)
        return replace(link, version=version)


def _copy_conditions(link: Link) -> tuple[object, ...]:
    """The fields of the link that decide which copies are made, and what they contain."""
    return link.names, link.options, link.starts_at_epoch_s, link.makes_copies


def _key(parent_id: int, child_id: int) -> Key:
    return Key("links", str(parent_id), str(child_id))


def _link(item: Item) -> Link:
    return decode(Link, item.fields, version=item.version)
