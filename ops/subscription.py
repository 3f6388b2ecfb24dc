"""The webhook subscription at Strava: `python -m ops.subscription create|show|delete`."""

from __future__ import annotations

import typer

from include.pipeline import subscription as use_case
from include.pipeline.reconcile.installation import prove as prove_installation
from include.pipeline.services import open_services
from include.settings import Settings
from include.strava.models import Subscription
from ops.command import run
from ops.installation import WHICH, installed_settings

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The application's one webhook subscription.", epilog=WHICH
)


def prove(settings: Settings) -> str:
    """Check that Strava's API answers at the configured URL, and store that; returns the result in words.

    Errors: `WrongInstallation`, `NotProved`.
    """
    with open_services(settings) as services:
        return prove_installation(services.strava.push, services.state.installation, services.clock)


def subscribe(settings: Settings) -> Subscription:
    """`include.pipeline.subscription.subscribe` for the system of these settings."""
    with open_services(settings) as services:
        return use_case.subscribe(services, settings)


def ensure(settings: Settings) -> str:
    """Create the subscription to this system's webhook, or find the one that is there; returns in words which.

    Errors and effects: as `include.pipeline.subscription.subscribe`.
    """
    with open_services(settings) as services:
        before = services.strava.push.current()
        subscription = use_case.subscribe(services, settings)
    did = "is there already" if before == subscription else "is new"
    return f"Subscription {subscription.subscription_id} {did}: Strava sends events to {settings.public_url}."


def end_elsewhere(settings: Settings) -> None:
    """`include.pipeline.subscription.end_elsewhere` for the system of these settings."""
    with open_services(settings) as services:
        use_case.end_elsewhere(services, settings)


@app.command("prove")
def prove_command() -> None:
    """Check that Strava's API answers at the configured URL."""
    print(prove(installed_settings()))


@app.command()
def create() -> None:
    """Create the subscription: Strava sends events to this system, which must be reachable at PUBLIC_URL."""
    subscription = subscribe(installed_settings("creates the webhook subscription"))
    print(f"Subscription {subscription.subscription_id}: Strava sends events to this system.")


@app.command()
def show() -> None:
    """Show the subscription at Strava and in this system."""
    with open_services(installed_settings()) as services:
        at_strava, here = services.strava.push.current(), services.state.subscriptions.current()
    print(f"At Strava: {_named(at_strava)}\nHere:      {_named(here)}")
    if at_strava is not None and (here is None or here.subscription_id != at_strava.subscription_id):
        print("They differ, so events are dropped: run this again with ARGS=create.")


@app.command()
def delete() -> None:
    """End the subscription: Strava sends no more events to this application."""
    with open_services(installed_settings("ends the webhook subscription")) as services:
        ended = use_case.unsubscribe(services)
    print("There was none." if ended is None else f"Subscription {ended.subscription_id} has ended.")


def _named(subscription: Subscription | None) -> str:
    return "none" if subscription is None else str(subscription.subscription_id)


if __name__ == "__main__":
    run(app)
