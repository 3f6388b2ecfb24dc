"""What a page of Strava's list says that the ledger does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.pipeline.ingest.fingerprint import Fingerprint
from include.pipeline.reconcile.list_columns import ListedRows
from include.pipeline.reconcile.listing import Circumstances, Differences, Page, compare
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.strava.models import Activity

NOW = 1_780_000_000
CONNECTED = NOW - 1000 * 3600
CIRCUMSTANCES = Circumstances(NOW, CONNECTED)


def row(activity_id, start=NOW - 3600, **changes):
    answer = {
        "id": activity_id,
        "athlete": {"id": 7},
        "name": "Morning Run",
        "sport_type": "Run",
        "start_date": datetime.fromtimestamp(start, UTC).isoformat(),
        "elapsed_time": 60,
        "distance": 250.0,
    }
    return Activity.parse(answer | changes)


def entry(activity, state=ActivityState.SYNCED, **changes):
    known = LedgerEntry(
        7,
        activity.activity_id,
        state,
        start_at_epoch_s=int(activity.start_at.timestamp()),
        fingerprint=str(Fingerprint.of(activity)),
        fetched_at_epoch_s=NOW - 3600.0,
    )
    return replace(known, **changes)


def compared(rows, entries, circumstances=CIRCUMSTANCES, **page):
    return compare(Page(rows, **page), {one.activity_id: one for one in entries}, circumstances)


def test_same_list_and_ledger_differ_in_nothing():
    rows = [row(number) for number in range(3)]
    assert compared(rows, map(entry, rows)) == Differences()


def test_activity_that_the_ledger_does_not_know_is_lacking():
    assert compared([row(1), row(2)], [entry(row(2))]) == Differences(lacking=(1,))


def test_differences_come_newest_first_whatever_the_order_of_list_and_ledger():
    starts = {1: NOW - 7000, 2: NOW - 5000, 3: NOW - 6000}
    unknown = [row(number, start) for number, start in starts.items()]
    edited = [row(10 + number, start) for number, start in starts.items()]
    gone = [entry(row(20 + number, start)) for number, start in starts.items()]
    oldest = row(30, NOW - 9000)

    found = compared(
        [oldest, *unknown, *edited], [entry(oldest), *(entry(one, fingerprint="other") for one in edited), *gone]
    )

    assert found == Differences(lacking=(2, 3, 1), changed=(12, 13, 11), missing=(22, 23, 21))
    assert list(found.ids()) == [12, 13, 11, 2, 3, 1, 22, 23, 21]


def test_history_from_before_the_athlete_connected_is_not_lacking():
    old, new = row(1, start=CONNECTED - 1), row(2, start=CONNECTED)
    assert compared([new, old], []) == Differences(lacking=(2,))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"name": "Run with Rex"}, id="title"),
        pytest.param({"elapsed_time": 50}, id="crop"),
        pytest.param({"private": True}, id="privacy"),
        pytest.param({"visibility": "only_me"}, id="visibility"),
        pytest.param({"sport_type": "TrailRun"}, id="sport"),
        pytest.param({"distance": 200.0}, id="distance"),
        pytest.param({"moving_time": 17}, id="moving time"),
        pytest.param({"total_elevation_gain": 999.0}, id="climb"),
        pytest.param({"elev_high": 4321.0}, id="highest altitude"),
        pytest.param({"elev_low": -4.0}, id="lowest altitude"),
    ],
)
def test_edited_activity_has_changed(changes):
    assert compared([row(1, **changes)], [entry(row(1))]) == Differences(changed=(1,))


def test_kudos_change_nothing():
    assert compared([row(1, kudos_count=9)], [entry(row(1))]) == Differences()


@pytest.mark.parametrize("state", list(ActivityState))
def test_edited_activity_is_looked_at_in_the_right_states(state):
    known = entry(row(1), state, fingerprint="", fetched_at_epoch_s=NOW - 86_400 - 1.0)
    looked_at = compared([row(1)], [known])
    expected = {
        ActivityState.EXPIRED: Differences(),  # retention deleted it on purpose
        ActivityState.PENDING: Differences(lacking=(1,)),  # a backfill began with it and never came back
    }
    assert looked_at == expected.get(state, Differences(changed=(1,)))


@pytest.mark.parametrize("state", list(ActivityState))
def test_activity_that_waits_for_its_next_try_is_no_difference(state):
    waiting = entry(row(1), state, fingerprint="", next_try_epoch_s=NOW + 900)
    assert compared([row(1)], [waiting]) == compared([row(2)], [waiting, entry(row(2))]) == Differences()


def test_activity_that_is_not_understood_is_tried_again_only_after_a_day():
    edited = entry(row(1), ActivityState.QUARANTINED, fingerprint="")
    assert compared([row(1)], [edited]) == Differences()
    assert compared([row(1)], [replace(edited, fetched_at_epoch_s=None)]) == Differences(changed=(1,))


@pytest.mark.parametrize("state", list(ActivityState))
def test_activity_that_is_gone_from_the_page_is_missing_in_the_right_states(state):
    gone = entry(row(1, start=NOW - 1800), state)
    expected = () if state in {"pending", "removed", "expired"} else (1,)
    assert compared([row(2)], [gone, entry(row(2))]).missing == expected


def test_activity_that_was_looked_for_today_is_not_missing_again():
    gone = entry(row(1, start=NOW - 1800))
    again = replace(CIRCUMSTANCES, looked_for=(1,))
    assert compared([], [gone], again) == Differences()
    assert compared([], [replace(gone, fetched_at_epoch_s=NOW - 86_400)], again) == Differences(missing=(1,))


@pytest.mark.parametrize(
    ("start", "page", "missing"),
    [
        pytest.param(NOW - 3599, {}, True, id="newest page: one second newer than its oldest row"),
        pytest.param(NOW - 3600, {}, False, id="newest page: as old as its oldest row, perhaps cut off"),
        pytest.param(NOW - 3601, {}, False, id="newest page: older"),
        pytest.param(NOW + 99, {}, True, id="newest page: in the future"),
        pytest.param(NOW - 1801, {"before_epoch_s": NOW - 1800}, True, id="older page: below its end"),
        pytest.param(NOW - 1800, {"before_epoch_s": NOW - 1800}, False, id="older page: at its end"),
    ],
)
def test_only_what_would_have_to_be_on_the_page_is_missing(start, page, missing):
    assert bool(compared([row(2)], [entry(row(1, start=start)), entry(row(2))], **page).missing) is missing


def test_empty_page_reaches_back_to_the_beginning():
    assert compared([], [entry(row(1, start=0))]) == Differences(missing=(1,))


def test_unreadable_row_is_not_missing_and_a_page_of_only_such_rows_covers_nothing():
    known = entry(row(1))
    assert compared([row(2, start=NOW - 9000)], [known], unreadable_ids={1}).missing == ()
    assert compared([], [known], unreadable_ids={5}) == Differences()


def test_page_of_one_second_does_not_stop_the_rotation():
    rows = [row(number, start=500) for number in range(3)]
    assert Page(rows).next_before_epoch_s == 501
    assert Page(rows, before_epoch_s=501).next_before_epoch_s == 500


ACTIVITIES = st.dictionaries(
    st.integers(1, 12), st.tuples(st.integers(0, 40), st.sampled_from(["a", "b"])), max_size=12
)


def shown(held, size, before=None):
    """Strava's page of what an athlete has."""
    rows = [row(number, start=NOW - 40 + start, name=name) for number, (start, name) in held.items()]
    newest_first = sorted(rows, key=lambda one: one.start_at, reverse=True)
    return [one for one in newest_first if before is None or one.start_at.timestamp() < before][:size]


