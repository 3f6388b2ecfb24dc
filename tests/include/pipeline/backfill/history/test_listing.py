"""What each page of an athlete's list adds to the history, and where the list ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import create_autospec

import pytest

from include.errors import NotConnected
from include.pipeline.backfill import history as backfill
from include.pipeline.backfill.history import list_on
from include.pipeline.backfill.request import BackfillRequest, ask
from include.pipeline.ingest.fingerprint import Fingerprint
from include.queue.content import parse as parse_content
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.erasures.ledger import EraseReason
from include.strava import client
from include.strava.client import StravaClient, Unreadable
from include.strava.models import Activity
from tests.include.pipeline.backfill.history.shares import DAYS, PARENT_ID

AFTER = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp()) - 1
UNTIL = int(datetime(2026, 6, 18, tzinfo=UTC).timestamp())
NOON = int(datetime(2026, 6, 10, 12, tzinfo=UTC).timestamp())


@pytest.fixture
def strava(offline, monkeypatch):
    """Answers the lists that a test tells it, one after another; each is a sequence of pages, of a second each."""
    activities = create_autospec(StravaClient, instance=True).activities
    monkeypatch.setattr(offline.strava.client, "activities", activities)

    def answers(*lists):
        def answer(_athlete_id, *, before_epoch_s, unreadable):
            for page in left.pop(0):
                for row in page:
                    if isinstance(row, Unreadable):
                        unreadable(row)
                yield [row for row in page if isinstance(row, Activity)]
                offline.clock.advance(1)

        left = list(lists)
        activities.side_effect = answer

    activities.answers = answers
    activities.asked = lambda: [call.kwargs["before_epoch_s"] for call in activities.call_args_list]
    return activities


def listed(activity_id, start=NOON, **fields):
    """A row of the list."""
    start_date = datetime.fromtimestamp(start, UTC).isoformat()
    return Activity.parse({"id": activity_id, "athlete": {"id": PARENT_ID}, "start_date": start_date, **fields})


def unreadable(activity_id):
    return Unreadable(PARENT_ID, activity_id, "start_date is no date")


def asked(services, **changes):
    noon = datetime.fromtimestamp(services.clock(), UTC)
    return ask(services, BackfillRequest.from_params({**DAYS, **changes}, default_asked_at=noon))


def in_state(services, row, state=ActivityState.SYNCED):
    """The row's activity is in the ledger, as the row shows it."""
    lease = services.state.activities.acquire(PARENT_ID, row.activity_id)
    unknown = LedgerEntry.unknown(PARENT_ID, row.activity_id)
    entry = replace(unknown, state=state, fingerprint=str(Fingerprint.of(row)), start_at_epoch_s=NOON)
    services.state.activities.settle(lease, entry)


def known(services):
    """One row of each kind: recorded and by hand, lacking, stored and edited since."""
    lacking = [listed(number, NOON - number, manual=number == 2) for number in (1, 2, 3)]
    stored = [listed(number, NOON - number, manual=number == 5) for number in (4, 5)]
    for row, state in zip(stored, (ActivityState.SYNCED, ActivityState.NO_STREAMS), strict=True):
        in_state(services, row, state)
    in_state(services, lacking[2], ActivityState.EXPIRED)
    edited = listed(6, NOON - 6)
    in_state(services, edited)
    return [*lacking, *stored, listed(6, NOON - 6, name="New title")]


def numbers(history):
    names = ("found", "in_lake", "changed", "unreadable", "lacking", "read_calls")
    return {name: getattr(history, name) for name in names}


def test_page_counts_what_is_lacking_stored_edited_and_unreadable(offline, strava):
    began_at = int(offline.clock())
    strava.answers([[*known(offline), unreadable(7)]], [])

    history = list_on(offline, asked(offline))

    assert history.to_load == (1, 2, 3)
    assert numbers(history) == {
        "found": 7, "in_lake": 2, "changed": 1, "unreadable": 1, "lacking": 3, "read_calls": 1 + 1 + 2,
    }  # fmt: skip
    assert (history.is_listed, history.before_epoch_s, history.edge) == (True, NOON - 5, ())
    assert history.listed_at_epoch_s == began_at
    [message] = offline.queue.receive(10, visibility_s=30)
    assert parse_content(message.body).event.object_id == 6
    assert offline.state.activities.get(PARENT_ID, 7).state is ActivityState.QUARANTINED
    assert [offline.lake.raw.detail(PARENT_ID, number) is not None for number in range(1, 7)] == [True] * 3 + [
        False
    ] * 3


def test_span_to_be_fetched_again_costs_detail_and_streams_of_what_is_stored(offline, strava):
    strava.answers([known(offline)], [])

    history = list_on(offline, asked(offline, again=True))

    assert history.to_load == (1, 2, 3)
    assert numbers(history) == {
        "found": 6, "in_lake": 0, "changed": 3, "unreadable": 0, "lacking": 3, "read_calls": 1 + 1 + 2 + (2 + 1 + 2),
    }  # fmt: skip
    due = offline.state.activities.due(offline.clock())
    assert {entry.activity_id for entry in due} == {4, 5, 6}
    assert offline.queue.receive(10, visibility_s=30) == []


@pytest.mark.parametrize("again", [False, True])
def test_dry_run_counts_and_neither_stores_nor_queues(offline, strava, again):
    strava.answers([[*known(offline), unreadable(7)]], [])

    history = list_on(offline, asked(offline, dry_run=True, again=again))

    assert (history.to_load, history.lacking, history.found) == ((), 3, 7)
    assert list(offline.lake.objects.list("")) == []
    assert offline.queue.receive(10, visibility_s=30) == []
    assert offline.state.activities.get(PARENT_ID, 7) is None
    assert list(offline.state.activities.due(float("inf"))) == []


