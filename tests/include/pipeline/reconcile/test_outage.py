"""An outage of Strava's or of the application is nobody's fault, costs few calls, and is over soon after it is over."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest

from include.errors import CapacityReached, IngestError, NotTheApi, StravaUnavailable, TokenEndpointFault
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import Listed, Queued, list_athletes, queue_due
from include.pipeline.reconcile.outage import current_outage
from include.queue.content import parse as parse_content
from local.strava_simulator.api.faults import Faults
from local.strava_simulator.api.script import Line

pytestmark = pytest.mark.network

PARENT_ID = 71
OTHER_ID = 72
TRIES_AFTER_S = (0, 10, 20, 40, 80, 160, 320)
"""When Airflow tries a task again, each time after the last."""

RECONCILES = (1, 16, 31, 46)
OUTAGE_MINUTES = 11


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def switch(world, faults):
    world.control.switch_faults(world.client_id, faults)


def calls(world):
    return sum(world.calls().values())


@pytest.mark.parametrize("faults", [Faults(error_rate=1.0), Faults(inactive=True)])
def test_outage_is_no_round_and_the_activity_is_due_when_it_is_over(world, faults):
    activity_id = world.finish()
    switch(world, faults)

    synced = sync(world.services, world.item(activity_id), source="webhook")

    assert "Strava has been down since 2026-06-17 12:02 UTC" in synced.reason
    known = entry(world, activity_id)
    assert (known.state, known.rounds, known.due_at_epoch_s) == ("pending", 0, int(world.clock.now_epoch_s))

    next_id = world.finish()  # the outage is known now
    world.clock.advance(60)
    sync(world.services, world.item(next_id), source="webhook")

    assert entry(world, next_id).due_at_epoch_s == int(world.clock.now_epoch_s)


# --- what the free question does not tell ---------------------------------------------------------

BROKEN = Line(route="POST /oauth/token", status=503)
"""The token endpoint fails for everybody, the rest answers."""


@pytest.fixture
def meets_it(world, monkeypatch):
    """Lets calls for these athletes meet a faulty token endpoint, or a full application."""

    def break_for(*athlete_ids, error=TokenEndpointFault):
        def broken(call):
            def called(athlete_id, *args):
                if athlete_id in athlete_ids:
                    raise error("503")
                return call(athlete_id, *args)

            return called

        for target, name in ((world.services.strava.client, "activity"), (world.services.strava.client, "athlete")):
            monkeypatch.setattr(target, name, broken(getattr(target, name)))
        monkeypatch.setattr(world.services.strava.tokens, "prove", broken(world.services.strava.tokens.prove))

    return break_for


def token_calls(world):
    return world.calls().get("POST /oauth/token", 0)


@pytest.mark.parametrize("error", [TokenEndpointFault, CapacityReached])
def test_fault_that_others_meet_too_is_an_outage_and_nobodys_round(world, meets_it, error):
    world.connect(OTHER_ID)
    first, second = world.finish(), world.finish(hours_ago=3)
    meets_it(PARENT_ID, OTHER_ID, error=error)

    for activity_id in (first, second):
        assert "Strava has been down" in sync(world.services, world.item(activity_id), source="webhook").reason

    assert current_outage(world.services).reason == error.__name__
    assert [entry(world, activity_id).rounds for activity_id in (first, second)] == [0, 0]


def test_outage_of_the_token_endpoint_ends_when_another_athletes_pair_is_renewed_again(world, clock):
    world.connect(OTHER_ID)
    activity_id = world.finish()
    clock.advance(6 * 3600)  # the tokens have run out
    world.control.write_script(BROKEN)
    sync(world.services, world.item(activity_id), source="webhook")
    for _ in range(3):
        clock.advance(900)
        assert queue_due(world.services) == Queued(0, 0)
    world.control.write_script()
    clock.advance(900)

    assert queue_due(world.services) == Queued(1, 0)
    assert (world.services.state.outages.current(), entry(world, activity_id).rounds) == (None, 0)


@pytest.mark.parametrize("error", [TokenEndpointFault, CapacityReached])
def test_athlete_who_alone_meets_it_stops_nobody_and_costs_others_few_calls(world, meets_it, error):
    world.connect(OTHER_ID)
    activity_id = world.finish()
    meets_it(OTHER_ID, error=error)
    world.services.state.activities.make_due(OTHER_ID, 5, asked_at_epoch_s=0, due_at_epoch_s=0)
    before, reasons = token_calls(world) + world.calls().get("GET /athlete", 0), []
    for _ in range(96):
        queue_due(world.services)
        for message in world.services.queue.receive(100, visibility_s=30):
            for item in plan(world.services, [parse_content(message.body).event]):
                with suppress(IngestError):
                    sync(world.services, item, source="webhook")
            world.services.queue.delete(message)
        reasons.append(sync(world.services, world.item(activity_id), source="webhook").reason)
        world.clock.advance(900)

    assert not any("Strava has been down" in reason for reason in reasons)
    assert world.services.state.activities.get(OTHER_ID, 5).rounds >= 5
    assert token_calls(world) + world.calls().get("GET /athlete", 0) - before <= 20


def test_others_are_asked_once_in_a_window_however_often_one_meets_it(world, meets_it):
    for athlete_id in range(OTHER_ID, OTHER_ID + 6):
        world.connect(athlete_id)
    activities = [world.finish(hours_ago=hours) for hours in range(1, 6)]
    meets_it(PARENT_ID)
    before = token_calls(world)

    for activity_id in activities:
        with pytest.raises(TokenEndpointFault):
            sync(world.services, world.item(activity_id), source="webhook")

    assert token_calls(world) - before == 1
    assert current_outage(world.services) is None


def test_athlete_with_nobody_to_ask_takes_the_round(world, meets_it):
    activity_id = world.finish()
    meets_it(PARENT_ID)

    with pytest.raises(TokenEndpointFault):
        sync(world.services, world.item(activity_id), source="webhook")

    assert (current_outage(world.services), entry(world, activity_id).rounds) == (None, 1)


def test_activity_that_alone_fails_is_its_own_fault(world, monkeypatch):
    activity_id = world.finish()

    def broken(*_):
        raise StravaUnavailable("500")

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "activity", broken)
        for after_s in TRIES_AFTER_S:
            world.clock.advance(after_s)
            with pytest.raises(StravaUnavailable):
                sync(world.services, world.item(activity_id), source="webhook")

    assert (current_outage(world.services), entry(world, activity_id).rounds) == (None, 1)
    assert entry(world, activity_id).next_try_epoch_s - world.clock.now_epoch_s <= 900


def test_nothing_is_fetched_listed_or_queued_while_an_outage_stands_but_one_question_a_window(world):
    activity_id = world.finish()
    switch(world, Faults(error_rate=1.0))
    sync(world.services, world.item(activity_id), source="webhook")

    per_window = []
    for _ in range(4):
        world.clock.advance(900)
        before = calls(world)
        for _ in range(3):
            assert queue_due(world.services) == Queued(0, 0)
            assert list_athletes(world.services, world.settings) == Listed()
            sync(world.services, world.item(activity_id), source="webhook")
        per_window.append(calls(world) - before)

    assert set(per_window) == {2}  # one question, which is repeated within the call
    assert current_outage(world.services).since_epoch_s == world.clock.now_epoch_s - 4 * 900


def test_outage_ends_with_the_first_answer_and_what_waited_is_queued(world):
    activity_id = world.finish()
    switch(world, Faults(inactive=True))
    sync(world.services, world.item(activity_id), source="webhook")
    switch(world, Faults())
    world.clock.advance(900)

    assert queue_due(world.services) == Queued(1, 0)
    assert world.services.state.outages.current() is None


def test_activity_is_in_the_lake_within_20_minutes_after_an_outage_begun_at_any_minute(world, monkeypatch):
    """An event comes as the outage begins; reconcile runs at its minutes, and its runs find what they find."""
    outages = [Span(world.clock.now_epoch_s // 3600 * 3600 + hours * 7200 + hours * 60) for hours in range(60)]
    for target, name in ((world.services.strava.client, "activity"), (world.services.strava.push, "prove")):
        monkeypatch.setattr(target, name, out_during(outages, world.services.clock, getattr(target, name)))

    waited = {round(outage.began % 3600 / 60): minutes_after(world, outage) for outage in outages}

    assert sorted(waited) == list(range(60))
    assert max(waited.values()) < 20


@dataclass(frozen=True)
class Span:
    """An outage."""

    began: float

    @property
    def ended(self):
        return self.began + OUTAGE_MINUTES * 60


def out_during(outages, clock, call):
    """The call, which fails during the outages."""

    def called(*arguments):
        if any(outage.began <= clock() < outage.ended for outage in outages):
            raise StravaUnavailable("503")
        return call(*arguments)

    return called


def minutes_after(world, outage):
    """Plays the machine minute by minute; returns how long after the outage's end the activity is in the lake."""
    world.clock.now_epoch_s = outage.began
    activity_id = world.finish(points=2)
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(outage.began))
    work(world, [world.event(activity_id)])
    while entry(world, activity_id).state != "synced":
        world.clock.advance(60)
        if world.clock.now_epoch_s % 3600 // 60 in RECONCILES:
            queue_due(world.services)
            messages = world.services.queue.receive(100, visibility_s=30)
            work(world, [parse_content(message.body).event for message in messages])
            for message in messages:
                world.services.queue.delete(message)
    return (world.clock.now_epoch_s - outage.ended) / 60


def work(world, events):
    for item in plan(world.services, events):
        sync(world.services, item, source="webhook")


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [
        pytest.param("4000", 4000, id="longer than the round"),
        pytest.param("Wed, 17 Jun 2026 13:02:00 GMT", 3600, id="a date"),
        *(pytest.param(text, 900, id=text or "none") for text in ("", "1", "-5", "soon", "1e9", "NaN")),
        pytest.param("9" * 40, 21_600, id="huge"),
    ],
)
def test_activity_is_tried_again_when_strava_asks_to_within_bounds(world, retry_after, wait_s):
    activity_id = world.finish()
    page = Line(route="GET /activities/*", status=404, content_type="text/html", headers={"Retry-After": retry_after})
    world.control.write_script(page)

    with pytest.raises(NotTheApi):
        sync(world.services, world.item(activity_id), source="webhook")

    assert entry(world, activity_id).next_try_epoch_s == world.clock.now_epoch_s + wait_s
