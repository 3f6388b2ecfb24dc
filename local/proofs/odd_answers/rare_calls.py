"""Calls that the system makes rarely: each is repeated every quarter of an hour until it has succeeded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

from include.pipeline.erasure.access import end_access
from include.pipeline.services import Services
from include.queue.content import LookAgain, to_body
from include.state.accounts.athletes import AthleteStatus
from include.state.erasures.ledger import EraseReason
from include.strava.scopes import ACTIVITY_READ, READ
from local.strava_simulator.world.simulation import EXTENSION
from local.testbed.world import MIA_ID, PARENT_ID, World

_WEBHOOK = "http://webhook.test/webhook"
_SCOPES = (READ, ACTIVITY_READ)


@dataclass(frozen=True, slots=True)
class RareCall:
    """A step that is repeated every quarter of an hour until it is done."""

    act: Callable[[World, Services], object]
    is_done: Callable[[World, Services], bool]
    begin: Callable[[World, Services], object] = lambda _world, _services: None
    """The preparation, while Strava's answers are still right."""


def _connect(world: World, services: Services) -> None:
    if not _is_connected(world, services):
        world.connect(MIA_ID, _SCOPES)


def _is_connected(_world: World, services: Services) -> bool:
    athlete = services.state.athletes.get(MIA_ID)
    return athlete is not None and athlete.status is AthleteStatus.ACTIVE


def _ask_for_erasure(world: World, services: Services) -> None:
    world.connect(MIA_ID, _SCOPES)
    world.clock.advance(1)
    services.state.erasures.ask_now(MIA_ID, EraseReason.ATHLETE)


def _give_back(_world: World, services: Services) -> None:
    athlete = services.state.athletes.get(MIA_ID)
    with services.state.erasures.held(MIA_ID) as lease:
        if lease is not None and athlete is not None and athlete.status is not AthleteStatus.REVOKED:
            end_access(services, lease)


def _is_given_back(_world: World, services: Services) -> bool:
    athlete = services.state.athletes.get(MIA_ID)
    return athlete is not None and athlete.status is AthleteStatus.REVOKED


def _subscribe(world: World, services: Services) -> None:
    world.app.extensions[EXTENSION].session.mount(_WEBHOOK, _Webhook())
    services.strava.push.create(_WEBHOOK, "verify")


def _unsubscribe(_world: World, services: Services) -> None:
    present = services.strava.push.current()
    if present is not None:
        services.strava.push.delete(present.subscription_id)


def _forget_start(_world: World, services: Services) -> None:
    """Make the profile the second proof for each of the parent's activities: their rows have no start."""
    for entry in list(services.state.activities.of_athlete(PARENT_ID)):
        with services.state.activities.held(PARENT_ID, entry.activity_id) as lease:
            if lease is not None:
                services.state.activities.settle(lease, replace(entry, start_at_epoch_s=None))


def _look_again(world: World, services: Services) -> None:
    """Queue the activities that are in the lake, as events would."""
    now = world.clock()
    for entry in list(services.state.activities.of_athlete(PARENT_ID)):
        if entry.start_at_epoch_s is None and entry.object_keys:
            services.state.activities.make_due(PARENT_ID, entry.activity_id, asked_at_epoch_s=int(now))
            services.queue.send(to_body(LookAgain(PARENT_ID, entry.activity_id, now)))


class _Webhook(BaseAdapter):
    """Answers Strava's challenge as the web server does."""

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, str(request.url)
        response.headers["Content-Type"] = "application/json"
        response._content = b'{"hub.challenge":"%s"}' % query["hub.challenge"].encode()
        return response

    def close(self) -> None:
        """No effect: nothing is open."""


RARE_CALLS: Mapping[str, RareCall] = {
    "token": RareCall(_connect, _is_connected),
    "revoke": RareCall(_give_back, _is_given_back, _ask_for_erasure),
    "subscribe": RareCall(_subscribe, lambda _world, services: services.strava.push.current() is not None),
    "unsubscribe": RareCall(_unsubscribe, lambda _world, services: services.strava.push.current() is None, _subscribe),
    "profile": RareCall(_look_again, lambda _world, _services: True, _forget_start),
}
"""The rare calls, by name."""
