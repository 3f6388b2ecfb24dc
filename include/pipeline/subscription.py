"""The application's one webhook subscription: made, ended, and checked once a day."""

from __future__ import annotations

from include.errors import NotSubscribed
from include.pipeline.reconcile.installation import prove
from include.pipeline.uses import UsesStateAndStrava, UsesStrava
from include.settings import Settings
from include.strava.models import Subscription
from include.strava.quota import DAY_S

_NEXT_STEP = "Run `make subscription ARGS=create` where the system runs; until then new things are found hourly."


def check_subscription(services: UsesStateAndStrava, settings: Settings) -> str:
    """Ask Strava once a day for the webhook subscription; returns in words what there is.

    None is needed where this system never created one and Strava could not reach it: then Strava is not asked.
    Errors: `NotSubscribed` where one is wanted and is not there, or sends its events elsewhere; `RetryLater`.
    Effects: remembers that Strava was asked; these calls count in no quota.
    """
    now_epoch_s = services.clock()
    here = services.state.subscriptions.current()
    if here is None and not settings.public_url.startswith("https://"):
        return "No webhook subscription is wanted: Strava cannot reach this system; new things are found hourly."
    if services.state.subscriptions.checked_at_epoch_s() + DAY_S > now_epoch_s:
        return "The webhook subscription was checked within the last day."
    there = services.strava.push.current()
    services.state.subscriptions.note_check(now_epoch_s)
    if there is None:
        raise NotSubscribed(f"Strava has no webhook subscription of this application: no event comes. {_NEXT_STEP}")
    if here is None or here.subscription_id != there.subscription_id:
        known = "none" if here is None else f"number {here.subscription_id}"
        raise NotSubscribed(
            f"Strava's webhook subscription is number {there.subscription_id}, this system knows {known}: "
            f"every event is dropped. {_NEXT_STEP}"
        )
    return f"Webhook subscription {there.subscription_id} is there."


def subscribe(services: UsesStateAndStrava, settings: Settings) -> Subscription:
    """Create the subscription to this system's webhook, or take over the one that is there.

    The web server has to run: Strava calls it before it answers.
    Errors: `WrongInstallation`, `NotProved`; then nothing was created.
    Effects: the subscription's id is stored, without which the webhook drops every event; safe to repeat.
    """
    prove(services.strava.push, services.state.installation, services.clock)
    subscription = services.strava.push.create(_webhook(settings), settings.webhook_verify_token)
    services.state.subscriptions.save(subscription)
    return subscription


def unsubscribe(services: UsesStateAndStrava) -> Subscription | None:
    """End the subscription, first at Strava, then here: no event comes any more; returns what Strava had, if anything.

    Effects: safe to repeat.
    """
    there = services.strava.push.current()
    if there is not None:
        services.strava.push.delete(there.subscription_id)
    services.state.subscriptions.forget()
    return there


def end_elsewhere(services: UsesStrava, settings: Settings) -> None:
    """End a subscription that sends events to another address; none, or one to this system's, stays as it is.

    Only for a simulated Strava: there it can be but this system's own, from before its ports moved.
    """
    there = services.strava.push.current()
    if there is not None and there.callback_url != _webhook(settings):
        services.strava.push.delete(there.subscription_id)


def _webhook(settings: Settings) -> str:
    return f"{settings.public_url}/webhook/{settings.webhook_path_secret}"
