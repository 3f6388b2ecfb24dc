"""Links are found from both sides and changed by one side at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.clock import Clock
from include.errors import VersionConflict
from include.state.consent.feed import LinkAction, Side
from include.state.copies.ledger import LEASE_S
from include.state.links import SETTLED_S, CopyOptions, Link, Links, LinkStatus
from include.store.codec import decode
from include.store.store import Key, Store
from local.testbed.manual_clock import ManualClock

LINK = Link(
    parent_id=11,
    child_id=2**53 + 1,
    names=("Rex", "Zoë O'Brien 🐕", "#rex"),
    options=CopyOptions(
        heartrate=False,
        power=False,
        temperature=False,
        trim_m=200,
        allow_private=True,
        title="{sport} 🐕",
        link_back=False,
        sports=("Run", "TrailRun"),
    ),
    starts_at_epoch_s=1_700_000_000,
    parent_consent_epoch_s=1_700_000_001,
    child_consent_epoch_s=None,
    status=LinkStatus.PAUSED,
)


@pytest.fixture
def links(store: Store, clock: Clock) -> Links:
    return Links(store, clock)


def test_nothing_is_found_where_there_is_no_link(links: Links) -> None:
    assert (links.get(11, 22), links.of_parent(11), links.of_child(22)) == (None, [], [])


def test_link_reads_as_saved_from_every_side(links: Links) -> None:
    saved = links.save(LINK)

    assert (saved, saved.version) == (LINK, 1)
    assert links.get(LINK.parent_id, LINK.child_id) == saved
    assert links.of_parent(LINK.parent_id) == [saved]
    assert links.of_child(LINK.child_id) == [saved]


def test_copy_carries_everything_unless_told_otherwise() -> None:
    everything = CopyOptions(heartrate=True, power=True, temperature=True, trim_m=None, allow_private=False)
    assert CopyOptions() == replace(everything, title="{title}", link_back=True, sports=())


def test_link_of_an_older_version_reads_as_if_nobody_had_chosen_what_is_new(links: Links, store: Store) -> None:
    links.save(replace(LINK, options=CopyOptions(heartrate=False, trim_m=200)))
    key = Key("links", str(LINK.parent_id), str(LINK.child_id))
    item = store.get(key)
    assert item is not None
    older = {name: item.fields["carried"][name] for name in ("heartrate", "power", "temperature", "trim_m")}
    store.put(key, {**item.fields, "carried": older}, expected_version=item.version)

    read = links.get(LINK.parent_id, LINK.child_id)
    assert read is not None
    assert read.options == CopyOptions(heartrate=False, trim_m=200)


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        pytest.param({}, None, id="older than the choice"),
        pytest.param({"trim_m": 0}, None, id="what the form filled in once"),
        pytest.param({"trim_m": 70}, 70, id="chosen"),
        pytest.param({"trim_m": -1}, 0, id="chosen to show all"),
    ],
)
def test_stored_length_is_a_choice_only_where_somebody_chose_it(stored: dict[str, int], read: int | None) -> None:
    assert decode(CopyOptions, stored).trim_m == read


@pytest.mark.parametrize("trim_m", [None, 0, 1, 2000])
def test_choice_of_what_to_hide_reads_as_saved(links: Links, trim_m: int | None) -> None:
    links.save(replace(LINK, options=CopyOptions(trim_m=trim_m)))
    read = links.get(LINK.parent_id, LINK.child_id)
    assert read is not None
    assert read.options.trim_m == trim_m


def test_links_of_others_are_not_found(links: Links) -> None:
    for parent_id, child_id in [(1, 2), (1, 3), (12, 2), (2, 1)]:
        links.save(Link(parent_id, child_id, names=("Rex",)))

    assert [link.child_id for link in links.of_parent(1)] == [2, 3]
    assert [link.parent_id for link in links.of_child(2)] == [1, 12]


def test_change_is_saved_over_the_version_it_was_read_with(links: Links) -> None:
    saved = links.save(LINK)

    ended = links.save(replace(saved, status=LinkStatus.ENDED, child_consent_epoch_s=5))

    assert links.get(LINK.parent_id, LINK.child_id) == ended
    assert (ended.status, ended.version) == (LinkStatus.ENDED, 2)


def test_save_is_refused_when_the_other_side_was_first(links: Links) -> None:
    read = links.save(LINK)
    ended = links.save(replace(read, status=LinkStatus.ENDED))

    with pytest.raises(VersionConflict):
        links.save(replace(read, names=("Rexi",)))
    with pytest.raises(VersionConflict):
        links.save(LINK)

    assert links.get(LINK.parent_id, LINK.child_id) == ended


# --- copies to be looked at again ----------------------------------------------------------------

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
