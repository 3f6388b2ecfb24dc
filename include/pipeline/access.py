"""How the access to an athlete's account ends: given back where that is wished, confirmed with Strava, destroyed."""

from __future__ import annotations

from enum import StrEnum

from include.errors import NotConnected, RetryLater, TokenRefused
from include.pipeline.services import Services
from include.state.athletes import AthleteRow, AthleteStatus
from include.state.conflict import retry_on_conflict

ECHO_S = 3_600
"""So long after a disconnection here Strava's event is taken for its echo: Strava tries an event for some minutes."""


class EraseReason(StrEnum):
    """Who wants an athlete erased."""

    DEAUTHORISATION = "deauthorisation"
    """A webhook event says that the athlete took the access away: a hint, to be confirmed with Strava."""
    OPERATOR = "operator"
    """An operator decided: the access is given back at Strava first."""
    ATHLETE = "athlete"
    """The athlete asked for it on their own page: the access is given back at Strava first."""


class Access(StrEnum):
    """What became of the access to an athlete's account."""

    ENDED = "ended"
    """Strava accepts the tokens no longer, they are destroyed here, and the erasure has begun."""
    DISCONNECTED = "disconnected"
    """The same, but the athlete asked here to be disconnected, which keeps what is stored."""
    STILL_CONNECTED = "still_connected"
    """Strava accepts the tokens: the event was forged, or the athlete has connected again since."""
    UNKNOWN = "unknown"
    """There is no such athlete here."""


@retry_on_conflict
def end_access(services: Services, athlete_id: int, reason: EraseReason) -> Access:
    """Confirm with Strava that the access has ended, put the erasure's barrier up, then destroy the tokens.

    An athlete who is `needs_reauth` counts as confirmed: Strava has refused those very tokens already.
    Errors: `RetryLater`, `ApplicationInactive`, `BadRequest`, `QuotaSpent`: nothing was destroyed, since none of them
    is about the athlete; run it again.
    Effects: safe to repeat and to run twice at once; an athlete who connects again meanwhile stays connected.
    """
    athlete = services.athletes.get(athlete_id)
    if athlete is None:
        return Access.UNKNOWN
    is_event = reason is EraseReason.DEAUTHORISATION
    if athlete.status is AthleteStatus.ACTIVE:
        if not is_event:
            _give_back(services, athlete)
        athlete = _confirmed(services, athlete)
    if athlete.status is AthleteStatus.ACTIVE:
        return _not_ended(services, athlete_id, is_event=is_event)
    if is_event and _is_echo(athlete, services.clock()):
        if athlete.status is not AthleteStatus.REVOKED:
            services.athletes.revoke(athlete)
        return Access.DISCONNECTED
    services.erasures.begin(athlete_id, reason)
    if athlete.status is not AthleteStatus.REVOKED:
        services.athletes.revoke(athlete)
    return Access.ENDED


def _not_ended(services: Services, athlete_id: int, *, is_event: bool) -> Access:
    """Strava accepts the tokens: nothing is erased, also where a first look had found them refused."""
    services.erasures.lift(athlete_id)
    if is_event:
        return Access.STILL_CONNECTED
    raise RetryLater(
        f"Strava still accepts the tokens of athlete {athlete_id} after the access was given back; "
        "nothing was destroyed here. Run it again."
    )


def _is_echo(athlete: AthleteRow, now: float) -> bool:
    """Whether Strava's event only tells us of the disconnection that the athlete asked for here."""
    asked_at = athlete.disconnect_asked_at_epoch_s
    return athlete.status is AthleteStatus.REVOKED or (asked_at is not None and now - asked_at < ECHO_S)


def _give_back(services: Services, athlete: AthleteRow) -> None:
    try:
        access_token = services.tokens.access_token(athlete.athlete_id, scope=_any_scope(athlete))
        services.oauth.revoke(athlete.athlete_id, access_token)
    except (TokenRefused, NotConnected):
        return  # There is nothing left to give back; `_confirmed` looks into it.


def _confirmed(services: Services, athlete: AthleteRow) -> AthleteRow:
    """The athlete's row after Strava was asked to renew the tokens, which costs no call of the budget.

    A refusal marks the row `needs_reauth`, so the row says what Strava answered. Renewal needs no scope, and answers
    truthfully while the whole application is switched off.
    """
    scope = _any_scope(athlete)
    try:
        access_token = services.tokens.access_token(athlete.athlete_id, scope=scope)
        services.tokens.reject(athlete.athlete_id, access_token)
        services.tokens.access_token(athlete.athlete_id, scope=scope)
    except (TokenRefused, NotConnected):
        pass  # The row knows.
    return services.athletes.get(athlete.athlete_id) or athlete


def _any_scope(athlete: AthleteRow) -> str:
    return min(athlete.scopes, default="")
