"""`strava_reconcile`, once a day: whether Strava still sends this application its events."""

from __future__ import annotations

from include.errors import NotSubscribed
from include.pipeline.uses import UsesStateAndStrava
from include.settings import Settings
from include.strava.quota import DAY_S

_NEXT_STEP = "Run `make subscription ARGS=create` where the system runs; until then new things are found hourly."


def check_subscription(services: UsesStateAndStrava, settings: Settings) -> str:
    """Ask Strava once a day for the webhook subscription; returns in words what there is.

    None is wanted where this system never created one and Strava could not reach it anyway: then nobody is asked.
    Errors: `NotSubscribed` where one is wanted and is not there, or sends its events elsewhere; `RetryLater`.
    Effects: remembers that Strava was asked; these calls count in no quota.
    """
    now = services.clock()
    here = services.state.subscriptions.current()
    if here is None and not settings.public_url.startswith("https://"):
        return "No webhook subscription is wanted: Strava cannot reach this system; new things are found hourly."
    if services.state.subscriptions.checked_at_epoch_s() + DAY_S > now:
        return "The webhook subscription was checked within the last day."
    there = services.strava.push.current()
    services.state.subscriptions.note_check(now)
    if there is None:
        raise NotSubscribed(f"Strava has no webhook subscription of this application: no event comes. {_NEXT_STEP}")
    if here is None or here.subscription_id != there.subscription_id:
        known = "none" if here is None else f"number {here.subscription_id}"
        raise NotSubscribed(
            f"Strava's webhook subscription is number {there.subscription_id}, this system knows {known}: "
            f"every event is dropped. {_NEXT_STEP}"
        )
    return f"Webhook subscription {there.subscription_id} is there."
