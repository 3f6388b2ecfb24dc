"""Ends the access to an athlete's account: revokes it on a person's request, confirms it, destroys the tokens."""

from __future__ import annotations

from enum import StrEnum

from include.errors import NotConnected, RetryLater, ScopeMissing, TokenRefused
from include.pipeline.uses import UsesStateAndStrava, UsesStrava
from include.state.accounts.athletes import AthleteRow, AthleteStatus
from include.state.accounts.notices import Notice
from include.state.erasures.ledger import Erasure, ErasureStage
from include.state.state import UsesState
from include.store.conflict import retry_on_conflict

ECHO_S = 3_600
"""A deauthorisation event within this time of a disconnect made here is its echo: Strava retries an event for
minutes."""


class Access(StrEnum):
    """The outcome of a request to end the access to an athlete's account."""

    ENDED = "ended"
    """Strava no longer accepts the tokens, they are destroyed here, and the erasure is under way."""
    DISCONNECTED = "disconnected"
    """The same, but the athlete only asked here to be disconnected: the stored data stays."""
    STILL_CONNECTED = "still_connected"
    """Strava accepts the tokens: the event was forged, or is not about this connection."""
    CONNECTED_AGAIN = "connected_again"
    """The stored connection is newer than the request, or than the event, which is about an older connection."""
    UNKNOWN = "unknown"
    """There is no such athlete here."""


@retry_on_conflict
def end_access(services: UsesStateAndStrava, lease: Erasure) -> tuple[Access, Erasure]:
    """Confirm with Strava that the access has ended, start the erasure, then destroy the tokens.

    A person's request revokes the access first. An event is a hint: it is confirmed only if Strava refuses the stored
    pair now and the event is not older than the connection of that pair; an earlier refusal does not count. Returns the
    erasure as it is then: under way where the access has ended or the athlete is not known, else withdrawn.

    Errors: `LeaseLost`; `RetryLater`, `ApplicationInactive`, `BadRequest`, `QuotaSpent`: none of them is about the
    athlete, so nothing was destroyed; run it again.
    Effects: safe to repeat, and after a crash at any line; an athlete who connects again meanwhile stays connected.
    """
    erasure = services.state.erasures.check(lease)
    athlete = services.state.athletes.get(erasure.athlete_id)
    if athlete is None:
        return (Access.ENDED if erasure.stage is ErasureStage.UNDER_WAY else Access.UNKNOWN), erasure
    access, athlete = _decided(services, erasure, athlete)
    if access is Access.ENDED:
        if erasure.stage is ErasureStage.ASKED:
            erasure = services.state.erasures.advance(erasure.confirmed())
        _destroy(services, athlete)
        return access, erasure
    if access is Access.DISCONNECTED:
        _destroy(services, athlete)
    if access is Access.CONNECTED_AGAIN and erasure.is_withdrawable:
        services.state.notices.save(Notice.of_withdrawn(erasure))
    return access, services.state.erasures.settle(erasure.withdrawn())


def _decided(services: UsesStateAndStrava, erasure: Erasure, athlete: AthleteRow) -> tuple[Access, AthleteRow]:
    """The outcome, and the athlete's row that decided it."""
    if athlete.status is AthleteStatus.REVOKED:
        is_echo = erasure.grounds.is_hint and erasure.stage is ErasureStage.ASKED
        return (Access.DISCONNECTED if is_echo else Access.ENDED), athlete
    if erasure.grounds.asked_at_epoch_s < athlete.authorised_at_epoch_s:
        return Access.CONNECTED_AGAIN, athlete
    if not erasure.grounds.is_hint:
        _revoke(services, athlete)
    refused = _after_refusal(services, athlete)
    if refused is None and erasure.grounds.is_hint:
        return Access.STILL_CONNECTED, athlete
    if refused is None:
        raise RetryLater(
            f"Strava still accepts the tokens of athlete {athlete.athlete_id} after the access was revoked; "
            "nothing was destroyed here. Run it again."
        )
    if erasure.grounds.is_hint and _is_echo(refused, services.clock()):
        return Access.DISCONNECTED, refused
    return Access.ENDED, refused


def _destroy(services: UsesState, athlete: AthleteRow) -> None:
    if athlete.status is not AthleteStatus.REVOKED:
        services.state.athletes.revoke(athlete)


def _is_echo(athlete: AthleteRow, now_epoch_s: float) -> bool:
    """Whether the event only reports the disconnect that the athlete asked for here."""
    asked_at_epoch_s = athlete.disconnect_asked_at_epoch_s
    return asked_at_epoch_s is not None and now_epoch_s - asked_at_epoch_s < ECHO_S


def _revoke(services: UsesStrava, athlete: AthleteRow) -> None:
    try:
        access_token = services.strava.tokens.access_token(athlete.athlete_id, scope=min(athlete.scopes, default=""))
        services.strava.oauth.revoke(athlete.athlete_id, access_token)
    except (TokenRefused, NotConnected, ScopeMissing):
        return  # There is no token to revoke; the caller checks next whether Strava still accepts the pair.


def _after_refusal(services: UsesStateAndStrava, athlete: AthleteRow) -> AthleteRow | None:
    """The athlete's row once Strava has refused to renew its token pair, else None; renewing counts in no quota.

    Renewal needs no scope, and shows the truth even while the whole application is switched off.
    """
    try:
        is_accepted = services.strava.tokens.prove(athlete.athlete_id)
    except NotConnected:
        is_accepted = False  # Another run destroyed the pair meanwhile.
    now = services.state.athletes.get(athlete.athlete_id)
    if is_accepted or now is None or now.status is AthleteStatus.ACTIVE:
        return None
    return now if now.authorised_at_epoch_s == athlete.authorised_at_epoch_s else None
