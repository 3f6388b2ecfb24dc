"""Whose tokens are destroyed, and whose stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.crypto.backend import open_cipher
from include.errors import ApplicationInactive, BadRequest, NotConnected, RetryLater, StravaUnavailable
from include.pipeline.erase import EraseReason, EraseRequest, Outcome, disconnect
from include.state.athletes import AthleteStatus, athlete_key
from include.state.backend import open_store
from include.state.tokens import Tokens
from include.strava.oauth import OAuthClient, RevokeBy
from include.strava.session import StravaSession
from local.strava_simulator.faults import Faults

pytestmark = pytest.mark.network

PARENT_ID = 71
CHILD_ID = 72
EVENT = EraseRequest(PARENT_ID, EraseReason.DEAUTHORISATION)
OPERATOR = EraseRequest(PARENT_ID, EraseReason.OPERATOR)
REASONS = [pytest.param(EVENT, id="event"), pytest.param(OPERATOR, id="operator")]


def stored(world, athlete_id=PARENT_ID):
    """The athlete's status, and whether there are tokens."""
    store = open_store(world.settings.state_url, world.services.clock)
    fields = store.get(athlete_key(athlete_id)).fields
    store.close()
    return AthleteStatus(fields["status"]), fields["tokens"] is not None


def is_connected_at_strava(world):
    try:
        world.services.strava.athlete(PARENT_ID)
    except (NotConnected, BadRequest):
        return False
    return True


def test_request_is_read_from_the_form():
    assert EraseRequest.from_params({"athlete": 71, "reason": "deauthorisation"}) == EVENT


def test_forged_deauthorisation_destroys_nothing(world):
    ended = disconnect(world.services, EVENT)

    assert ended.outcome is Outcome.STILL_CONNECTED
    assert "nothing was destroyed" in ended.message
    assert stored(world) == (AthleteStatus.ACTIVE, True)
    assert is_connected_at_strava(world)


def test_deauthorisation_destroys_the_tokens(world):
    world.control.disconnect(PARENT_ID, world.client_id)

    ended = disconnect(world.services, EVENT)

    assert ended.to_json() == {"athlete_id": PARENT_ID, "outcome": "disconnected"}
    assert stored(world) == (AthleteStatus.REVOKED, False)


@pytest.mark.parametrize("hours", [pytest.param(5.5, id="last hour"), pytest.param(7, id="expired")])
@pytest.mark.parametrize("is_forged", [pytest.param(True, id="forged"), pytest.param(False, id="true")])
def test_deauthorisation_is_told_from_a_forgery_when_the_pair_is_old(world, hours, is_forged):
    world.now[0] += hours * 3600
    if not is_forged:
        world.control.disconnect(PARENT_ID, world.client_id)

    disconnect(world.services, EVENT)

    assert stored(world) == ((AthleteStatus.ACTIVE, True) if is_forged else (AthleteStatus.REVOKED, False))


def test_deauthorisation_is_confirmed_without_a_call_of_the_budget(world):
    before = world.calls()

    disconnect(world.services, EVENT)

    spent = {route: count - before.get(route, 0) for route, count in world.calls().items()}
    assert {route: count for route, count in spent.items() if count} == {"POST /oauth/token": 1}


def test_deauthorisation_is_confirmed_when_only_uploads_were_allowed(world):
    world.connect(CHILD_ID, scopes=("read", "activity:write"))
    event = EraseRequest(CHILD_ID, EraseReason.DEAUTHORISATION)

    assert disconnect(world.services, event).outcome is Outcome.STILL_CONNECTED
    world.control.disconnect(CHILD_ID, world.client_id)
    assert disconnect(world.services, event).outcome is Outcome.DISCONNECTED
    assert stored(world) == (AthleteStatus.ACTIVE, True)


def test_deauthorisation_is_final_when_a_sync_met_the_refusal_first(world):
    world.services.athletes.mark(PARENT_ID, AthleteStatus.NEEDS_REAUTH)

    assert disconnect(world.services, EVENT).outcome is Outcome.DISCONNECTED
    assert stored(world) == (AthleteStatus.REVOKED, False)


def test_late_deauthorisation_does_not_touch_an_athlete_who_connected_again(world):
    world.control.disconnect(PARENT_ID, world.client_id)
    world.connect(PARENT_ID)

    assert disconnect(world.services, EVENT).outcome is Outcome.STILL_CONNECTED
    assert is_connected_at_strava(world)


