"""Who is asked whether a fault is everybody's, and what each answer says."""

from __future__ import annotations

import pytest

from include.errors import (
    ApplicationInactive,
    BadRequest,
    CapacityReached,
    Gone,
    LeaseLost,
    NotConnected,
    NotProved,
    QuotaSpent,
    StravaUnavailable,
    TokenEndpointFault,
    TokenRefused,
    WrongInstallation,
)
from include.pipeline.reconcile.outage import current_outage, outage_shown_by
from include.state.accounts.athletes import AthleteStatus
from include.strava.quota import WINDOW_S

PARENT_ID = 71
OTHERS = (72, 73, 74, 75)
SPENT = QuotaSpent("spent", until_epoch_s=0.0)


@pytest.fixture
def world(alone):
    """No Strava answers here but by a test's own words."""
    return alone


@pytest.fixture
def asked(world, monkeypatch):
    """The calls that are made; each is answered as `answers` say, by athlete or as `free`, and succeeds otherwise."""

    class Asked(list):
        def __init__(self):
            self.answers = {}

        def answer(self, who):
            self.append(who)
            if who in self.answers:
                raise self.answers[who]
            return True

    calls = Asked()
    monkeypatch.setattr(world.services.strava.push, "prove", lambda: calls.answer("free"))
    monkeypatch.setattr(world.services.strava.client, "athlete", calls.answer)
    monkeypatch.setattr(world.services.strava.tokens, "prove", lambda athlete_id: calls.answer(("token", athlete_id)))
    return calls


@pytest.fixture
def others(world):
    for athlete_id in OTHERS:
        world.connect(athlete_id)


def shown(world, error):
    """The reason of the outage that an error of the parent's shows."""
    outage = outage_shown_by(world.services, error, PARENT_ID)
    return outage and outage.reason


@pytest.mark.parametrize("error", [Gone("404"), TokenRefused("no"), LeaseLost("gone"), SPENT], ids=repr)
def test_error_that_is_an_answer_or_our_own_is_no_outage_and_nobody_is_asked(world, asked, error):
    assert (shown(world, error), asked, world.services.state.outages.current()) == (None, [], None)


@pytest.mark.parametrize("error", [ApplicationInactive("off"), NotProved("503"), WrongInstallation("404")], ids=repr)
def test_fault_of_the_application_is_everybodys_without_a_question(world, asked, error):
    assert (shown(world, error), asked) == (type(error).__name__, [])
    assert current_outage(world.services).since_epoch_s == world.clock.now_epoch_s


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(None, None, id="an answer"),
        pytest.param(BadRequest("400"), None, id="a refusal is an answer"),
        pytest.param(StravaUnavailable("503"), "StravaUnavailable", id="down"),
        pytest.param(ApplicationInactive("off"), "StravaUnavailable", id="switched off"),
        pytest.param(WrongInstallation("404"), "StravaUnavailable", id="something else answers"),
        pytest.param(SPENT, "StravaUnavailable", id="429 of a free call"),
    ],
)
def test_failed_call_is_an_outage_where_the_free_call_fails_too(world, asked, answer, reason):
    asked.answers = {"free": answer} if answer else {}

    assert (shown(world, StravaUnavailable("500")), asked) == (reason, ["free"])


@pytest.mark.parametrize("has_begun", [False, True])
def test_fault_of_ones_own_ends_no_outage_that_has_begun(world, asked, has_begun):
    if has_begun:
        world.services.state.outages.begin("ApplicationInactive")

    assert shown(world, StravaUnavailable("500")) == ("ApplicationInactive" if has_begun else None)


@pytest.mark.parametrize(
    ("kind", "answers", "is_everybodys"),
    [
        pytest.param(TokenEndpointFault, [TokenEndpointFault("503")] * 3, True, id="all fail"),
        pytest.param(CapacityReached, [CapacityReached("full"), None, None], False, id="the second succeeds"),
        pytest.param(TokenEndpointFault, [None, *[TokenEndpointFault("503")] * 2], False, id="the first succeeds"),
        pytest.param(CapacityReached, [NotConnected("no"), CapacityReached("full"), SPENT], True, id="one fails"),
        pytest.param(CapacityReached, [SPENT, LeaseLost("gone"), StravaUnavailable("503")], True, id="the last fails"),
        pytest.param(TokenEndpointFault, [NotConnected("no"), SPENT, NotConnected("no")], False, id="nobody can tell"),
        pytest.param(CapacityReached, [CapacityReached("full"), TokenRefused("no"), None], False, id="an answer"),
    ],
)
def test_fault_of_the_token_endpoint_is_everybodys_where_others_meet_it_and_none_succeeds(
    world, asked, others, kind, answers, is_everybodys
):
    first = int(world.clock.now_epoch_s) // WINDOW_S % len(OTHERS)
    turn = [*OTHERS[first:], *OTHERS[:first]][:3]
    who = [("token", each) for each in turn] if kind is TokenEndpointFault else turn
    asked.answers = {each: answer for each, answer in zip(who, answers, strict=True) if answer}

    assert shown(world, kind("503")) == (kind.__name__ if is_everybodys else None)
    assert asked == who[: len(asked)]
    assert len(asked) == 3 or not is_everybodys


def test_other_athletes_are_asked_in_turn_who_are_connected(world, asked, others):
    world.services.state.athletes.mark(73, AthleteStatus.NEEDS_REAUTH)
    asked.answers = dict.fromkeys(OTHERS, NotConnected("no"))
    windows = []
    for _ in range(4):
        shown(world, CapacityReached("full"))
        shown(world, CapacityReached("full"))
        windows.append([*asked])
        asked.clear()
        world.clock.advance(WINDOW_S)

    assert all(sorted(window) == [72, 74, 75] for window in windows)
    assert {window[0] for window in windows} == {72, 74, 75}
    assert windows[0] == windows[3]


@pytest.mark.parametrize(
    ("reason", "answers", "is_over"),
    [
        pytest.param("StravaUnavailable", {}, True, id="an answer"),
        pytest.param("StravaUnavailable", {"free": StravaUnavailable("503")}, False, id="still down"),
        pytest.param("StravaUnavailable", {PARENT_ID: StravaUnavailable("503")}, True, id="no athlete is asked"),
        pytest.param("CapacityReached", {PARENT_ID: CapacityReached("full")}, False, id="still full"),
        pytest.param("CapacityReached", {}, True, id="no longer full"),
        pytest.param("TokenEndpointFault", {("token", PARENT_ID): TokenEndpointFault("503")}, False, id="no token yet"),
        pytest.param("TokenEndpointFault", {PARENT_ID: StravaUnavailable("503")}, True, id="a token again"),
    ],
)
def test_outage_is_over_when_the_call_succeeds_that_it_made_fail(world, asked, reason, answers, is_over):
    begun = world.services.state.outages.begin(reason)
    asked.answers = answers
    assert (current_outage(world.services), asked) == (begun, []), "it is asked once in a window"
    world.clock.advance(WINDOW_S)

    found = current_outage(world.services)

    assert (found is None) is is_over
    assert (world.services.state.outages.current() is None) is is_over
    assert found is None or found.reason == reason


def test_nobody_is_asked_while_there_is_no_outage(world, asked):
    assert (current_outage(world.services), asked) == (None, [])
