"""Links are found from both sides and changed by one side at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.errors import BeingErased, VersionConflict
from include.state.consent.feed import LinkAction, Side
from include.state.links import CopyOptions, Link, Links, LinkStatus
from include.store.codec import decode, encode
from include.store.store import Key, Store

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


def test_choice_of_what_to_hide_is_stored_as_older_versions_read_it() -> None:
    stored = [encode(CopyOptions(trim_m=chosen))["trim_m"] for chosen in (None, 0, 1, 2000)]

    assert stored == [0, -1, 1, 2000]


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


@pytest.mark.parametrize("athlete_id", [pytest.param(11, id="parent"), pytest.param(22, id="child")])
def test_new_link_of_an_athlete_who_is_erased_is_not_kept(
    links: Links, erase: Callable[[int], None], athlete_id: int
) -> None:
    erase(athlete_id)

    with pytest.raises(BeingErased, match="athlete 11 or 22 is being erased"):
        links.save(Link(11, 22, ("Rex",)))

    assert links.get(11, 22) is None


def test_link_that_exists_can_still_be_ended_while_an_athlete_is_erased(
    links: Links, erase: Callable[[int], None]
) -> None:
    saved = links.save(Link(11, 22, ("Rex",)))
    erase(22)

    ended = links.save(replace(saved, status=LinkStatus.ENDED))

    assert links.get(11, 22) == ended


def test_forgotten_is_the_link_of_that_pair_alone(links: Links) -> None:
    for parent_id, child_id in ((11, 22), (11, 33), (22, 11)):
        links.save(Link(parent_id, child_id, ("Rex",)))

    for _ in range(2):
        links.forget(11, 22)

    assert links.get(11, 22) is None
    assert [link.child_id for link in links.of_parent(11)] == [33]
    assert links.get(22, 11) is not None


def test_children_are_counted_until_their_link_has_ended(links: Links) -> None:
    assert links.count_children(11) == 0
    for child_id, status in enumerate((LinkStatus.ACTIVE, LinkStatus.PAUSED, LinkStatus.ENDED), start=22):
        links.save(Link(11, child_id, ("Rex",), status=status))
    links.save(Link(12, 22, ("Rex",)))

    assert links.count_children(11) == 2


def test_new_link_is_active_and_waits_for_both_sides(links: Links, store: Store) -> None:
    links.save(Link(11, 22, ("Rex",)))

    row = store.get(Key("links", "11", "22"))
    assert row is not None
    unset = ("agreed", "proposal", "set_aside", "declined_at_epoch_s", "ending", "wake_at_epoch_s", "due")
    assert row.fields == {
        **{"parent_id": 11, "child_id": 22, "names": ["Rex"], "carried": encode(CopyOptions())},
        **{"starts_at_epoch_s": 0, "parent_consent_epoch_s": None, "child_consent_epoch_s": None},
        **{"status": "active", "made_by_operator": False, "feed": []},
        **dict.fromkeys(unset),
    }


def test_link_is_the_same_whatever_was_done_with_it_before() -> None:
    noted = replace(LINK.with_entry(1, Side.PARENT, LinkAction.CHANGED), wake_at_epoch_s=2, version=3)

    assert noted == LINK
    assert replace(noted, declined_at_epoch_s=4) != LINK
