"""Whose tokens are destroyed when an operator or the athlete asks, and whose stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.crypto.backend import open_cipher
from include.errors import ApplicationInactive, BadRequest, BeingErased, RetryLater, StravaUnavailable
from include.pipeline.erasure.access import Access
from include.state.accounts.athletes import AthleteStatus
from include.state.accounts.notices import NoticeKind
from include.state.accounts.tokens import Tokens
from include.state.erasures.ledger import EraseReason, ErasureStage
from include.store.backend import open_store
from include.strava.http.session import StravaSession
from include.strava.oauth import OAuthClient, RevokeBy
from local.strava_simulator.api.faults import Faults
from tests.include.pipeline.erasure.access.accounts import PARENT_ID, end_access, is_connected_at_strava, stored

pytestmark = pytest.mark.network

EVENT, OPERATOR, ATHLETE = EraseReason.DEAUTHORISATION, EraseReason.OPERATOR, EraseReason.ATHLETE
REASONS = [pytest.param(reason, id=reason) for reason in EraseReason]


@pytest.mark.parametrize("reason", [OPERATOR, ATHLETE])
def test_wish_of_before_the_stored_connection_is_withdrawn_and_the_athlete_told(world, reason):
    asked_at = world.clock.now_epoch_s
    world.clock.advance(60)
    world.connect(PARENT_ID)

    assert end_access(world.services, PARENT_ID, reason, asked_at) is Access.CONNECTED_AGAIN
    assert is_connected_at_strava(world)
    assert not world.services.state.erasures.forbid_writing(PARENT_ID)
    told = [notice.kind for notice in world.services.state.notices.of_athlete(PARENT_ID)]
    assert told == ([NoticeKind.ERASURE_WITHDRAWN] if reason is ATHLETE else [])


def test_connecting_takes_a_wish_back_and_says_so_once(world):
    world.services.state.erasures.ask_now(PARENT_ID, ATHLETE)
    assert world.services.state.erasures.forbid_writing(PARENT_ID)
    world.clock.advance(60)

    world.connect(PARENT_ID)
    world.connect(PARENT_ID)

    assert world.services.state.erasures.get(PARENT_ID).stage is ErasureStage.WITHDRAWN
    assert [notice.kind for notice in world.services.state.notices.of_athlete(PARENT_ID)] == [
        NoticeKind.ERASURE_WITHDRAWN
    ]


def test_athlete_who_connects_again_while_the_tokens_are_refused_stays_connected(world):
    class Overtaken:
        """Lets the athlete connect between the confirmed barrier and the end of the tokens, once."""

        def __init__(self, athletes):
            self._athletes = athletes
            self.is_due = True

        def __getattr__(self, name):
            return getattr(self._athletes, name)

        def revoke(self, seen):
            if self.is_due:
                self.is_due = False
                self._connect_behind_the_barrier(seen)
            return self._athletes.revoke(seen)

        def _connect_behind_the_barrier(self, seen):
            erasures = world.services.state.erasures
            present = erasures.get(seen.athlete_id)
            world.clock.advance(60)
            erasures.settle(present.withdrawn())  # as it was when the page looked
            world.connect(PARENT_ID)
            erasures._put(replace(present, version=erasures.get(seen.athlete_id).version))

    world.control.disconnect(PARENT_ID, world.client_id)

    state = replace(world.services.state, athletes=Overtaken(world.services.state.athletes))
    ended = end_access(replace(world.services, state=state), PARENT_ID, EVENT)

    assert ended is Access.CONNECTED_AGAIN
    assert stored(world) == (AthleteStatus.ACTIVE, True)
    assert is_connected_at_strava(world)
    assert not world.services.state.erasures.forbid_writing(PARENT_ID)


def test_nobody_connects_again_while_the_erasure_is_under_way(world):
    world.control.disconnect(PARENT_ID, world.client_id)
    end_access(world.services, PARENT_ID, EVENT)

    with pytest.raises(BeingErased, match="connect again when that is done"):
        world.connect(PARENT_ID)
    assert stored(world) == (AthleteStatus.REVOKED, False)


@pytest.mark.parametrize("reason", [OPERATOR, ATHLETE])
def test_request_is_done_when_it_is_repeated(world, reason):
    assert [end_access(world.services, PARENT_ID, reason) for _ in range(2)] == [Access.ENDED, Access.ENDED]
    assert stored(world) == (AthleteStatus.REVOKED, False)


@pytest.mark.parametrize("reason", REASONS)
def test_unknown_athlete_is_said_to_be_unknown(world, reason):
    assert end_access(world.services, 5, reason) is Access.UNKNOWN
    assert world.services.state.erasures.get(5).stage is ErasureStage.ASKED


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
        assert (
            end_access(replace(world.services, strava=replace(world.services.strava, oauth=oauth)), PARENT_ID, OPERATOR)
            is Access.ENDED
        )

    assert stored(world) == (AthleteStatus.REVOKED, False)
    assert world.calls()[route] == 1
    assert not is_connected_at_strava(world)


def test_operator_finishes_what_a_crash_between_strava_and_the_row_left(world):
    token = world.services.strava.tokens.access_token(PARENT_ID, scope="read")
    world.services.strava.oauth.revoke(PARENT_ID, token)

    assert end_access(world.services, PARENT_ID, OPERATOR) is Access.ENDED
    assert stored(world) == (AthleteStatus.REVOKED, False)


def test_operator_is_told_to_try_again_when_strava_accepts_the_tokens_after_all(world):
    class Forgetful:
        def revoke(self, athlete_id, access_token):
            """Answers as Strava does, and does nothing."""

    with pytest.raises(RetryLater, match="nothing was destroyed"):
        end_access(
            replace(world.services, strava=replace(world.services.strava, oauth=Forgetful())),
            PARENT_ID,
            OPERATOR,
        )
    assert stored(world) == (AthleteStatus.ACTIVE, True)


@pytest.mark.parametrize("request_", REASONS)
def test_nothing_is_destroyed_when_strava_fails(world, request_):
    world.control.switch_faults(world.client_id, Faults(error_rate=1.0))

    with pytest.raises(RetryLater):
        end_access(world.services, PARENT_ID, request_)
    assert stored(world) == (AthleteStatus.ACTIVE, True)


@pytest.mark.parametrize("is_forged", [pytest.param(True, id="forged"), pytest.param(False, id="true")])
def test_deauthorisation_is_told_from_a_forgery_while_the_application_is_switched_off(world, is_forged):
    world.control.switch_faults(world.client_id, Faults(inactive=True))
    if not is_forged:
        world.control.disconnect(PARENT_ID, world.client_id)

    end_access(world.services, PARENT_ID, EVENT)

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
    def refuse(_athlete_id, _refresh_token):
        raise fault

    store = open_store(world.settings.state_url, world.services.clock)
    cipher = open_cipher(world.settings.key_url)
    tokens = Tokens(store, cipher, world.services.clock, refuse, world.services.wait)
    world.clock.advance(7 * 3600)

    with pytest.raises(type(fault)):
        end_access(replace(world.services, strava=replace(world.services.strava, tokens=tokens)), PARENT_ID, request_)
    store.close()
    assert stored(world) == (AthleteStatus.ACTIVE, True)
