"""What a copy waits for, and how often it looks meanwhile."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from include.copying.waking import wake_for_access
from include.errors import Gone, StravaUnavailable, UnexpectedShape
from include.state.copies.ledger import CopyState
from local.strava_simulator.api.faults import Faults
from local.strava_simulator.api.script import Line
from tests.include.pipeline.copying.waits.named import REX, copy, made, named, scope_taken, uploads

pytestmark = pytest.mark.network

WINDOW_S, DAY_S = 900, 86_400


def reads(world):
    return sum(count for route, count in world.calls().items() if route.startswith("GET"))


def disconnected(world):
    world.control.disconnect(REX, world.client_id)


@pytest.mark.parametrize(
    "refuse", [pytest.param(scope_taken, id="scope missing"), pytest.param(disconnected, id="tokens refused")]
)
def test_copies_without_access_wait_and_are_made_when_the_child_connects_again(family, refuse, pass_windows):
    refuse(family)
    older, newer = named(family, hours_ago=30), named(family, hours_ago=2)
    for activity_id in (older, newer):
        assert made(family, activity_id) == [(REX, "waiting_for_access")]
    family.clock.advance(18_000)
    waiting = copy(family, newer).next_try_epoch_s
    assert made(family, newer) == [(REX, "waiting_for_access")]
    assert copy(family, newer).next_try_epoch_s == waiting, "nothing is tried before its day"

    family.connect(REX)
    wake_for_access(family.services.state.copies, REX, family.services.state.quota.limits(), family.clock.now_epoch_s)
    assert [due.parent_activity_id for due in family.services.state.copies.due(family.clock.now_epoch_s)] == [newer]
    pass_windows(family, 1)

    assert [copy(family, activity_id).state for activity_id in (older, newer)] == [CopyState.DONE] * 2
    assert len(family.control.activity_ids(REX)) == 2


def test_copy_is_made_within_a_day_when_nobody_wakes_it(family, pass_windows):
    scope_taken(family)
    activity_id = named(family)
    made(family, activity_id)

    family.connect(REX)
    pass_windows(family, 97)

    assert copy(family, activity_id).state is CopyState.DONE


def test_copy_that_nobody_lets_in_ends_after_thirty_days_and_is_made_when_asked_for(family):
    scope_taken(family)
    activity_id = named(family)
    made(family, activity_id)
    for _ in range(31):
        family.clock.advance(DAY_S)
        made(family, activity_id)
    assert copy(family, activity_id).state is CopyState.UNFINISHED
    assert copy(family, activity_id).reason.startswith("Given up after 30 days: The child's account lacks a permission")

    family.connect(REX)
    assert family.services.state.copies.reopen(activity_id, REX, family.clock.now_epoch_s)

    assert made(family, activity_id) == [(REX, "done")]


def test_copies_go_on_when_the_application_is_switched_on_again(family, pass_windows):
    activity_id = named(family)
    family.control.switch_faults(family.client_id, Faults(inactive=True))
    assert made(family, activity_id) == [(REX, "uploading")]
    assert "switched this service off" in copy(family, activity_id).reason
    pass_windows(family, 8)
    family.control.switch_faults(family.client_id, Faults())

    pass_windows(family, 16)

    assert copy(family, activity_id).state is CopyState.DONE
    assert len(family.control.activity_ids(REX)) == 1


# --- odd answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Gone("404"), id="one 404"),
        pytest.param(UnexpectedShape("a page"), id="a page"),
        pytest.param(StravaUnavailable("503"), id="503"),
    ],
)
def test_copy_is_made_although_one_poll_is_answered_oddly(family, monkeypatch, error, pass_windows, answer_once):
    activity_id = named(family)
    answer_once(family, monkeypatch, "upload", error)
    with suppress(StravaUnavailable):
        made(family, activity_id)
    assert copy(family, activity_id).state is CopyState.PROCESSING

    pass_windows(family, 1)

    assert copy(family, activity_id).state is CopyState.DONE
    assert uploads(family) == 1


@pytest.mark.parametrize("route", ["POST /uploads", "GET /uploads/*"])
@pytest.mark.parametrize(("asks", "waits_s"), [("7200", 7200), ("99999999", 21_600)])
def test_copy_waits_as_long_as_strava_asks_within_bounds(family, route, asks, waits_s):
    activity_id = named(family)
    family.control.write_script(Line(route=route, status=503, headers={"Retry-After": asks}))
    with suppress(StravaUnavailable):
        made(family, activity_id)

    assert copy(family, activity_id).next_try_epoch_s == int(family.clock.now_epoch_s) + waits_s


def test_upload_that_was_answered_with_a_page_is_found_and_not_sent_again(
    family, monkeypatch, pass_windows, answer_once
):
    activity_id = named(family)
    answer_once(family, monkeypatch, "create_upload", UnexpectedShape("a page"), after=True)
    made(family, activity_id)

    pass_windows(family, 1)

    assert copy(family, activity_id).state is CopyState.DONE
    assert uploads(family) == 1


# --- stuck uploads -------------------------------------------------------------------------------


@pytest.fixture
def stuck(family, monkeypatch):
    """Strava finishes no upload."""
    poll = family.services.strava.client.upload

    def still(child_id, upload_id):
        return replace(poll(child_id, upload_id), status="Being processed", error=None, activity_id=None)

    monkeypatch.setattr(family.services.strava.client, "upload", still)
    return family


def test_three_stuck_uploads_cost_few_reads_and_end_after_three_days(stuck, pass_windows):
    ids = [named(stuck, hours_ago=hours) for hours in (2, 3, 4)]
    before, per_day = reads(stuck), []
    for activity_id in ids:
        made(stuck, activity_id)
    for _day in range(5):
        pass_windows(stuck, 96)
        per_day.append(reads(stuck) - before)
        before = reads(stuck)

    assert per_day == [30, 12, 12, 3, 0], "36 on the first day and 12 on each later one would be too many already"
    assert {copy(stuck, activity_id).state for activity_id in ids} == {CopyState.UNFINISHED}


def test_unfinished_copy_that_is_asked_for_is_polled_then_searched_for_and_then_sent(stuck, monkeypatch, pass_windows):
    activity_id = named(stuck)
    made(stuck, activity_id)
    pass_windows(stuck, 4 * 96)
    [theirs] = stuck.control.activity_ids(REX)
    stuck.services.state.copies.reopen(activity_id, REX, stuck.clock.now_epoch_s)
    before = stuck.calls()

    assert made(stuck, activity_id) == [(REX, "done")]

    asked = {route: count - before.get(route, 0) for route, count in stuck.calls().items()}
    assert [route for route, count in asked.items() if count and "uploads" in route and route.startswith("GET")]
    assert copy(stuck, activity_id).child_activity_id == theirs
    assert uploads(stuck) == 1
    monkeypatch.undo()


def test_unfinished_copy_is_sent_again_when_the_childs_list_shows_none(stuck, monkeypatch, pass_windows):
    activity_id = named(stuck)
    made(stuck, activity_id)
    pass_windows(stuck, 4 * 96)
    [theirs] = stuck.control.activity_ids(REX)
    stuck.control.delete_activity(theirs)
    stuck.services.state.copies.reopen(activity_id, REX, stuck.clock.now_epoch_s)

    made(stuck, activity_id)
    assert uploads(stuck) == 2
    monkeypatch.undo()
    pass_windows(stuck, 1)

    assert copy(stuck, activity_id).state is CopyState.DONE
    assert len(stuck.control.activity_ids(REX)) == 1
