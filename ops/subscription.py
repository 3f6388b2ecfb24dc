"""The webhook subscription at Strava: `python -m ops.subscription create|show|delete`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from include.errors import IngestError
from include.pipeline.reconcile.installation import prove as prove_installation
from include.settings import Settings
from include.state.installation import Installation
from include.state.subscriptions import Subscriptions
from include.store.backend import open_store
from include.store.store import Store
from include.strava.http.session import StravaSession
from include.strava.models import Subscription
from include.strava.subscriptions import PushSubscriptions
from ops.installation import installed_settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The application's one webhook subscription.")


def prove(settings: Settings) -> str:
    """Ask whether Strava's API answers where the settings say, and remember it; returns in words that it does.

    Errors: `WrongInstallation`, `NotProved`.
    """
    with _opened(settings) as store:
        return prove_installation(_at_strava(settings), Installation(store), time.time)


def subscribe(settings: Settings) -> Subscription:
    """Create the subscription to this system's webhook, or take over the one that is there.

    The web server has to run: Strava calls it before it answers.
    Errors: `WrongInstallation`, `NotProved`; then nothing was created.
    Effects: the subscription's id is stored, without which the webhook drops every event; safe to repeat.
    """
    prove(settings)
    subscription = _at_strava(settings).create(_webhook(settings), settings.webhook_verify_token)
    with _opened(settings) as store:
        Subscriptions(store).save(subscription)
    return subscription


def end_elsewhere(settings: Settings) -> None:
    """End a subscription that sends events to another address; none, or one to this system's, stays as it is.

    Only for a simulated Strava: there it can be but this system's own, from before its ports moved.
    """
    strava = _at_strava(settings)
    present = strava.current()
    if present is not None and present.callback_url != _webhook(settings):
        strava.delete(present.subscription_id)


@app.command("prove")
def prove_command() -> None:
    """Ask whether Strava's API answers where the settings say."""
    print(prove(installed_settings()))


@app.command()
def create() -> None:
    """Ask Strava to send events to this system; the system has to run and be reachable at PUBLIC_URL."""
    subscription = subscribe(installed_settings())
    print(f"Subscription {subscription.subscription_id}: Strava sends events to this system.")


@app.command()
def show() -> None:
    """Say what Strava and this system know of the subscription."""
    settings = installed_settings()
    at_strava = _at_strava(settings).current()
    with _opened(settings) as store:
        here = Subscriptions(store).current()
    print(f"At Strava: {_named(at_strava)}\nHere:      {_named(here)}")
    if at_strava is not None and (here is None or here.subscription_id != at_strava.subscription_id):
        print("They differ, so events are dropped: run `make subscription ARGS=create`.")


@app.command()
def delete() -> None:
    """End the subscription: Strava sends no more events to this application."""
    settings = installed_settings()
    at_strava = _at_strava(settings).current()
    if at_strava is not None:
        _at_strava(settings).delete(at_strava.subscription_id)
    with _opened(settings) as store:
        Subscriptions(store).forget()
    print("There was none." if at_strava is None else f"Subscription {at_strava.subscription_id} has ended.")


def _webhook(settings: Settings) -> str:
    return f"{settings.public_url}/webhook/{settings.webhook_path_secret}"


def _at_strava(settings: Settings) -> PushSubscriptions:
    return PushSubscriptions(
        StravaSession(time.time), settings.strava_api_url, settings.strava_client_id, settings.strava_client_secret
    )


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    store = open_store(settings.state_url, time.time)
    try:
        yield store
    finally:
        store.close()


def _named(subscription: Subscription | None) -> str:
    return "none" if subscription is None else str(subscription.subscription_id)


if __name__ == "__main__":
    try:
        app()
    except IngestError as error:
        sys.exit(str(error))
