"""`strava_erase`: ends the access to an athlete's account, once Strava confirms it or an operator asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from include.errors import NotConnected, RetryLater, TokenRefused
from include.pipeline.services import Services
from include.state.athletes import AthleteRow, AthleteStatus
from include.state.conflict import retry_on_conflict


class EraseReason(StrEnum):
    """Who wants it."""

    DEAUTHORISATION = "deauthorisation"
    """A webhook event says that the athlete took the access away: a hint, to be confirmed with Strava."""
    OPERATOR = "operator"
    """An operator decided: the access is given back at Strava first."""


class Outcome(StrEnum):
    """What a run found or did."""

    DISCONNECTED = "disconnected"
    """Strava accepts the tokens no longer, and they are destroyed here."""
    STILL_CONNECTED = "still_connected"
    """Strava accepts the tokens: the event was forged, or the athlete has connected again since."""
    DISCONNECTED_BEFORE = "disconnected_before"
    UNKNOWN = "unknown"
    """There is no such athlete here."""


@dataclass(frozen=True, slots=True)
class EraseRequest:
    """Whose access to end, and why."""

    athlete_id: int
    reason: EraseReason

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> EraseRequest:
        """The request that the Airflow form, or the dispatcher, describes."""
        return cls(params["athlete"], EraseReason(params["reason"]))


@dataclass(frozen=True, slots=True)
class Disconnection:
    """What became of a request."""

    athlete_id: int
    outcome: Outcome

    @property
    def message(self) -> str:
        """The outcome as the run says it."""
        return f"Athlete {self.athlete_id}: {_SPOKEN[self.outcome]}"

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {"athlete_id": self.athlete_id, "outcome": self.outcome.value}


_SPOKEN: Mapping[Outcome, str] = {
    Outcome.DISCONNECTED: "Strava accepts the tokens no longer, and they are destroyed here.",
    Outcome.STILL_CONNECTED: "Strava still accepts the tokens, so nothing was destroyed.",
    Outcome.DISCONNECTED_BEFORE: "disconnected before; there was nothing left to destroy.",
    Outcome.UNKNOWN: "not known here; there is nothing to destroy.",
}


@retry_on_conflict
def disconnect(services: Services, request: EraseRequest) -> Disconnection:
    """End the access to the athlete's account: confirm with Strava, then destroy the tokens.

    An athlete who is `needs_reauth` counts as confirmed: Strava has refused those very tokens already.
    Errors: `NotConnected` when an operator names an unknown athlete; `RetryLater`, `ApplicationInactive`,
    `BadRequest`, `QuotaSpent`: nothing was destroyed, since none of them is about the athlete; run it again.
    Effects: safe to repeat and to run twice at once; an athlete who connects again meanwhile stays connected.
    """
    athlete = services.athletes.get(request.athlete_id)
    if athlete is None:
        if request.reason is EraseReason.OPERATOR:
            raise NotConnected(f"There is no athlete {request.athlete_id} here; check the number.")
        return Disconnection(request.athlete_id, Outcome.UNKNOWN)
    if athlete.status is AthleteStatus.ACTIVE:
        if request.reason is EraseReason.OPERATOR:
            _give_back(services, athlete)
        athlete = _confirmed(services, athlete)
    if athlete.status is AthleteStatus.REVOKED:
        return Disconnection(request.athlete_id, Outcome.DISCONNECTED_BEFORE)
    if athlete.status is AthleteStatus.NEEDS_REAUTH:
        services.athletes.revoke(athlete)
        return Disconnection(request.athlete_id, Outcome.DISCONNECTED)
    if request.reason is EraseReason.OPERATOR:
        raise RetryLater(
            f"Strava still accepts the tokens of athlete {request.athlete_id} after the access was given back; "
            "nothing was destroyed here. Run it again."
        )
    return Disconnection(request.athlete_id, Outcome.STILL_CONNECTED)


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
