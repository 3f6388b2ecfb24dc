"""When the access to an account counts as ended, and what is destroyed then."""

from __future__ import annotations

from unittest.mock import create_autospec

import pytest

from include.errors import LeaseLost, NotConnected, RetryLater, ScopeMissing, StravaUnavailable, TokenRefused
from include.pipeline.erasure.access import Access, end_access
from include.state.accounts.athletes import AthleteStatus
from include.state.accounts.notices import NoticeKind
from include.state.accounts.tokens import Tokens
from include.state.erasures.ledger import EraseReason, ErasureGrounds, ErasureStage
from include.strava.oauth import OAuthClient
from tests.include.pipeline.erasure.offline_athletes import ANN, EVERYTHING, connect

EVENT, OPERATOR, ATHLETE = EraseReason.DEAUTHORISATION, EraseReason.OPERATOR, EraseReason.ATHLETE
PERSONS = [OPERATOR, ATHLETE]
HOUR_S = 3600


@pytest.fixture
def strava(offline, monkeypatch):
    """Strava's token endpoint, which refuses Ann's pair; Ann is connected."""
    oauth, tokens = create_autospec(OAuthClient, instance=True), create_autospec(Tokens, instance=True)
    monkeypatch.setattr(offline.strava.oauth, "revoke", oauth.revoke)
    for name in ("prove", "access_token"):
        monkeypatch.setattr(offline.strava.tokens, name, getattr(tokens, name))
    tokens.access_token.return_value = "secret"
    connect(offline)
    tokens.prove.side_effect = lambda athlete_id: refuse(offline, athlete_id)
    tokens.revoke = oauth.revoke
    return tokens


def refuse(services, athlete_id):
    services.state.athletes.mark(athlete_id, AthleteStatus.NEEDS_REAUTH)
    return False


def ended(services, reason, asked_at=None):
    """The outcome of a request of this time, and the erasure as it is stored then."""
    at = int(services.clock()) if asked_at is None else asked_at
    services.state.erasures.ask(ANN, ErasureGrounds(reason, at))
    with services.state.erasures.held(ANN) as lease:
        access, erasure = end_access(services, lease)
        assert erasure == services.state.erasures.get(ANN)
        return access, erasure.stage


def status(services):
    return services.state.athletes.get(ANN).status


@pytest.mark.parametrize("reason", PERSONS)
def test_person_s_request_revokes_first_and_destroys_when_strava_refuses_the_pair(offline, strava, reason):
    assert ended(offline, reason) == (Access.ENDED, ErasureStage.UNDER_WAY)

    strava.access_token.assert_called_once_with(ANN, scope=min(EVERYTHING))
    strava.revoke.assert_called_once_with(ANN, "secret")
    strava.prove.assert_called_once_with(ANN)
    assert status(offline) is AthleteStatus.REVOKED


def test_request_about_an_athlete_without_scopes_asks_for_a_token_of_any(offline, strava):
    connect(offline, scopes=frozenset())
    offline.clock.advance(60)

    ended(offline, OPERATOR)

    strava.access_token.assert_called_once_with(ANN, scope="")


@pytest.mark.parametrize("fault", [TokenRefused("401"), NotConnected("gone"), ScopeMissing("no", scope="read")])
@pytest.mark.parametrize("at", ["access_token", "revoke"])
def test_pair_that_cannot_be_revoked_any_more_is_proved_all_the_same(offline, strava, at, fault):
    getattr(strava, at).side_effect = fault

    assert ended(offline, OPERATOR) == (Access.ENDED, ErasureStage.UNDER_WAY)
    strava.prove.assert_called_once_with(ANN)


def test_event_revokes_nothing_and_counts_when_strava_refuses_the_pair(offline, strava):
    assert ended(offline, EVENT) == (Access.ENDED, ErasureStage.UNDER_WAY)

    strava.access_token.assert_not_called()
    strava.revoke.assert_not_called()
    assert status(offline) is AthleteStatus.REVOKED


def test_event_is_withdrawn_when_strava_accepts_the_pair(offline, strava):
    strava.prove.side_effect = None
    strava.prove.return_value = True

    assert ended(offline, EVENT) == (Access.STILL_CONNECTED, ErasureStage.WITHDRAWN)
    assert status(offline) is AthleteStatus.ACTIVE
    assert list(offline.state.notices.of_athlete(ANN)) == []


@pytest.mark.parametrize(
    ("is_accepted", "is_marked"),
    [
        pytest.param(True, False, id="accepted"),
        pytest.param(True, True, id="accepted after a refusal"),
        pytest.param(False, False, id="refused, but connected anew"),
    ],
)
def test_person_is_told_to_try_again_while_the_refusal_is_not_clear(offline, strava, is_accepted, is_marked):
    def prove(_athlete_id):
        if is_marked:
            offline.state.athletes.mark(ANN, AthleteStatus.NEEDS_REAUTH)
        return is_accepted

    strava.prove.side_effect = prove

    with pytest.raises(RetryLater) as fault:
        ended(offline, OPERATOR)
    assert str(fault.value) == (
        "Strava still accepts the tokens of athlete 71 after the access was revoked; nothing was destroyed here. Run it"
        " again."
    )
    assert status(offline) is not AthleteStatus.REVOKED
    assert offline.state.erasures.get(ANN).stage is ErasureStage.ASKED


def test_pair_that_another_run_destroyed_meanwhile_counts_as_refused(offline, strava):
    def destroyed(_athlete_id):
        offline.state.athletes.mark(ANN, AthleteStatus.REVOKED)
        raise NotConnected("gone")

    strava.prove.side_effect = destroyed

    assert ended(offline, OPERATOR) == (Access.ENDED, ErasureStage.UNDER_WAY)


