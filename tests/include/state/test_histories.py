"""A history is one row, whoever goes on with it; what comes to its end counts once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.clock import Clock
from include.state.erasures.entry import EraseReason
from include.state.erasures.ledger import Erasures
from include.state.histories import Histories, History
from include.store.store import Key, Store
from tests.include.state.meanwhile import Meanwhile

NOW = 1_700_000_000
KEPT_S, WORKED_S = 30 * 86_400, 1800


@pytest.fixture
def histories(store: Store, clock: Clock) -> Histories:
    return Histories(store, clock)


def history(athlete_id: int = 7, **changes) -> History:
    asked = History(athlete_id, 999, 2000, False, NOW, before_epoch_s=2000, next_turn_epoch_s=NOW)
    return replace(asked, **changes)


def test_span_that_is_under_way_goes_on_when_it_is_asked_for_again(histories):
    histories.ask(history())
    listed = histories.amend(history(), lambda row: replace(row, before_epoch_s=1500, to_load=(3, 2), edge=(2,)))
    assert histories.ask(history(asked_at_epoch_s=NOW + 5)) == listed == histories.get(7, history().span)


def test_span_that_came_to_its_end_begins_anew(histories):
    histories.ask(history())
    histories.amend(history(), lambda row: replace(row, is_listed=True, loaded=9))
    assert histories.ask(history()).loaded == 9
    anew = history(asked_at_epoch_s=NOW + 5)
    assert histories.ask(anew) == anew.taken(NOW)


def test_dry_run_is_a_history_of_its_own(histories):
    histories.ask(history(dry_run=True))
    assert histories.get(7, history().span) is None


def test_who_waits_longest_has_the_first_turn_and_who_is_worked_on_none(histories, pass_time):
    histories.ask(history(7))
    pass_time(5)
    histories.ask(history(8))
    histories.ask(history(5, is_listed=True))
    assert list(histories.open(NOW + WORKED_S - 1)) == []
    assert [each.athlete_id for each in histories.open(NOW + WORKED_S)] == [7]
    assert [each.athlete_id for each in histories.open(NOW + WORKED_S + 5)] == [7, 8]


def test_history_whose_turn_has_come_is_put_off_by_one_alone_each_time_for_longer(histories, pass_time):
    histories.ask(history())
    assert not histories.put_off(history())
    waits = []
    for _ in range(6):
        row = histories.get(7, history().span)
        pass_time(row.next_turn_epoch_s - histories._clock())
        assert [histories.put_off(row), histories.put_off(row)] == [True, False]
        waits.append(histories.get(7, history().span).next_turn_epoch_s - histories._clock())
    assert waits == [1800, 3600, 7200, 14_400, 21_600, 21_600]
    assert histories.ask(history()).queued == 0


def test_activity_that_comes_to_its_end_twice_counts_once(histories):
    histories.ask(history(to_load=(3, 2, 1)))
    for _ in range(2):
        histories.amend(history(), lambda row: row.without({1, 2}, in_lake={2}, now_epoch_s=NOW))
    row = histories.get(7, history().span)
    assert (row.to_load, row.loaded, row.next_turn_epoch_s) == ((3,), 1, NOW + WORKED_S)


def test_last_chunk_gives_the_turn_back(histories):
    histories.ask(history(to_load=(3,)))
    row = histories.amend(history(), lambda row: row.without({3}, in_lake={3}, now_epoch_s=NOW))
    assert (row.to_load, row.next_turn_epoch_s, row.is_open) == ((), NOW, True)


@pytest.mark.parametrize(
    ("changes", "share"),
    [
        ({}, 0.0),
        ({"before_epoch_s": 1500, "lacking": 4}, 500 / 1001),
        ({"is_listed": True, "lacking": 4, "to_load": (1, 2, 3)}, 0.25),
        ({"is_listed": True}, 1.0),
    ],
)
def test_share_that_is_done_is_what_is_listed_and_loaded(changes, share):
    assert history(**changes).done_share == pytest.approx(share)


def test_finished_history_can_be_looked_at_for_a_month(histories, pass_time):
    histories.ask(history())
    histories.amend(history(), lambda row: replace(row, is_listed=True))
    pass_time(KEPT_S - 1)
    assert histories.get(7, history().span) is not None
    pass_time(1)
    assert histories.get(7, history().span) is None


def test_nothing_is_kept_of_an_athlete_who_is_erased(histories, erase):
    erase(7)
    assert histories.ask(history()) is None
    assert list(histories.of_athlete(7)) == []
    assert histories.amend(history(), lambda row: row) is None


def test_forgetting_removes_every_span(histories):
    histories.ask(history())
    histories.ask(history(dry_run=True))
    histories.ask(history(8))
    histories.forget(7)
    assert [each.athlete_id for number in (7, 8) for each in histories.of_athlete(number)] == [8]


def test_row_of_an_older_version_reads_with_defaults(histories, store):
    fields = {
        **{"athlete_id": 7, "after_epoch_s": 999, "until_epoch_s": 2000, "dry_run": False},
        **{"asked_at_epoch_s": NOW, "before_epoch_s": 2000, "something_else": 1},
    }
    store.put(Key("histories", "7", "999.2000"), fields, expected_version=0)
    row = histories.get(7, history().span)
    assert row == history(next_turn_epoch_s=0)
    assert (row.queued, row.loaded, row.to_load, row.is_open) == (0, 0, (), True)


@pytest.mark.parametrize(
    ("changes", "sort"),
    [
        ({}, "999.2000"),
        ({"dry_run": True}, "999.2000.dry"),
        ({"again": True}, "999.2000.again"),
        ({"again": True, "dry_run": True}, "999.2000.again.dry"),
    ],
)
def test_history_is_stored_where_every_version_looks_for_it(histories, store, changes, sort):
    histories.ask(history(**changes))

    assert store.get(Key("histories", "7", sort)) is not None


def test_new_history_has_listed_and_counted_nothing(histories, store):
    histories.ask(History(7, 999, 2000, False, NOW, before_epoch_s=2000))

    row = store.get(Key("histories", "7", "999.2000"))
    counts = ("found", "in_lake", "changed", "unreadable", "lacking", "read_calls", "loaded", "queued")
    assert row.fields == {
        **{"athlete_id": 7, "after_epoch_s": 999, "until_epoch_s": 2000, "before_epoch_s": 2000},
        **{"dry_run": False, "again": False, "is_listed": False, "asked_at_epoch_s": NOW, "due": "due"},
        **{"edge": [], "to_load": [], "reason": "", "listed_at_epoch_s": 0.0, "next_turn_epoch_s": NOW + WORKED_S},
        **dict.fromkeys(counts, 0),
    }


def test_spans_and_kinds_have_rows_of_their_own(histories):
    kinds = [
        history(dry_run=dry_run, again=again, until_epoch_s=until)
        for dry_run in (False, True)
        for again in (False, True)
        for until in (2000, 3000)
    ]
    for each in kinds:
        histories.ask(each)

    assert [histories.get(7, each.span) for each in kinds] == [each.taken(NOW) for each in kinds]
    assert len(list(histories.of_athlete(7))) == len(kinds)


@pytest.mark.parametrize(("later_s", "loaded"), [(-1, 9), (0, 9), (1, 0)])
def test_finished_span_answers_every_request_up_to_its_own(histories, later_s, loaded):
    histories.ask(history())
    histories.amend(history(), lambda row: replace(row, is_listed=True, loaded=9))

    assert histories.ask(history(asked_at_epoch_s=NOW + later_s)).loaded == loaded


def test_history_that_is_asked_for_again_is_worked_on_from_now(histories, pass_time):
    histories.ask(history())
    pass_time(60)
    assert histories.ask(history()) == history().taken(NOW + 60)
    assert list(histories.open(NOW + 60 + WORKED_S - 1)) == []


def test_history_under_way_is_never_forgotten_and_one_that_begins_anew_neither(histories, pass_time):
    histories.ask(history())
    pass_time(2 * KEPT_S)
    assert histories.get(7, history().span) is not None

    histories.amend(history(), lambda row: replace(row, is_listed=True))
    histories.ask(history(asked_at_epoch_s=NOW + 2 * KEPT_S))
    pass_time(2 * KEPT_S)
    assert histories.get(7, history().span).is_open


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({}, True),
        ({"to_load": (3,)}, True),
        ({"is_listed": True, "to_load": (3,)}, True),
        ({"is_listed": True}, False),
    ],
)
def test_history_is_open_until_all_is_listed_and_loaded(histories, changes, is_open):
    histories.ask(history())
    row = histories.amend(history(), lambda row: replace(row, **changes))

    assert row.is_open is is_open
    assert list(histories.open(NOW + WORKED_S)) == ([row] if is_open else [])


def test_only_an_open_history_whose_turn_has_come_is_put_off(histories, pass_time):
    histories.ask(history())
    pass_time(WORKED_S - 1)
    assert not histories.put_off(history())
    assert not histories.put_off(history(8))
    pass_time(1)
    histories.amend(history(), lambda row: replace(row, is_listed=True))
    assert not histories.put_off(history())
    assert histories.get(7, history().span).queued == 0
    assert histories.get(8, history().span) is None


@pytest.mark.parametrize(
    ("to_load", "settled", "in_lake", "left", "loaded", "waits_s"),
    [
        pytest.param((3, 2, 1), {3, 1}, {1}, (2,), 6, WORKED_S, id="some left"),
        pytest.param((3,), {3}, {3}, (), 6, 0, id="none left"),
        pytest.param((3, 2), set(), set(), (3, 2), 5, WORKED_S, id="none settled"),
        pytest.param((3,), {3, 9}, {9}, (), 5, 0, id="of another chunk"),
    ],
)
def test_settled_activities_leave_the_history(to_load, settled, in_lake, left, loaded, waits_s):
    before = history(to_load=to_load, loaded=5, queued=2)
    after = before.without(settled, in_lake=in_lake, now_epoch_s=NOW + 0.9)

    queued = 0 if left else 2
    turn = {"next_turn_epoch_s": NOW + waits_s, "queued": queued}
    assert after == replace(before, to_load=left, loaded=loaded, **turn)


def test_history_of_a_wish_that_may_be_withdrawn_is_kept(histories, store, clock):
    histories.ask(history())
    Erasures(store, clock).ask_now(7, EraseReason.ATHLETE)

    assert histories.amend(history(), lambda row: replace(row, loaded=3)).loaded == 3


def test_what_two_runs_note_at_once_is_kept_of_both(histories, store, clock):
    def one_more(row):
        return replace(row, loaded=row.loaded + 1)

    histories.ask(history())
    raced = Meanwhile(store, "histories", lambda: histories.amend(history(), one_more))

    assert Histories(raced, clock).amend(history(), one_more).loaded == 2


def test_two_who_ask_at_once_get_one_history(histories, store, clock):
    raced = Meanwhile(
        store,
        "histories",
        lambda: histories.ask(history()),
        lambda: histories.amend(history(), lambda row: replace(row, found=4)),
    )

    assert Histories(raced, clock).ask(history()).found == 4
