"""A link that makes other copies than before has those looked at again that it had blocked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.state.consent.feed import LinkAction, Side
from include.state.copies.ledger import LEASE_S
from include.state.links import CopyOptions, Link, Links, LinkStatus
from include.store.store import Item, Key, Store
from local.testbed.forwarding_store import ForwardingStore
from local.testbed.manual_clock import ManualClock

SETTLED_S = 360
AGREED = Link(11, 22, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)


def due(links: Links, clock: ManualClock, after_s: float = SETTLED_S) -> list[Link]:
    return list(links.due(clock.now_epoch_s + after_s))


@pytest.mark.parametrize(
    "before",
    [
        pytest.param({"status": LinkStatus.PAUSED}, id="resumed"),
        pytest.param({"status": LinkStatus.ENDED}, id="taken up again"),
        pytest.param({"parent_consent_epoch_s": None}, id="confirmed"),
        pytest.param({"options": CopyOptions(sports=("Run",))}, id="choices widened"),
        pytest.param({"names": ("Bello",)}, id="names changed"),
        pytest.param({"starts_at_epoch_s": 1_700_000_000}, id="first day moved"),
    ],
)
def test_changed_link_has_its_copies_looked_at_whoever_saved_it(
    links: Links, clock: ManualClock, before: dict[str, object]
) -> None:
    read = links.save(replace(AGREED, **before))
    links.note_woken(read)
    read = links.of_child(22)[0]

    links.save(replace(AGREED, version=read.version))

    assert due(links, clock, SETTLED_S - 1) == []
    assert due(links, clock) == [AGREED]


@pytest.mark.parametrize("status", [LinkStatus.PAUSED, LinkStatus.ENDED])
def test_link_that_makes_no_copies_has_none_looked_at(links: Links, clock: ManualClock, status: LinkStatus) -> None:
    saved = links.save(AGREED)

    links.save(replace(saved, status=status))

    assert due(links, clock) == []


def test_link_that_is_saved_unchanged_stays_as_it_was_noted(links: Links, clock: ManualClock) -> None:
    saved = links.save(AGREED)
    clock.advance(60)
    again = links.save(saved)
    assert due(links, clock, SETTLED_S - 60) == [AGREED]

    links.note_woken(again)
    links.save(links.of_child(22)[0])

    assert due(links, clock) == []


def test_link_on_which_something_is_only_proposed_has_no_copies_looked_at(links: Links, clock: ManualClock) -> None:
    links.note_woken(links.save(AGREED))
    read = links.of_child(22)[0]

    links.save(
        replace(read, proposal=replace(read.terms, names=("Rex", "Bello"))).with_entry(
            1, Side.PARENT, LinkAction.PROPOSED
        )
    )

    assert due(links, clock) == []


def test_link_that_is_changed_while_its_copies_are_looked_at_is_still_to_be_looked_at(
    links: Links, clock: ManualClock
) -> None:
    read = links.save(AGREED)
    links.save(replace(read, names=("Rex", "Rexi")))

    links.note_woken(read)

    assert [link.names for link in due(links, clock)] == [("Rex", "Rexi")]


def test_no_worker_decides_by_the_link_before_once_the_change_has_settled_though_clocks_are_two_minutes_off() -> None:
    assert SETTLED_S - 2 * 120 >= LEASE_S


def test_links_come_by_the_time_of_their_change_without_those_that_wait(links: Links, clock: ManualClock) -> None:
    for parent_id in (13, 12, 11):
        links.save(replace(AGREED, parent_id=parent_id))
        clock.advance(60)

    assert [link.parent_id for link in due(links, clock, SETTLED_S - 60)] == [13, 12, 11]
    assert [link.parent_id for link in due(links, clock, SETTLED_S - 61)] == [13, 12]
    assert due(links, clock, 0) == []


@pytest.mark.parametrize("is_forgotten", [True, False])
def test_link_that_was_woken_or_forgotten_since_the_index_found_it_is_left_out(
    links: Links, clock: ManualClock, is_forgotten: bool
) -> None:
    first, second = (links.save(replace(AGREED, parent_id=parent_id)) for parent_id in (11, 12))
    found = links.due(clock.now_epoch_s + SETTLED_S)
    assert next(found) == first

    if is_forgotten:
        links.forget(second.parent_id, second.child_id)
    else:
        links.note_woken(second)

    assert list(found) == []


def test_link_that_changes_again_since_the_index_found_it_waits_until_that_has_settled(
    links: Links, clock: ManualClock
) -> None:
    first, second = (links.save(replace(AGREED, parent_id=parent_id)) for parent_id in (11, 12))
    found = links.due(clock.now_epoch_s + SETTLED_S)
    assert next(found) == first
    clock.advance(1)
    links.save(replace(second, names=("Rexi",)))

    assert list(found) == []
    assert [link.names for link in due(links, clock)] == [("Rex",), ("Rexi",)]


def test_woken_link_stays_as_it_is_but_for_that(links: Links) -> None:
    saved = links.save(AGREED)

    links.note_woken(saved)

    woken = links.get(11, 22)
    assert woken is not None
    assert (woken, woken.wake_at_epoch_s, woken.version) == (AGREED, None, saved.version + 1)


class Reads(ForwardingStore):
    """Notes which rows are read one by one, each of which is paid for."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.keys: list[Key] = []

    def get(self, key: Key) -> Item | None:
        self.keys.append(key)
        return super().get(key)


def test_link_is_not_read_again_before_it_is_due(store: Store, links: Links, clock: ManualClock) -> None:
    for parent_id in (11, 12):
        links.save(replace(AGREED, parent_id=parent_id))
        clock.advance(60)
    reads = Reads(store)

    assert len(due(Links(reads, clock), clock, SETTLED_S - 120)) == 1
    assert reads.keys == [Key("links", "11", "22")]
