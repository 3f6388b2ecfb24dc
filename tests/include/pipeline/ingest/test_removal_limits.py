"""How many removals without an event a day allows, and what is asked of Strava before one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import NotProved, RemovalsStopped, StravaUnavailable
from include.pipeline.ingest.removal import (
    ANNOUNCED,
    STOPPED,
    UNANNOUNCED,
    StillListed,
    confirm_removals,
    is_hidden_from_grant,
    require_gone,
)
from include.queue.content import ConfirmRemoval
from include.queue.content import parse as parse_content
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.strava.models import Activity

PARENT_ID, ACTIVITY_ID, START = 71, 5000, 1_780_000_000
DAY_S = 86_400
KEYS = (f"activities/athlete_id={PARENT_ID}/year=2026/2026.parquet",)


def entry(activity_id=ACTIVITY_ID, **changes):
    unknown = LedgerEntry.unknown(PARENT_ID, activity_id)
    return replace(unknown, state=ActivityState.SYNCED, object_keys=KEYS, start_at_epoch_s=START, **changes)


def removed(world, activity_id, ago_s=60.0, reason=UNANNOUNCED):
    return entry(activity_id).removed(world.clock.now_epoch_s - ago_s, reason)


@pytest.fixture
def world(alone):
    """No Strava answers here but by a test's own words; once it has answered."""
    state, settings = alone.services.state, alone.settings
    state.installation.note(settings.strava_api_url, is_proved=True, now_epoch_s=alone.clock.now_epoch_s)
    return alone


@pytest.fixture
def ledger(world, monkeypatch):
    """Has the ledger hold these entries of the athlete."""

    def hold(*entries):
        monkeypatch.setattr(world.services.state.activities, "of_athlete", lambda _: iter(entries))

    return hold


@pytest.fixture
def asked(world, monkeypatch):
    """The calls that are made for an athlete, which are answered by no activity."""
    calls, client = [], world.services.strava.client
    monkeypatch.setattr(client, "athlete", lambda athlete_id: calls.append(("athlete", athlete_id)))
    monkeypatch.setattr(
        client, "activities", lambda athlete_id, **bounds: calls.append((athlete_id, bounds)) or iter(())
    )
    return calls


@pytest.mark.parametrize(
    ("stored", "most"),
    [
        pytest.param(1, 5, id="few: five"),
        pytest.param(119, 5, id="one short of the next"),
        pytest.param(120, 6, id="a twentieth"),
        pytest.param(399, 19, id="one short of the most"),
        pytest.param(400, 20, id="the most"),
        pytest.param(2000, 20, id="many: no more"),
    ],
)
def test_day_allows_a_twentieth_of_the_stored_activities_but_at_least_five_and_at_most_twenty(
    world, ledger, asked, stored, most
):
    others = [entry(number) for number in range(1, stored)]
    gone = [removed(world, 10_000 + number) for number in range(most)]
    ledger(entry(), *others, *gone[1:])
    require_gone(world.services, entry(), is_announced=False)
    assert len(asked) == 1

    ledger(entry(), *others, *gone)
    with pytest.raises(RemovalsStopped) as stopped:
        require_gone(world.services, entry(), is_announced=False)
    assert str(stopped.value) == (
        f"{most + 1} activities of athlete 71 were gone at Strava within a day, without an event; no more than {most} "
        "are removed. If this is right, run `make removals ARGS=71`."
    )
    assert len(asked) == 1

    require_gone(world.services, entry(), is_announced=True)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        pytest.param({}, True, id="without an event"),
        pytest.param({"ago_s": DAY_S - 1}, True, id="almost a day ago"),
        pytest.param({"ago_s": DAY_S}, False, id="a day ago"),
        pytest.param({"reason": ANNOUNCED}, False, id="as an event said"),
    ],
)
def test_only_removals_of_a_day_that_no_event_announced_count(world, ledger, asked, changes, counts):
    ledger(*(removed(world, number, **changes) for number in range(5)))
    if counts:
        with pytest.raises(RemovalsStopped):
            require_gone(world.services, entry(), is_announced=False)
    else:
        require_gone(world.services, entry(), is_announced=False)
    assert len(asked) == (not counts)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        pytest.param({"reason": STOPPED}, True, id="waits for the operator"),
        pytest.param({"reason": UNANNOUNCED}, False, id="stored again since"),
        pytest.param({"reason": "", "state": ActivityState.REMOVED}, False, id="gone for another reason"),
    ],
)
def test_stopped_removals_count_too_and_nothing_else_does(world, ledger, asked, changes, counts):
    ledger(*(replace(entry(number, fetched_at_epoch_s=world.clock.now_epoch_s), **changes) for number in range(5)))
    if counts:
        with pytest.raises(RemovalsStopped):
            require_gone(world.services, entry(), is_announced=False)
    else:
        require_gone(world.services, entry(), is_announced=False)
    assert len(asked) == (not counts)