@pytest.mark.parametrize(
    ("start", "found", "cursors"),
    [
        pytest.param(AFTER, 0, [UNTIL], id="the second before the span"),
        pytest.param(AFTER + 1, 1, [UNTIL, AFTER + 2], id="its first second"),
        pytest.param(AFTER + 2, 1, [UNTIL, AFTER + 3], id="its second second"),
    ],
)
def test_list_ends_where_the_span_begins(offline, strava, start, found, cursors):
    strava.answers([[listed(1, start)]], [[listed(1, start)]])

    history = list_on(offline, asked(offline))

    assert (history.found, history.is_listed, strava.asked()) == (found, True, cursors)
    assert history.to_load == ((1,) if found else ())


def test_page_without_a_readable_row_is_followed_to_the_one_that_has_one(offline, strava):
    strava.answers([[unreadable(7)], [unreadable(8), listed(1)]], [[unreadable(9)]])

    history = list_on(offline, asked(offline))

    assert (history.found, history.unreadable, history.read_calls) == (4, 3, 2 + 2 + 1)
    assert (history.is_listed, history.to_load) == (True, (1,))


@pytest.fixture
def pages_of_two(monkeypatch):
    """Strava lists two activities in an answer."""
    monkeypatch.setattr(client, "PER_PAGE", 2)


@pytest.mark.usefixtures("pages_of_two")
def test_full_page_that_repeats_the_cursor_s_second_is_followed_by_the_second_before(offline, strava):
    twins, older = [listed(1), listed(2)], listed(3, NOON - 1)
    strava.answers([twins], [twins], [[older]], [])

    history = list_on(offline, asked(offline))

    assert strava.asked() == [UNTIL, NOON + 1, NOON, NOON - 1]
    assert (history.to_load, history.found) == ((1, 2, 3), 3)


@pytest.mark.usefixtures("pages_of_two")
def test_short_page_that_repeats_the_cursor_s_second_is_the_last(offline, strava):
    strava.answers([[listed(1)]], [[listed(1)]])

    history = list_on(offline, asked(offline))

    assert (strava.asked(), history.is_listed, history.found) == ([UNTIL, NOON + 1], True, 1)


@pytest.mark.usefixtures("pages_of_two")
@pytest.mark.parametrize("beside", [pytest.param(listed(2), id="new"), pytest.param(unreadable(2), id="unreadable")])
def test_page_that_shows_anything_new_in_the_cursor_s_second_is_not_the_last(offline, strava, beside):
    strava.answers([[listed(1)]], [[listed(1), beside]], [[listed(3, NOON - 1)]], [])

    history = list_on(offline, asked(offline))

    assert (strava.asked(), history.found) == ([UNTIL, NOON + 1, NOON, NOON - 1], 3)


@pytest.mark.parametrize(("batch", "lists"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_run_lists_on_until_its_batch_is_full(offline, strava, monkeypatch, batch, lists):
    monkeypatch.setattr(backfill, "BATCH", batch)
    strava.answers(*([[listed(number, NOON - number), listed(number + 1, NOON - number - 1)]] for number in (1, 3, 5)))

    history = list_on(offline, asked(offline))

    assert (len(strava.asked()), len(history.to_load), history.is_listed) == (lists, 2 * lists, False)
    strava.reset_mock()
    if batch <= len(history.to_load):
        assert list_on(offline, history) == history
        strava.assert_not_called()


def test_history_is_as_old_as_the_oldest_list_that_is_not_loaded_yet(offline, strava):
    strava.answers([])
    empty = list_on(offline, asked(offline))
    offline.clock.advance(60)
    began_at = int(offline.clock())
    strava.answers([[listed(1)]], [[listed(2, NOON - 1)]], [])

    history = list_on(offline, asked(offline))

    assert empty.listed_at_epoch_s == began_at - 60
    assert (history.to_load, history.listed_at_epoch_s) == ((1, 2), began_at)


def test_activity_that_moves_back_in_time_between_two_pages_is_loaded_once(offline, strava):
    strava.answers([[listed(1), listed(2, NOON - 1)]], [[listed(1, NOON - 2)]], [])

    assert list_on(offline, asked(offline)).to_load == (1, 2)


def test_page_that_another_run_listed_meanwhile_counts_once(offline, strava):
    history, nested = asked(offline), []

    def overtaken(*_args, **_named):
        strava.answers([[listed(1)]], [])
        nested.append(list_on(offline, history))
        return iter([[listed(1)]])

    strava.side_effect = overtaken

    assert list_on(offline, history) == nested[0]
    assert (nested[0].found, nested[0].to_load, nested[0].is_listed) == (1, (1,), True)


def test_listing_ends_when_the_athlete_is_erased_meanwhile(offline, strava):
    strava.answers([])
    history = asked(offline)
    offline.state.histories.forget(PARENT_ID)

    with pytest.raises(NotConnected) as refusal:
        list_on(offline, history)
    assert str(refusal.value) == "Athlete 71 is being erased, so this backfill ends here; nothing more is stored."


def test_nothing_is_kept_and_the_page_stays_to_be_listed_while_a_wish_to_be_erased_may_still_be_withdrawn(
    offline, strava
):
    history = asked(offline)
    offline.state.erasures.ask_now(PARENT_ID, EraseReason.ATHLETE)
    strava.answers([[listed(1)]])

    with pytest.raises(NotConnected, match="Athlete 71 is being erased"):
        list_on(offline, history)
    assert list(offline.lake.objects.list("raw/")) == []
    assert offline.state.histories.get(PARENT_ID, history.span) == history
