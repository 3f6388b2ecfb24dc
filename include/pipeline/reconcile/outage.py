"""Tells an outage of Strava from a fault of one activity, by one free call."""

from __future__ import annotations

import logging

from include.errors import (
    ApplicationInactive,
    CapacityReached,
    IngestError,
    NotConnected,
    NotProved,
    QuotaSpent,
    Refused,
    StravaUnavailable,
    TokenEndpointFault,
    WrongInstallation,
)
from include.pipeline.uses import UsesStateAndStrava, UsesStrava
from include.state.accounts.athletes import AthleteStatus
from include.state.application.outages import Outage
from include.state.state import UsesState
from include.strava.quota import WINDOW_S, utc_text

log = logging.getLogger(__name__)

_APPLICATION_FAULTS = (ApplicationInactive, CapacityReached, NotProved, TokenEndpointFault, WrongInstallation)

_OUTAGE_FAULTS = (*_APPLICATION_FAULTS, StravaUnavailable)

_PERHAPS_ONE_ATHLETES = (CapacityReached, TokenEndpointFault)
"""Faults that the free call does not show, and that may concern one athlete alone: then they must not stop the
others."""

_NAMES = {kind.__name__: kind for kind in _PERHAPS_ONE_ATHLETES}

ATHLETES_ASKED = 3
"""How many other athletes are asked at most, once in a window."""


def current_outage(services: UsesStateAndStrava) -> Outage | None:
    """The current outage, or None. Effects: once in a window Strava is asked whether it is over."""
    outage = services.state.outages.current()
    if outage is None or not services.state.outages.ask():
        return outage
    if _fault(services) is not None or (outage.reason in _NAMES and _do_others_fail(services, _NAMES[outage.reason])):
        return outage
    services.state.outages.end()
    log.info("Strava is back; it had been down since %s: %s", utc_text(outage.since_epoch_s), outage.reason)
    return None


def outage_shown_by(services: UsesStateAndStrava, error: IngestError, athlete_id: int) -> Outage | None:
    """The outage that an error shows; None where the fault is the athlete's or the call's own, or Strava answered.

    Effects: after a failed call, other calls tell whether Strava fails for everybody: a free one, and for faults that
    only athletes' calls meet, one for each of a few other athletes.
    """
    if not isinstance(error, _OUTAGE_FAULTS):
        return None
    if isinstance(error, _PERHAPS_ONE_ATHLETES):
        kind = type(error)
        is_everybodys = services.state.outages.ask_others() and _do_others_fail(services, kind, but=athlete_id)
    else:
        is_everybodys = isinstance(error, _APPLICATION_FAULTS) or _fault(services) is not None
    if not is_everybodys:
        return services.state.outages.current()
    outage = services.state.outages.begin(type(error).__name__)  # the error's words may name an athlete
    log.warning("Strava has been down since %s: %s", utc_text(outage.since_epoch_s), error)
    return outage


def _fault(services: UsesStrava) -> IngestError | None:
    """The fault of the application's own free call, which also proves the installation; None if it succeeds."""
    try:
        services.strava.push.prove()
    except (StravaUnavailable, ApplicationInactive, QuotaSpent, WrongInstallation) as fault:
        return fault
    except Refused:
        return None  # an answer of Strava's
    return None


def _do_others_fail(services: UsesStateAndStrava, kind: type[IngestError], *, but: int | None = None) -> bool:
    """Whether calls for other athletes fail too and none succeeds; False where there is nobody to ask."""
    is_met = False
    for athlete_id in _other_athletes(services, but):
        try:
            if kind is TokenEndpointFault:
                services.strava.tokens.prove(athlete_id)
            else:
                services.strava.client.athlete(athlete_id)
        except _OUTAGE_FAULTS:
            is_met = True
        except NotConnected:
            continue
        except Refused:
            return False  # an answer of Strava's
        except IngestError:
            continue  # a spent budget or another worker's lease proves nothing
        else:
            return False
    return is_met


def _other_athletes(services: UsesState, but: int | None) -> list[int]:
    """Connected athletes, different ones in each window."""
    connected = (athlete for athlete in services.state.athletes.all() if athlete.status is AthleteStatus.ACTIVE)
    ids = sorted(int(athlete.athlete_id) for athlete in connected if athlete.athlete_id != but)
    first = int(services.clock()) // WINDOW_S % max(1, len(ids))
    return [*ids[first:], *ids[:first]][:ATHLETES_ASKED]