@given(at_strava=ACTIVITIES, in_ledger=ACTIVITIES, size=st.integers(1, 5))
def test_rotation_finds_every_difference_and_nothing_else(at_strava, in_ledger, size):
    # A page must be able to hold what began within one second; Strava's holds 200.
    starts = [start for start, _ in at_strava.values()]
    size = max([size, *(starts.count(start) + 1 for start in starts)])
    ledger = {one.activity_id: entry(one) for one in shown(in_ledger, 99)}
    found: set[int] = set()
    before = None
    for _ in range(60):
        page = Page(shown(at_strava, size, before), before_epoch_s=before)
        found |= set(compare(page, ledger, CIRCUMSTANCES).ids())
        before = page.next_before_epoch_s
        if before is None:
            break
    assert before is None
    everything = at_strava.keys() | in_ledger.keys()
    assert found == {number for number in everything if at_strava.get(number) != in_ledger.get(number)}


@pytest.mark.parametrize("state", [ActivityState.SYNCED, ActivityState.REMOVED])
def test_difference_that_a_look_of_today_did_not_settle_is_none_until_the_row_changes(state):
    shown = row(1)
    known = entry(shown, state, fingerprint="other")
    looked_at = replace(CIRCUMSTANCES, looked_at={1: str(Fingerprint.of(shown))})
    tomorrow = replace(looked_at, now_epoch_s=NOW + 86_400)

    assert compared([shown], [known]).changed == (1,)
    assert compared([shown], [known], looked_at) == Differences()
    assert compared([row(1, name="Another")], [known], looked_at).changed == (1,)
    assert compared([shown], [known], tomorrow).changed == (1,)


def test_page_shows_no_title_in_a_log():
    assert "Morning Run" not in repr(Page([row(1)]))
    assert "Morning Run" not in repr(ListedRows(7, NOW, [row(1)]))
