"""Proves by one free call that Strava's API answers here, before anything is removed because of an answer."""

from __future__ import annotations

from include.clock import Clock
from include.errors import ApplicationInactive, NotProved, QuotaSpent, RetryLater, WrongInstallation
from include.state.installation import Installation
from include.strava.subscriptions import PushSubscriptions


def prove(push: PushSubscriptions, installation: Installation, clock: Clock) -> str:
    """Ask whether Strava's API answers here, and store the result; returns it in words.

    Errors: `WrongInstallation` where something else answers; `NotProved` while nothing answers clearly.
    Effects: one call, which counts in no quota.
    """
    try:
        push.prove()
    except WrongInstallation:
        installation.note(push.api_url, is_proved=False, now_epoch_s=clock())
        raise
    except (RetryLater, ApplicationInactive, QuotaSpent) as err:
        raise NotProved(f"{err} Nothing is removed until Strava has answered; it is asked again every window.") from err
    installation.note(push.api_url, is_proved=True, now_epoch_s=clock())
    return f"Strava's API answers at {push.api_url}."


def require_proof(push: PushSubscriptions, installation: Installation, clock: Clock) -> None:
    """Return if the installation is proved; where it is not yet, ask now.

    Errors: `WrongInstallation`, `NotProved`: remove nothing.
    """
    if not installation.is_proved(push.api_url):
        prove(push, installation, clock)


def prove_again(push: PushSubscriptions, installation: Installation, clock: Clock) -> str:
    """Ask while the installation is not proved, once in each reconcile; returns the result in words.

    Errors: `WrongInstallation`. While nothing answers clearly the run only waits.
    """
    if installation.is_proved(push.api_url):
        return f"Strava's API has answered at {push.api_url} before."
    try:
        return prove(push, installation, clock)
    except NotProved as waiting:
        return str(waiting)