def test_athlete_who_connects_again_while_the_tokens_are_refused_stays_connected(world):
    class Overtaken:
        """Lets the athlete connect between the refusal and the destruction, once."""

        def __init__(self, athletes):
            self.athletes = athletes
            self.is_due = True

        def get(self, athlete_id):
            return self.athletes.get(athlete_id)

        def revoke(self, seen):
            if self.is_due:
                self.is_due = False
                world.connect(PARENT_ID)
            return self.athletes.revoke(seen)

    world.control.disconnect(PARENT_ID, world.client_id)

    ended = disconnect(replace(world.services, athletes=Overtaken(world.services.athletes)), EVENT)

    assert ended.outcome is Outcome.STILL_CONNECTED
    assert stored(world) == (AthleteStatus.ACTIVE, True)
    assert is_connected_at_strava(world)


@pytest.mark.parametrize("request_", REASONS)
def test_request_is_done_when_it_is_repeated(world, request_):
    world.control.disconnect(PARENT_ID, world.client_id)

    outcomes = [disconnect(world.services, request_).outcome for _ in range(2)]

    assert outcomes == [Outcome.DISCONNECTED, Outcome.DISCONNECTED_BEFORE]
    assert stored(world) == (AthleteStatus.REVOKED, False)


def test_event_about_an_unknown_athlete_is_no_error_but_an_operators_mistake_is(world):
    assert disconnect(world.services, replace(EVENT, athlete_id=5)).outcome is Outcome.UNKNOWN
    with pytest.raises(NotConnected, match="no athlete 5"):
        disconnect(world.services, replace(OPERATOR, athlete_id=5))


@pytest.mark.parametrize(
    ("way", "route"),
    [
        pytest.param(RevokeBy.REVOKE, "POST /oauth/revoke", id="revoke"),
        pytest.param(RevokeBy.LEGACY, "POST /oauth/deauthorize", id="legacy"),
    ],
)
def test_operator_gives_the_access_back_at_strava_and_destroys_the_tokens(world, way, route):
    settings = world.settings
    with StravaSession(world.services.clock) as session:
        oauth = OAuthClient(
            session, settings.strava_oauth_url, settings.strava_client_id, settings.strava_client_secret, way
        )
        ended = disconnect(replace(world.services, oauth=oauth), OPERATOR)

    assert ended.outcome is Outcome.DISCONNECTED
    assert stored(world) == (AthleteStatus.REVOKED, False)
    assert world.calls()[route] == 1
    assert not is_connected_at_strava(world)


def test_operator_finishes_what_a_crash_between_strava_and_the_row_left(world):
    token = world.services.tokens.access_token(PARENT_ID, scope="read")
    world.services.oauth.revoke(PARENT_ID, token)

    assert disconnect(world.services, OPERATOR).outcome is Outcome.DISCONNECTED
    assert stored(world) == (AthleteStatus.REVOKED, False)


def test_operator_is_told_to_try_again_when_strava_accepts_the_tokens_after_all(world):
    class Forgetful:
        def revoke(self, athlete_id, access_token):
            """Answers as Strava does, and does nothing."""

    with pytest.raises(RetryLater, match="nothing was destroyed"):
        disconnect(replace(world.services, oauth=Forgetful()), OPERATOR)
    assert stored(world) == (AthleteStatus.ACTIVE, True)


@pytest.mark.parametrize("request_", REASONS)
def test_nothing_is_destroyed_when_strava_fails(world, request_):
    world.control.switch_faults(world.client_id, Faults(error_rate=1.0))

    with pytest.raises(RetryLater):
        disconnect(world.services, request_)
    assert stored(world) == (AthleteStatus.ACTIVE, True)


@pytest.mark.parametrize("is_forged", [pytest.param(True, id="forged"), pytest.param(False, id="true")])
def test_deauthorisation_is_told_from_a_forgery_while_the_application_is_switched_off(world, is_forged):
    world.control.switch_faults(world.client_id, Faults(inactive=True))
    if not is_forged:
        world.control.disconnect(PARENT_ID, world.client_id)

    disconnect(world.services, EVENT)

    assert stored(world) == ((AthleteStatus.ACTIVE, True) if is_forged else (AthleteStatus.REVOKED, False))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(ApplicationInactive("Strava has switched the application off"), id="application inactive"),
        pytest.param(BadRequest("the client secret is wrong"), id="wrong client secret"),
        pytest.param(StravaUnavailable("Strava is failing"), id="outage"),
    ],
)
@pytest.mark.parametrize("request_", REASONS)
def test_nothing_is_destroyed_when_the_fault_is_not_the_athletes(world, fault, request_):
    def refuse(_refresh_token):
        raise fault

    store = open_store(world.settings.state_url, world.services.clock)
    cipher = open_cipher(world.settings.key_url)
    tokens = Tokens(store, cipher, world.services.clock, refuse, world.services.wait)
    world.now[0] += 7 * 3600

    with pytest.raises(type(fault)):
        disconnect(replace(world.services, tokens=tokens), request_)
    store.close()
    assert stored(world) == (AthleteStatus.ACTIVE, True)
