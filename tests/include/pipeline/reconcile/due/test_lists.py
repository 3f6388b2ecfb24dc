"""How the lists of several athletes share a window's calls, and that trouble with one is no other's."""

from __future__ import annotations

import pytest

from include.errors import QuotaSpent, TokenRefused
from include.pipeline.reconcile.due import Listed, list_athletes
from include.state.activities.ledger import LedgerEntry
from include.state.activities.observation import Observation
from include.strava.models import Activity
from tests.include.pipeline.reconcile.due.lists import HOUR_S, queued

PARENT_ID, OTHER_ID, THIRD_ID = 71, 72, 73


@pytest.fixture
def world(alone):
    """No Strava answers here but by a test's own words."""
    return alone


def limit(world, *, read=100):
    """The calls that Strava allows in a window."""
    world.services.state.quota.observe({"x-ratelimit-limit": "200,2000", "x-readratelimit-limit": f"{read},1000"})


def stored(world, activity_id):
    """The lake holds the activity as it was before an edit."""
    activities, now = world.services.state.activities, world.clock.now_epoch_s
    lease = activities.acquire(PARENT_ID, activity_id)
    seen = Observation(now, "Run", int(now) - HOUR_S, "2.before.before")
    activities.settle(lease, LedgerEntry.unknown(PARENT_ID, activity_id).synced(seen, points=60))


def looks(world):
    """The activities in the queue, with their athletes."""
    return [(event.owner_id, event.object_id) for event in queued(world)]


def row(world, athlete_id, activity_id, **fields):
    answer = {"id": activity_id, "athlete": {"id": athlete_id}, "start_date": "2026-06-17T10:00:00Z"}
    return Activity.parse({**answer, **fields})


@pytest.fixture
def strava_lists(world, monkeypatch):
    """Three athletes, whose lists show these activities or meet these faults."""
    for athlete_id in (OTHER_ID, THIRD_ID):
        world.connect(athlete_id)

    def lists(shown):
        def activities(athlete_id, **_):
            if isinstance(shown[athlete_id], Exception):
                raise shown[athlete_id]
            return iter([[row(world, athlete_id, number) for number in shown[athlete_id]]])

        monkeypatch.setattr(world.services.strava.client, "activities", activities)

    return lists


def listed(world):
    return list_athletes(world.services, world.settings)


def test_differences_of_all_lists_are_summed_up(world, strava_lists):
    stored(world, 9)
    strava_lists({PARENT_ID: [9], OTHER_ID: [1, 2, 3], THIRD_ID: [4, 5]})
    assert listed(world) == Listed(athletes=3, lacking=5, changed=1)

    strava_lists({PARENT_ID: [], OTHER_ID: [], THIRD_ID: []})
    world.clock.advance(HOUR_S)
    assert listed(world) == Listed(athletes=3, missing=1)


def test_lists_of_one_run_share_the_looks_that_the_budget_serves(world, strava_lists):
    limit(world, read=8)
    strava_lists({PARENT_ID: [1, 2, 3], OTHER_ID: [4, 5, 6], THIRD_ID: [7]})

    assert listed(world) == Listed(athletes=2, lacking=6, waiting=1)
    assert [number for _, number in looks(world)] == [1, 2, 3, 4]


def test_list_leads_to_one_look_at_least_and_is_read_of_one_athlete_at_least(world, strava_lists):
    limit(world, read=1)
    strava_lists({PARENT_ID: [1, 2], OTHER_ID: [3], THIRD_ID: []})

    assert listed(world) == Listed(athletes=1, lacking=2, waiting=2)
    assert [number for _, number in looks(world)] == [1]


def test_run_lists_no_more_athletes_than_half_a_windows_reads_allow_and_the_next_one_the_rest(world, strava_lists):
    limit(world, read=8)
    strava_lists(dict.fromkeys((PARENT_ID, OTHER_ID, THIRD_ID), ()))

    assert [listed(world), listed(world)] == [Listed(athletes=2, waiting=1), Listed(athletes=1)]


REFUSED, SPENT = TokenRefused("no"), QuotaSpent("spent", until_epoch_s=0.0)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([(), (), SPENT], Listed(athletes=2, waiting=1), id="spent at the last"),
        pytest.param([(), REFUSED, SPENT], Listed(athletes=1, waiting=1, refusals=("no",)), id="one refused before"),
        pytest.param([(), SPENT, ()], Listed(athletes=1, waiting=2), id="nobody is listed any more"),
        pytest.param([REFUSED, (), ()], Listed(athletes=2, refusals=("no",)), id="the others are listed"),
    ],
)
def test_athletes_wait_who_were_due_when_the_budget_was_spent_and_only_they(world, strava_lists, answers, expected):
    ids = (PARENT_ID, OTHER_ID, THIRD_ID)
    strava_lists(dict(zip(ids, answers, strict=True)))
    assert listed(world) == expected
    counts = {"athletes": expected.athletes, "lacking": 0, "changed": 0, "missing": 0, "waiting": expected.waiting}
    assert expected.to_json() == {**counts, "refusals": len(expected.refusals)}

    strava_lists(dict.fromkeys(ids, ()))
    assert listed(world) == Listed(athletes=expected.waiting)


def test_athlete_whom_another_run_lists_keeps_no_other_from_being_listed(world, strava_lists, monkeypatch):
    strava_lists({PARENT_ID: [1], OTHER_ID: [2], THIRD_ID: [3]})
    take = world.services.state.listings.take
    monkeypatch.setattr(
        world.services.state.listings,
        "take",
        lambda athlete_id, every_s: None if athlete_id == PARENT_ID else take(athlete_id, every_s),
    )

    assert (listed(world).athletes, looks(world)) == (2, [(OTHER_ID, 2), (THIRD_ID, 3)])


def test_athlete_who_has_waited_longest_is_listed_first(world, strava_lists):
    limit(world, read=4)
    strava_lists({PARENT_ID: [1], OTHER_ID: [2], THIRD_ID: [3]})
    first = []
    for _ in range(6):
        listed(world)
        first += [athlete_id for athlete_id, _ in looks(world)]
        world.clock.advance(HOUR_S)

    assert first[:3] == [PARENT_ID, OTHER_ID, THIRD_ID]
