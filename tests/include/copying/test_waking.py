"""What stood against copies has gone: the newest is due first, and no more than the budget serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from include.copying import waking
from include.copying.waking import spacing_s, wake_failed_before, wake_for_access, wake_for_links
from include.state.copies.ledger import Copy, CopyLedger, CopyState, external_id
from include.state.links import SETTLED_S, Link, Links
from include.store.sqlite import SqliteStore
from include.store.store import Store
from include.strava.quota import Limits

NOW = 1_700_000_000
ANN, BEN, REX, MIA = 11, 12, 22, 23
TOMORROW = NOW + 86_400
S = CopyState
AGREED = Link(ANN, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = SqliteStore(tmp_path / "state.sqlite", lambda: NOW)
    yield store
    store.close()


@pytest.fixture
def copies(store: Store) -> CopyLedger:
    return CopyLedger(store, lambda: NOW)


@pytest.fixture
def links(store: Store) -> Links:
    return Links(store, lambda: NOW)


def copy(copies: CopyLedger, activity_id: int, state: CopyState, **changes: Any) -> None:
    """A copy of an activity that began as many seconds after the epoch as its id says."""
    planned = Copy(activity_id, REX, ANN, state, external_id=external_id(activity_id, REX))
    copies.plan(replace(planned, **{"activity_start_epoch_s": activity_id, "next_try_epoch_s": TOMORROW} | changes))


def found(copies: CopyLedger, activity_id: int) -> Copy:
    stored = copies.get(activity_id, REX)
    assert stored is not None
    return stored


def due(copies: CopyLedger, at: float) -> list[int]:
    return [copy.parent_activity_id for copy in copies.due(at)]


def test_copies_that_wait_for_access_are_due_newest_first_and_as_far_apart_as_the_budget_serves(
    copies: CopyLedger,
) -> None:
    for activity_id in (2, 3, 1):
        copy(copies, activity_id, S.WAITING_FOR_ACCESS)
    apart = spacing_s(Limits())

    assert wake_for_access(copies, REX, Limits(), NOW) == 3

    assert (due(copies, NOW), due(copies, NOW + apart), due(copies, NOW + 2 * apart)) == ([3], [3, 2], [3, 2, 1])


def test_copy_of_an_older_version_takes_its_turn_by_when_it_was_planned(copies: CopyLedger) -> None:
    copy(copies, 1, S.WAITING_FOR_ACCESS)
    copy(copies, 3, S.WAITING_FOR_ACCESS, planned_at_epoch_s=9)
    copy(copies, 2, S.WAITING_FOR_ACCESS, activity_start_epoch_s=None, planned_at_epoch_s=2)
    apart = spacing_s(Limits())

    assert wake_for_access(copies, REX, Limits(), NOW) == 3

    assert (due(copies, NOW), due(copies, NOW + apart), due(copies, NOW + 2 * apart)) == ([3], [3, 2], [3, 2, 1])


@pytest.mark.parametrize("limits", [Limits(), Limits(overall_window=400, overall_day=400), Limits(overall_window=1)])
def test_woken_copies_take_at_most_half_of_window_and_day(limits: Limits) -> None:
    assert 3 * 900 / spacing_s(limits) <= limits.overall_window / 2
    assert 3 * 86_400 / spacing_s(limits) <= limits.overall_day / 2


def test_woken_copies_take_no_less_than_half_of_the_tighter_limit() -> None:
    assert spacing_s(Limits(overall_window=600, overall_day=6_000)) == 86_400 / 1_000
    assert spacing_s(Limits(overall_window=60, overall_day=60_000)) == 900 / 10


def test_nothing_else_is_woken_by_access(copies: CopyLedger) -> None:
    for activity_id, state in enumerate(set(S) - {S.WAITING_FOR_ACCESS}, start=1):
        copy(copies, activity_id, state)
    copy(copies, 50, S.WAITING_FOR_ACCESS, child_id=MIA)

    assert wake_for_access(copies, REX, Limits(), NOW) == 0
    assert wake_for_access(copies, MIA, Limits(), NOW) == 1


def test_changed_link_wakes_what_it_skipped_and_no_other_once(copies: CopyLedger, links: Links) -> None:
    copy(copies, 1, S.SKIPPED, reason="The link to this child is paused.")
    copy(copies, 2, S.SKIPPED, reason="The link to this child is paused.", parent_id=BEN)
    copy(copies, 3, S.SKIPPED, reason="This activity was entered by hand: there is no recording to copy.")
    copy(copies, 4, S.FAILED, reason="The file is empty.")
    links.save(AGREED)

    assert wake_for_links(copies, links, Limits(), NOW + SETTLED_S - 1) == 0
    assert [wake_for_links(copies, links, Limits(), NOW + SETTLED_S) for _ in range(2)] == [1, 0]

    assert due(copies, NOW + SETTLED_S) == [1]
    assert list(links.due(NOW + SETTLED_S)) == []


def test_all_copies_of_a_changed_link_are_woken_newest_first(copies: CopyLedger, links: Links) -> None:
    for activity_id in range(1, 301):
        copy(copies, activity_id, S.SKIPPED, reason="The link to this child is paused.")
    links.save(AGREED)

    assert wake_for_links(copies, links, Limits(), NOW + SETTLED_S) == 300

    assert due(copies, NOW + SETTLED_S + 2 * spacing_s(Limits())) == [300, 299, 298]


def test_copies_are_woken_again_when_the_one_who_wakes_them_dies(
    copies: CopyLedger, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(copies, 1, S.SKIPPED, reason="The link to this child is paused.")
    copy(copies, 2, S.SKIPPED, reason="The link to this child is paused.")
    links.save(AGREED)
    wake = copies.wake

    def die_after_one(activity_id: int, child_id: int, at: float) -> bool:
        monkeypatch.setattr(copies, "wake", killed)
        return wake(activity_id, child_id, at)

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(copies, "wake", die_after_one)
        with pytest.raises(KeyboardInterrupt):
            wake_for_links(copies, links, Limits(), NOW + SETTLED_S)
    monkeypatch.undo()

    assert wake_for_links(copies, links, Limits(), NOW + SETTLED_S) == 1
    assert {found(copies, number).state for number in (1, 2)} == {S.PLANNED}


def test_browser_waits_for_the_newest_copies_only(copies: CopyLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "_AT_ONCE", 2)
    for activity_id in range(1, 6):
        copy(copies, activity_id, S.WAITING_FOR_ACCESS)

    assert wake_for_access(copies, REX, Limits(), NOW) == 2
    assert due(copies, NOW + 2 * spacing_s(Limits())) == [5, 4]


@pytest.mark.parametrize(
    ("reason", "is_woken"),
    [
        pytest.param(
            "Strava no longer accepts the access to the child's account, which has to be connected again.",
            True,
            id="tokens refused",
        ),
        pytest.param("The child's account is not connected; it has to be connected again.", True, id="not connected"),
        pytest.param(
            "The child's account lacks a permission; connect it again and leave the boxes on Strava's page ticked.",
            True,
            id="scope missing",
        ),
        pytest.param(
            "Strava has switched this service off; its owner has to look at it.", True, id="application switched off"
        ),
        pytest.param("Strava lets this service connect no further athletes.", True, id="capacity"),
        pytest.param("Strava no longer knows it.", True, id="one 404"),
        pytest.param(
            "Strava's answer could not be understood; the people who run this service can see it.", True, id="a page"
        ),
        pytest.param("This did not work; the people who run this service can see why.", True, id="anything else"),
        pytest.param("Your activity is ready.", True, id="ready without an id"),
        pytest.param("Time information is missing from file.", False, id="the file itself"),
    ],
)
def test_failure_of_an_older_version_is_woken_once_when_its_reason_may_have_passed(
    copies: CopyLedger, reason: str, is_woken: bool
) -> None:
    copy(copies, 1, S.FAILED, reason=reason, next_try_epoch_s=None)
    copy(copies, 2, S.DONE, reason=reason, next_try_epoch_s=None)

    assert [wake_failed_before(copies, ANN, Limits(), NOW) for _ in range(2)] == [int(is_woken), 0]

    assert due(copies, NOW) == ([1] if is_woken else [])


def test_failures_of_an_older_version_are_due_newest_first_and_as_far_apart_as_the_budget_serves(
    copies: CopyLedger,
) -> None:
    for activity_id in (2, 3, 1):
        copy(copies, activity_id, S.FAILED, reason="Strava no longer knows it.", next_try_epoch_s=None)
    apart = spacing_s(Limits())

    assert wake_failed_before(copies, ANN, Limits(), NOW) == 3

    assert (due(copies, NOW), due(copies, NOW + apart), due(copies, NOW + 2 * apart)) == ([3], [3, 2], [3, 2, 1])
