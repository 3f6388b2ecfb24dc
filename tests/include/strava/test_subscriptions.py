from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.errors import ApplicationInactive, BadRequest, OutcomeUnknown, StravaUnavailable, UnexpectedShape
from include.strava.http.session import StravaSession
from include.strava.subscriptions import PushSubscriptions

pytestmark = pytest.mark.network

SECRET = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
CALLBACK = "https://example.org/webhook/hush"
CREDENTIALS = {"client_id": "12345", "client_secret": SECRET}
EXISTS = {"message": "Bad Request", "errors": [{"resource": "PushSubscription", "field": "", "code": "already exists"}]}
UNVERIFIED = {
    "message": "Bad Request",
    "errors": [{"resource": "PushSubscription", "field": "callback url", "code": "not verifiable"}],
}


@pytest.fixture
def subscriptions(strava: Any, session: StravaSession) -> PushSubscriptions:
    return PushSubscriptions(session, strava.url, "12345", SECRET)


def test_create_sends_the_form(strava: Any, reply: Any, subscriptions: PushSubscriptions) -> None:
    strava.will(reply(201, {"id": 131300}))

    assert subscriptions.create(CALLBACK, "verify").subscription_id == 131300
    request = strava.received[0]
    assert (request.method, request.path, request.query) == ("POST", "/api/v3/push_subscriptions", {})
    assert request.form == CREDENTIALS | {"callback_url": CALLBACK, "verify_token": "verify"}


def test_create_gives_the_present_one_when_it_calls_the_same_address(
    strava: Any, reply: Any, subscriptions: PushSubscriptions
) -> None:
    strava.will(reply(400, EXISTS), reply(body=[{"id": 5, "callback_url": CALLBACK}]))

    assert subscriptions.create(CALLBACK, "verify").subscription_id == 5


def test_create_names_the_other_one_when_it_calls_another_address(
    strava: Any, reply: Any, subscriptions: PushSubscriptions
) -> None:
    strava.will(reply(400, EXISTS), reply(body=[{"id": 5, "callback_url": "https://example.org/else"}]))

    with pytest.raises(BadRequest, match="Subscription 5 exists already") as caught:
        subscriptions.create(CALLBACK, "verify")
    assert "https://example.org." in str(caught.value)
    assert "else" not in str(caught.value), "the path is secret"


def test_create_explains_the_ghost_when_one_exists_and_none_is_listed(
    strava: Any, reply: Any, subscriptions: PushSubscriptions
) -> None:
    strava.will(reply(400, EXISTS), reply(body=[]))

    with pytest.raises(BadRequest, match="lists none"):
        subscriptions.create(CALLBACK, "verify")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param({"status": 400, "body": UNVERIFIED}, BadRequest, id="unverified"),
        pytest.param(
            {"status": 403, "body": {"errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}},
            ApplicationInactive,
            id="inactive",
        ),
        pytest.param({"breaks": "dropped"}, OutcomeUnknown, id="dropped"),
        pytest.param({"status": 201, "body": {"id": "5"}}, UnexpectedShape, id="id as text"),
    ],
)
def test_create_raises_what_the_answer_stands_for(
    strava: Any, reply: Any, subscriptions: PushSubscriptions, answer: dict[str, Any], expected: type[Exception]
) -> None:
    strava.will(reply(**answer))

    with pytest.raises(expected):
        subscriptions.create(CALLBACK, "verify")
    assert len(strava.received) == 1


def test_current_asks_with_the_credentials(strava: Any, reply: Any, subscriptions: PushSubscriptions) -> None:
    strava.will(reply(body=b'[{"id": 5, "callback_url": "https://example.org/"}]\n'))

    present = subscriptions.current()

    assert present is not None
    assert (present.subscription_id, present.callback_url) == (5, "https://example.org/")
    assert strava.received[0].query == CREDENTIALS


def test_current_is_none_when_the_list_is_empty(strava: Any, reply: Any, subscriptions: PushSubscriptions) -> None:
    strava.will(reply(body=b"[]\n"))

    assert subscriptions.current() is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([{"id": 5}, {"id": 6}], id="two"),
        pytest.param([5], id="numbers"),
        pytest.param({"id": 5}, id="object"),
        pytest.param([{}], id="no id"),
    ],
)
def test_current_says_unexpected_shape_when_the_list_is_odd(
    strava: Any, reply: Any, subscriptions: PushSubscriptions, body: Any
) -> None:
    strava.will(reply(body=body))

    with pytest.raises(UnexpectedShape):
        subscriptions.current()


def test_current_reads_the_recordings(
    strava: Any, reply: Any, subscriptions: PushSubscriptions, recording: Callable[[str], Any]
) -> None:
    names = ["push_subscriptions", "no_push_subscriptions"]
    bodies = [recording(f"dblock-strava-ruby-client/webhooks/{name}.json")["response"]["body"] for name in names]
    strava.will(*(reply(body=body) for body in bodies))

    present = subscriptions.current()

    assert present is not None
    assert present.subscription_id == bodies[0][0]["id"] > 0
    assert subscriptions.current() is None


def test_delete_ends_the_subscription(strava: Any, reply: Any, subscriptions: PushSubscriptions) -> None:
    strava.will(reply(204))

    subscriptions.delete(5)

    request = strava.received[0]
    assert (request.method, request.path, request.query) == ("DELETE", "/api/v3/push_subscriptions/5", CREDENTIALS)


@pytest.mark.parametrize("listed", [pytest.param([], id="none"), pytest.param([{"id": 6}], id="another")])
def test_delete_is_done_when_there_is_no_such_subscription(
    strava: Any, reply: Any, subscriptions: PushSubscriptions, listed: list[dict[str, int]]
) -> None:
    strava.will(reply(404), reply(body=listed))

    subscriptions.delete(5)

    assert len(strava.received) == 2


def test_delete_explains_the_ghost_when_it_is_listed_and_not_found(
    strava: Any, reply: Any, subscriptions: PushSubscriptions
) -> None:
    strava.will(reply(404), reply(body=[{"id": 5}]))

    with pytest.raises(BadRequest, match="cannot find it to delete it"):
        subscriptions.delete(5)


def test_no_error_quotes_the_secret_when_nobody_listens(closed_url: str, session: StravaSession) -> None:
    with pytest.raises(StravaUnavailable) as caught:
        PushSubscriptions(session, closed_url, "12345", SECRET).current()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