def test_activity_itself_is_no_other_that_is_gone(world, ledger, asked):
    stopped = entry(reason=STOPPED)
    ledger(stopped, *(removed(world, number) for number in range(4)))

    require_gone(world.services, stopped, is_announced=False)

    assert len(asked) == 1


@pytest.mark.parametrize(
    ("changes", "call"),
    [
        pytest.param(
            {}, (PARENT_ID, {"after_epoch_s": START - 1, "before_epoch_s": START + 1}), id="the list around its start"
        ),
        pytest.param({"start_at_epoch_s": None}, ("athlete", PARENT_ID), id="the profile, of an unknown start"),
        pytest.param({"object_keys": ()}, None, id="nothing, where nothing is stored"),
    ],
)
def test_second_call_asks_for_what_can_tell_that_the_activity_is_gone(world, asked, changes, call):
    require_gone(world.services, replace(entry(), **changes), is_announced=True)

    assert asked == [call] * (call is not None)


@pytest.mark.parametrize("object_keys", [KEYS, ()], ids=["stored", "not stored"])
def test_nothing_is_gone_before_the_installation_is_proved(world, asked, monkeypatch, object_keys):
    def silent():
        raise StravaUnavailable("503")

    url = world.settings.strava_api_url
    world.services.state.installation.note(url, is_proved=False, now_epoch_s=world.clock.now_epoch_s)
    monkeypatch.setattr(world.services.strava.push, "prove", silent)

    with pytest.raises(NotProved):
        require_gone(world.services, replace(entry(), object_keys=object_keys), is_announced=True)
    assert asked == []


def test_activity_is_not_gone_when_the_second_call_fails_or_lists_it(world, monkeypatch):
    def broken(*_, **__):
        raise StravaUnavailable("503")

    def listed(*ids):
        answer = {"athlete": {"id": PARENT_ID}, "start_date": "2026-06-17T10:00:00Z"}
        return lambda *_, **__: iter([[Activity.parse({**answer, "id": number}) for number in ids]])

    client = world.services.strava.client
    monkeypatch.setattr(client, "athlete", broken)
    with pytest.raises(StravaUnavailable):
        require_gone(world.services, replace(entry(), start_at_epoch_s=None), is_announced=True)
    monkeypatch.setattr(client, "activities", listed(7, ACTIVITY_ID))
    with pytest.raises(StillListed) as still:
        require_gone(world.services, entry(), is_announced=True)
    assert str(still.value) == (
        "Strava answers 404 for activity 5000 of athlete 71, but lists it. Nothing is removed; the activity is fetched "
        "again later."
    )
    monkeypatch.setattr(client, "activities", listed(7))
    require_gone(world.services, entry(), is_announced=True)


@pytest.mark.parametrize(
    ("visibility", "scope", "hidden"),
    [
        pytest.param("only_me", "activity:read", True, id="only for the athlete"),
        pytest.param("followers_only", "activity:read", False, id="for followers"),
        pytest.param("only_me", "activity:read_all", False, id="the grant covers it"),
        pytest.param(None, "activity:read", False, id="no detail is stored"),
    ],
)
def test_404_proves_nothing_of_what_the_grant_does_not_cover(world, monkeypatch, visibility, scope, hidden):
    world.connect(72, ("read", scope))
    row = {"id": 5, "athlete": {"id": 72}, "start_date": "2026-06-17T10:00:00Z", "visibility": visibility}
    stored = None if visibility is None else Activity.parse(row)
    monkeypatch.setattr(world.services.lake.raw, "detail", lambda *_: stored)
    known = replace(LedgerEntry.unknown(72, 5), object_keys=KEYS)

    assert is_hidden_from_grant(world.services, known) is hidden
    assert not is_hidden_from_grant(world.services, replace(known, object_keys=()))
    assert not is_hidden_from_grant(world.services, replace(known, athlete_id=73))


def test_operator_confirms_the_stopped_removals_of_one_athlete(world, ledger):
    ledger(entry(1, reason=STOPPED), entry(2), entry(3, reason=f"before. {STOPPED}"), removed(world, 4))

    assert confirm_removals(world.services, PARENT_ID) == 2

    messages = world.services.queue.receive(10, visibility_s=30)
    assert [parse_content(message.body) for message in messages] == [
        ConfirmRemoval(PARENT_ID, number, world.clock.now_epoch_s) for number in (1, 3)
    ]
