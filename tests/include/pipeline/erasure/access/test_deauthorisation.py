"""What an event of a deauthorisation does to the tokens."""

from __future__ import annotations

import pytest

from include.pipeline.erasure.access import Access
from include.state.accounts.athletes import AthleteStatus
from include.state.erasures.ledger import EraseReason, ErasureStage
from tests.include.pipeline.erasure.access.accounts import PARENT_ID, end_access, is_connected_at_strava, stored

pytestmark = pytest.mark.network

CHILD_ID = 72
EVENT, OPERATOR, ATHLETE = EraseReason.DEAUTHORISATION, EraseReason.OPERATOR, EraseReason.ATHLETE


def test_forged_deauthorisation_destroys_nothing(world):
    assert end_access(world.services, PARENT_ID, EVENT) is Access.STILL_CONNECTED
    assert not world.services.state.erasures.forbid_writing(PARENT_ID)
    assert stored(world) == (AthleteStatus.ACTIVE, True)
    assert is_connected_at_strava(world)


def test_deauthorisation_destroys_the_tokens(world):
    world.control.disconnect(PARENT_ID, world.client_id)

    assert end_access(world.services, PARENT_ID, EVENT) is Access.ENDED
    assert world.services.state.erasures.forbid_writing(PARENT_ID)
    assert stored(world) == (AthleteStatus.REVOKED, False)


@pytest.mark.parametrize("hours", [pytest.param(5.5, id="last hour"), pytest.param(7, id="expired")])
@pytest.mark.parametrize("is_forged", [pytest.param(True, id="forged"), pytest.param(False, id="true")])
def test_deauthorisation_is_told_from_a_forgery_when_the_pair_is_old(world, hours, is_forged):
    world.clock.advance(hours * 3600)
    if not is_forged:
        world.control.disconnect(PARENT_ID, world.client_id)

    end_access(world.services, PARENT_ID, EVENT)

    assert stored(world) == ((AthleteStatus.ACTIVE, True) if is_forged else (AthleteStatus.REVOKED, False))


def test_deauthorisation_is_confirmed_without_a_call_of_the_budget(world):
    before = world.calls()

    end_access(world.services, PARENT_ID, EVENT)

    spent = {route: count - before.get(route, 0) for route, count in world.calls().items()}
    assert {route: count for route, count in spent.items() if count} == {"POST /oauth/token": 1}


def test_deauthorisation_is_confirmed_when_only_uploads_were_allowed(world):
    world.connect(CHILD_ID, scopes=("read", "activity:write"))

    assert end_access(world.services, CHILD_ID, EVENT) is Access.STILL_CONNECTED
    world.control.disconnect(CHILD_ID, world.client_id)
    assert end_access(world.services, CHILD_ID, EVENT) is Access.ENDED
    assert stored(world) == (AthleteStatus.ACTIVE, True)


@pytest.mark.parametrize("accepted", [pytest.param(True, id="accepted again"), pytest.param(False, id="refused")])
def test_refusal_of_before_counts_for_nothing_until_strava_refuses_the_pair_again(world, accepted):
    world.services.state.athletes.mark(PARENT_ID, AthleteStatus.NEEDS_REAUTH)
    if not accepted:
        world.control.disconnect(PARENT_ID, world.client_id)

    access = end_access(world.services, PARENT_ID, EVENT)

    if accepted:
        assert access is Access.STILL_CONNECTED
        assert stored(world) == (AthleteStatus.ACTIVE, True)
        assert is_connected_at_strava(world)
    else:
        assert access is Access.ENDED
        assert stored(world) == (AthleteStatus.REVOKED, False)


@pytest.mark.parametrize("refused", [pytest.param(True, id="refused"), pytest.param(False, id="accepted")])
def test_event_of_before_the_stored_connection_is_dropped_without_a_call(world, refused):
    world.clock.advance(60)
    world.connect(PARENT_ID)
    if refused:
        world.control.disconnect(PARENT_ID, world.client_id)
    before = (world.calls(), stored(world))

    assert end_access(world.services, PARENT_ID, EVENT, world.clock.now_epoch_s - 1) is Access.CONNECTED_AGAIN
    assert (world.calls(), stored(world)) == before
    assert world.services.state.erasures.get(PARENT_ID).stage is ErasureStage.WITHDRAWN


def test_event_of_the_second_of_the_connection_is_not_older(world):
    world.control.disconnect(PARENT_ID, world.client_id)

    assert end_access(world.services, PARENT_ID, EVENT, world.clock.now_epoch_s) is Access.ENDED


@pytest.mark.parametrize("seconds", [pytest.param(0, id="at once"), pytest.param(3599, id="almost an hour later")])
@pytest.mark.parametrize("row", [pytest.param("revoked", id="afterwards"), pytest.param("active", id="crashed before")])
def test_event_that_echoes_a_disconnection_made_here_keeps_what_is_stored(world, seconds, row):
    world.services.state.athletes.note_disconnect(PARENT_ID)
    world.control.disconnect(PARENT_ID, world.client_id)
    if row == "revoked":
        world.services.state.athletes.mark(PARENT_ID, AthleteStatus.REVOKED)
    world.clock.advance(seconds)

    assert end_access(world.services, PARENT_ID, EVENT) is Access.DISCONNECTED
    assert stored(world) == (AthleteStatus.REVOKED, False)
    assert not world.services.state.erasures.forbid_writing(PARENT_ID)


@pytest.mark.parametrize("again", [pytest.param(True, id="connected again"), pytest.param(False, id="long ago")])
def test_event_is_no_echo_of_a_disconnection_that_did_not_happen_or_is_over(world, again):
    world.services.state.athletes.note_disconnect(PARENT_ID)
    if again:
        world.connect(PARENT_ID)
        world.clock.advance(60)
    else:
        world.clock.advance(3600)
    world.control.disconnect(PARENT_ID, world.client_id)

    assert end_access(world.services, PARENT_ID, EVENT) is Access.ENDED