def test_athlete_whose_row_is_removed_meanwhile_was_not_refused(offline, strava):
    def removed(_athlete_id):
        offline.state.athletes.mark(ANN, AthleteStatus.REVOKED)
        offline.state.athletes.forget(ANN)
        raise NotConnected("gone")

    strava.prove.side_effect = removed

    assert ended(offline, EVENT) == (Access.STILL_CONNECTED, ErasureStage.WITHDRAWN)


def test_refusal_of_an_older_connection_is_no_refusal_of_the_new_one(offline, strava):
    def connected_meanwhile(athlete_id):
        offline.clock.advance(60)
        connect(offline)
        return refuse(offline, athlete_id)

    strava.prove.side_effect = connected_meanwhile

    with pytest.raises(LeaseLost):  # connecting has withdrawn the erasure
        ended(offline, EVENT)
    assert status(offline) is AthleteStatus.NEEDS_REAUTH


@pytest.mark.parametrize("reason", list(EraseReason))
@pytest.mark.parametrize(("older_by_s", "is_older"), [(1, True), (0, False)])
def test_request_of_before_the_connection_is_withdrawn_without_a_call_and_the_athlete_who_asked_is_told(
    offline, strava, reason, older_by_s, is_older
):
    authorised_at = offline.state.athletes.get(ANN).authorised_at_epoch_s

    access, stage = ended(offline, reason, authorised_at - older_by_s)

    if is_older:
        assert (access, stage) == (Access.CONNECTED_AGAIN, ErasureStage.WITHDRAWN)
        assert (status(offline), strava.prove.called, strava.revoke.called) == (AthleteStatus.ACTIVE, False, False)
    else:
        assert (access, stage) == (Access.ENDED, ErasureStage.UNDER_WAY)
    told = [notice.kind for notice in offline.state.notices.of_athlete(ANN)]
    assert told == ([NoticeKind.ERASURE_WITHDRAWN] if is_older and reason is ATHLETE else [])


@pytest.mark.parametrize(
    ("ago_s", "access"),
    [
        pytest.param(0, Access.DISCONNECTED, id="at once"),
        pytest.param(HOUR_S - 1, Access.DISCONNECTED, id="within the hour"),
        pytest.param(HOUR_S, Access.ENDED, id="an hour later"),
    ],
)
def test_event_within_an_hour_of_a_disconnection_here_is_its_echo(offline, strava, ago_s, access):
    offline.state.athletes.note_disconnect(ANN)
    offline.clock.advance(ago_s)

    found, stage = ended(offline, EVENT)

    assert (found, status(offline)) == (access, AthleteStatus.REVOKED)
    assert stage is (ErasureStage.WITHDRAWN if access is Access.DISCONNECTED else ErasureStage.UNDER_WAY)
    assert strava.prove.called


def test_person_s_request_after_a_disconnection_here_is_no_echo(offline, strava):
    offline.state.athletes.note_disconnect(ANN)

    assert ended(offline, ATHLETE)[0] is Access.ENDED


@pytest.mark.parametrize(
    ("reason", "access", "stage"),
    [
        pytest.param(EVENT, Access.DISCONNECTED, ErasureStage.WITHDRAWN, id="an event"),
        pytest.param(ATHLETE, Access.ENDED, ErasureStage.UNDER_WAY, id="the athlete"),
    ],
)
def test_disconnected_athlete_costs_no_call(offline, strava, reason, access, stage):
    offline.state.athletes.mark(ANN, AthleteStatus.REVOKED)
    before = offline.state.athletes.get(ANN)

    assert ended(offline, reason) == (access, stage)
    assert offline.state.athletes.get(ANN) == before
    assert (strava.prove.called, strava.revoke.called) == (False, False)


def test_confirmed_event_goes_on_after_the_run_that_destroyed_the_pair_has_died(offline, strava):
    assert ended(offline, EVENT)[0] is Access.ENDED
    strava.prove.reset_mock()

    assert ended(offline, EVENT) == (Access.ENDED, ErasureStage.UNDER_WAY)
    strava.prove.assert_not_called()


@pytest.mark.parametrize(
    ("stage", "access"), [(ErasureStage.ASKED, Access.UNKNOWN), (ErasureStage.UNDER_WAY, Access.ENDED)]
)
def test_athlete_without_a_row_is_unknown_until_the_erasure_is_under_way(offline, stage, access):
    offline.state.erasures.ask(ANN, ErasureGrounds(OPERATOR, int(offline.clock())))
    erasure = offline.state.erasures.acquire(ANN)
    if stage is ErasureStage.UNDER_WAY:
        erasure = offline.state.erasures.advance(erasure.confirmed())

    assert end_access(offline, erasure) == (access, erasure)


def test_nothing_is_destroyed_when_strava_cannot_be_asked(offline, strava):
    strava.prove.side_effect = StravaUnavailable("503")

    with pytest.raises(StravaUnavailable):
        ended(offline, EVENT)
    assert status(offline) is AthleteStatus.ACTIVE
    assert offline.state.erasures.get(ANN).stage is ErasureStage.ASKED


def test_run_that_lost_its_lease_destroys_nothing(offline, strava):
    offline.state.erasures.ask(ANN, ErasureGrounds(OPERATOR, int(offline.clock())))
    lease = offline.state.erasures.acquire(ANN)
    offline.clock.advance(HOUR_S)

    with pytest.raises(LeaseLost):
        end_access(offline, lease)
    assert (status(offline), strava.revoke.called) == (AthleteStatus.ACTIVE, False)
