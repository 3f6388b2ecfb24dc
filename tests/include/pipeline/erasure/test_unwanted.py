"""Which stored activities and tracks an athlete's narrowed grant removes, in how many steps, and when it is done."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from include.errors import LeaseLost
from include.lake.keys import freshness_key, raw_detail_key
from include.lake.rows.synced import build_rows
from include.pipeline.erasure.coverage import REASON, has_unwanted_track, remove_unwanted
from include.state.activities.ledger import ActivityState, DueWork, LedgerEntry
from include.strava.models import Activity, StreamSet
from tests.include.pipeline.erasure.offline_athletes import ANN, EVERYTHING, REX, connect, enter, put

FULL, READ_ONLY, WRITE_ONLY = EVERYTHING, frozenset({"read", "activity:read"}), frozenset({"read", "activity:write"})
STREAMS = StreamSet.parse(b'{"time": {"data": [0, 1, 2]}}')


def stored(services, activity_id, visibility="everyone", athlete_id=ANN, **values):
    """An activity as a sync has left it now: its rows, its answer, its entry."""
    activity = Activity.parse(
        {
            "id": activity_id,
            "athlete": {"id": athlete_id},
            "start_date": "2026-06-10T12:00:00Z",
            "visibility": visibility,
            "resource_state": 3,
        }
    )
    rows = build_rows(activity, STREAMS, made={}, source="webhook", updated_at_epoch_s=services.clock())
    written = services.lake.tables.write([rows], previous_keys={}, guard=lambda: None)
    services.lake.raw.put_detail(activity, guard=lambda: None)
    keys = {"object_keys": written.object_keys[activity_id], "points": 3}
    enter(services, activity_id, athlete_id, **{**keys, **values})


def narrow(services, scopes=READ_ONLY, *, removes=True):
    """A minute later Ann allows less."""
    services.clock.advance(60)
    connect(services, scopes=scopes, removes=removes)


@pytest.fixture
def ann(offline):
    """Ann, who allows everything."""
    connect(offline)
    return offline


def in_lake(services, athlete_id=ANN):
    prefix = f"raw/athlete_id={athlete_id}/"
    return sorted(int(key.removeprefix(prefix).partition(".")[0]) for key in services.lake.objects.list(prefix))


def entry(services, activity_id):
    return services.state.activities.get(ANN, activity_id)


def unwanted(services):
    return services.state.athletes.get(ANN).unwanted_scopes


def test_private_activities_go_and_a_few_tracks_are_fetched_again_at_a_time(ann):
    for activity_id in (1, 2):
        stored(ann, activity_id, "only_me")
    for activity_id in range(3, 6):
        stored(ann, activity_id, "followers_only")
    narrow(ann)
    before = entry(ann, 1)

    assert remove_unwanted(ann) == {"removed": 2, "tracks": 2}

    assert in_lake(ann) == [3, 4, 5]
    assert entry(ann, 1) == before.removed(ann.clock(), REASON)
    now_epoch_s = int(ann.clock())
    due = DueWork(now_epoch_s, now_epoch_s + 1800)
    assert [entry(ann, activity_id).asked for activity_id in (3, 4, 5)] == [due, due, None]
    assert unwanted(ann) == {"activity:read_all", "activity:write"}

    assert remove_unwanted(ann) == {"removed": 0, "tracks": 1}
    assert remove_unwanted(ann) == {"removed": 0, "tracks": 0}, "all of them are due"
    assert unwanted(ann), "and not yet fetched"


def test_rows_of_a_removed_activity_leave_their_tables(ann):
    stored(ann, 1, "only_me")
    narrow(ann)

    remove_unwanted(ann)

    assert [key for key in ann.lake.objects.list("") if key.startswith(("activities/", "streams/", "raw/"))] == []


def test_removal_is_done_when_nothing_unwanted_is_left(ann):
    stored(ann, 1, "only_me")
    narrow(ann)
    stored(ann, 2)  # fetched under the new grant

    assert remove_unwanted(ann) == {"removed": 1, "tracks": 0}
    assert unwanted(ann) == set()
    assert in_lake(ann) == [2]
    assert remove_unwanted(ann) == {"removed": 0, "tracks": 0}


@pytest.mark.parametrize("removes", [True, False])
def test_everything_goes_only_when_the_athlete_asked_for_it_and_nothing_may_be_read(ann, removes):
    stored(ann, 1, "only_me")
    stored(ann, 2)
    narrow(ann, WRITE_ONLY, removes=removes)

    assert remove_unwanted(ann) == {"removed": 2 if removes else 0, "tracks": 0}
    assert in_lake(ann) == ([] if removes else [1, 2])
    assert unwanted(ann) == set()


def test_months_compared_before_are_forgotten_where_an_activity_goes(ann):
    for athlete_id in (ANN, REX):
        put(ann, freshness_key(athlete_id, 2026), b"unreadable counts as old")
    stored(ann, 1)
    narrow(ann)
    remove_unwanted(ann)
    assert len(list(ann.lake.objects.list("freshness/"))) == 2, "nothing went"

    stored(ann, 2, "only_me")
    remove_unwanted(ann)

    assert list(ann.lake.objects.list("freshness/")) == [freshness_key(REX, 2026)]


def test_athletes_are_counted_together_and_those_who_gave_nothing_up_keep_all(ann):
    connect(ann, REX)
    connect(ann, 73)
    for athlete_id in (ANN, REX):
        stored(ann, 1, "only_me", athlete_id)
        stored(ann, 2, "everyone", athlete_id)
    stored(ann, 1, "only_me", 73)
    narrow(ann)
    connect(ann, REX, READ_ONLY, removes=True)

    assert remove_unwanted(ann) == {"removed": 2, "tracks": 2}
    assert [in_lake(ann, athlete_id) for athlete_id in (ANN, REX, 73)] == [[2], [2], [1]]


def test_activity_that_another_worker_holds_is_left_to_a_later_run(ann):
    stored(ann, 1, "only_me")
    stored(ann, 2, "only_me")
    narrow(ann)

    with ann.state.activities.held(ANN, 1):
        assert remove_unwanted(ann) == {"removed": 1, "tracks": 0}
    assert (in_lake(ann), bool(unwanted(ann))) == ([1], True)

    assert remove_unwanted(ann) == {"removed": 1, "tracks": 0}
    assert (in_lake(ann), bool(unwanted(ann))) == ([], False)


def test_activity_that_is_forgotten_meanwhile_is_not_removed(ann, monkeypatch):
    stored(ann, 1, "only_me")
    narrow(ann)
    acquire = ann.state.activities.acquire

    def forgotten(*ids, **named):
        ann.state.activities.forget(*ids)
        return acquire(*ids, **named)

    monkeypatch.setattr(ann.state.activities, "acquire", forgotten)

    assert remove_unwanted(ann)["removed"] == 0


@pytest.mark.parametrize("at", ["tables", "raw"])
def test_worker_that_lost_its_lease_removes_nothing_more(ann, monkeypatch, at):
    stored(ann, 1, "only_me")
    narrow(ann)
    zone = getattr(ann.lake, at)
    remove = zone.remove

    def stalled(*args, **named):
        ann.clock.advance(301)
        ann.state.activities.acquire(ANN, 1)
        return remove(*args, **named)

    monkeypatch.setattr(zone, "remove", stalled)

    with pytest.raises(LeaseLost):
        remove_unwanted(ann)
    assert (in_lake(ann), entry(ann, 1).state) == ([1], ActivityState.SYNCED)
    assert bool(list(ann.lake.objects.list("activities/"))) is (at == "tables")


@pytest.mark.parametrize("known", [b"no JSON", None])
def test_activity_of_which_no_field_says_that_it_is_private_stays(ann, known):
    stored(ann, 1)
    narrow(ann)
    key = raw_detail_key(ANN, 1)
    if known is None:
        ann.lake.objects.delete(key, expected=ann.lake.objects.get(key).etag)
    else:
        put(ann, key, json.dumps("no answer").encode())

    assert remove_unwanted(ann)["removed"] == 0
    assert entry(ann, 1).object_keys


@pytest.mark.parametrize(
    ("scopes", "removes", "changes", "is_unwanted"),
    [
        pytest.param(READ_ONLY, True, {}, True, id="full track"),
        pytest.param(READ_ONLY, True, {"points": 1}, True, id="one point"),
        pytest.param(READ_ONLY, True, {"points": 0}, False, id="no points"),
        pytest.param(READ_ONLY, True, {"fetched_at_epoch_s": None}, True, id="fetched at an unknown time"),
        pytest.param(READ_ONLY, False, {}, False, id="they may stay"),
        pytest.param(FULL - {"activity:write"}, True, {}, False, id="another scope was given up"),
    ],
)
def test_track_is_unwanted_that_was_fetched_under_the_wider_grant(ann, scopes, removes, changes, is_unwanted):
    stored(ann, 1, **changes)
    narrow(ann, scopes, removes=removes)

    assert has_unwanted_track(ann, entry(ann, 1)) is is_unwanted


@pytest.mark.parametrize(("later_s", "is_unwanted"), [(-1, True), (0, False), (1, False)])
def test_track_is_wanted_that_was_fetched_since_the_present_grant(ann, later_s, is_unwanted):
    stored(ann, 1)
    narrow(ann)
    authorised_at = ann.state.athletes.get(ANN).authorised_at_epoch_s
    fetched = replace(entry(ann, 1), fetched_at_epoch_s=authorised_at + later_s)

    assert has_unwanted_track(ann, fetched) is is_unwanted


def test_track_of_an_unknown_athlete_is_nobody_s_to_refuse(offline):
    assert has_unwanted_track(offline, replace(LedgerEntry.unknown(5, 1), points=3)) is False
