"""The application's one webhook subscription: made, ended, and checked once a day."""

from __future__ import annotations

from include.errors import NotSubscribed
from include.pipeline.reconcile.installation import prove
from include.pipeline.uses import UsesStateAndStrava, UsesStrava
from include.settings import Settings
from include.strava.models import Subscription
from include.strava.quota import DAY_S

_NEXT_STEP = (
    "Run `make subscription ARGS=create`, with ENV=dev or ENV=prod for an environment on AWS; until then new "
    "activities are found hourly."
)


def check_subscription(services: UsesStateAndStrava, settings: Settings) -> str:
    """Ask Strava once a day for the webhook subscription; returns the result in words.

    Strava is not asked where this system never created a subscription and Strava could not reach it.
    Errors: `NotSubscribed` where one is needed and missing, or sends its events elsewhere; `RetryLater`.
    Effects: notes that Strava was asked; these calls count in no quota.
    """
    now_epoch_s = services.clock()
    here = services.state.subscriptions.current()
    if here is None and not settings.public_url.startswith("https://"):
        return "No webhook subscription is needed: Strava cannot reach this system; new activities are found hourly."
    if services.state.subscriptions.checked_at_epoch_s() + DAY_S > now_epoch_s:
        return "The webhook subscription was checked within the last day."
    there = services.strava.push.current()
    services.state.subscriptions.note_check(now_epoch_s)
    if there is None:
        raise NotSubscribed(f"Strava has no webhook subscription for this application: no event arrives. {_NEXT_STEP}")
    if here is None or here.subscription_id != there.subscription_id:
        known = "none" if here is None else f"number {here.subscription_id}"
        raise NotSubscribed(
            f"Strava's webhook subscription is number {there.subscription_id}, this system knows {known}: "
            f"every event is dropped. {_NEXT_STEP}"
        )
    return f"Webhook subscription {there.subscription_id} exists."


def subscribe(services: UsesStateAndStrava, settings: Settings) -> Subscription:
    """Create the subscription to this system's webhook, or take over the existing one.

    The web server has to run: Strava calls it before it answers.
    Errors: `WrongInstallation`, `NotProved`; then nothing was created.
    Effects: the subscription's id is stored, without which the webhook drops every event; safe to repeat. A
    subscription at an older path of the webhook is ended first, because an application has only one.
    """
    prove(services.strava.push, services.state.installation, services.clock)
    if older := settings.webhook_urls[1:]:
        there = services.strava.push.current()
        if there is not None and there.callback_url in older:
            services.strava.push.delete(there.subscription_id)
    subscription = services.strava.push.create(settings.webhook_url, settings.webhook_verify_token)
    services.state.subscriptions.save(subscription)
    return subscription


def unsubscribe(services: UsesStateAndStrava) -> Subscription | None:
    """End the subscription, first at Strava, then here, so that no more events arrive; returns Strava's, if it had one.

    Effects: safe to repeat.
    """
    there = services.strava.push.current()
    if there is not None:
        services.strava.push.delete(there.subscription_id)
    services.state.subscriptions.forget()
    return there


def end_elsewhere(services: UsesStrava, settings: Settings) -> None:
    """End a subscription that sends events to another address than this system's.

    Only for a simulated Strava: there such a subscription is this system's own, from before its ports changed.
    """
    there = services.strava.push.current()
    if there is not None and there.callback_url != settings.webhook_url:
        services.strava.push.delete(there.subscription_id)
