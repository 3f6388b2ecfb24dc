"""Whether Strava serves this application at all: one free call tells, so that no activity is blamed for an outage."""

from __future__ import annotations

import logging

from include.errors import (
    ApplicationInactive,
    CapacityReached,
    IngestError,
    NotProved,
    QuotaSpent,
    Refused,
    StravaUnavailable,
    TokenEndpointFault,
    WrongInstallation,
)
from include.pipeline.services import Services
from include.state.outages import Outage
from include.strava.quota import utc_text

log = logging.getLogger(__name__)

_OF_THE_APPLICATION = (ApplicationInactive, CapacityReached, NotProved, TokenEndpointFault, WrongInstallation)

UNCONFIRMED = (CapacityReached, TokenEndpointFault)
"""What the free question does not tell: Strava may say it of one athlete alone, who must not stop all others."""


def standing(services: Services) -> Outage | None:
    """The outage that stands, or None. Effects: once in a window Strava is asked whether it is over."""
    outage = services.outages.current()
    if outage is None or not services.outages.ask():
        return outage
    if _fault(services) is not None:
        return outage
    services.outages.end()
    log.info("Strava is back; it was out since %s: %s", utc_text(outage.since_epoch_s), outage.reason)
    return None


def found_by(services: Services, error: IngestError) -> Outage | None:
    """The outage that an error of Strava's shows; None where it is the call's own fault, or an answer.

    Effects: where a call found Strava failing, another one that costs nothing tells whether it fails for everybody.
    """
    if not isinstance(error, (*_OF_THE_APPLICATION, StravaUnavailable)):
        return None
    if not isinstance(error, _OF_THE_APPLICATION) and _fault(services) is None:
        return None
    outage = services.outages.begin(type(error).__name__)  # its words may name an athlete
    log.warning("Strava is out since %s: %s", utc_text(outage.since_epoch_s), error)
    return outage


def _fault(services: Services) -> IngestError | None:
    """What keeps Strava from answering the application's own free question, by which the installation is proved too."""
    try:
        services.push.prove()
    except (StravaUnavailable, ApplicationInactive, QuotaSpent, WrongInstallation) as fault:
        return fault
    except Refused:
        return None  # an answer of Strava's
    return None
