"""A request reaches the handler as an HTTP API gives it, and its answer reaches the client whole."""

from __future__ import annotations

import base64
import queue
from collections.abc import Callable
from typing import Any

import pytest
from apig_wsgi import make_lambda_handler
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from local.aws.http_api import HttpApi
from local.aws.lambda_runtime import LambdaFailed


@pytest.fixture
def seen() -> list[Request]:
    """The requests that the application behind the Lambda saw."""
    return []


@pytest.fixture
def client(seen: list[Request]) -> Client:
    """A browser before an HTTP API before a Lambda with a small application."""

    @Request.application
    def application(request: Request) -> Response:
        request.get_data()
        seen.append(request)
        response = Response(b"\x00\xff page", content_type="application/octet-stream", status=201)
        response.set_cookie("one", "1")
        response.set_cookie("two", "2")
        return response

    handler = make_lambda_handler(application)
    return before(lambda event: handler(event, None))


def before(invoke: Callable[[Any], Any]) -> Client:
    free: queue.SimpleQueue[Callable[[Any], Any]] = queue.SimpleQueue()
    free.put(invoke)
    return Client(HttpApi(free))


def test_request_arrives_with_path_query_headers_cookies_and_body(client: Client, seen: list[Request]) -> None:
    client.set_cookie("session", "a=b")
    client.set_cookie("csrf", "c")

    client.post("/a/b?x=1&x=2&y=%C3%A9", data=b'{"k": 1}', headers={"X-Strava-Signature": "t=1,v1=f"})

    (request,) = seen
    assert (request.method, request.path, request.args.getlist("x"), request.args["y"]) == (
        "POST",
        "/a/b",
        ["1", "2"],
        "é",
    )
    assert request.get_data() == b'{"k": 1}'
    assert request.headers["X-Strava-Signature"] == "t=1,v1=f"
    assert dict(request.cookies) == {"session": "a=b", "csrf": "c"}
    assert (request.host, request.scheme) == ("localhost", "http")


def test_answer_arrives_with_status_every_cookie_and_its_very_bytes(client: Client) -> None:
    answer = client.get("/")

    assert (answer.status_code, answer.get_data()) == (201, b"\x00\xff page")
    assert [cookie.partition(";")[0] for cookie in answer.headers.getlist("Set-Cookie")] == ["one=1", "two=2"]
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_answer_in_base64_and_in_text_is_the_same() -> None:
    plain: dict[str, Any] = {"statusCode": 200, "headers": {"content-type": "text/plain"}}
    text = before(lambda _: {**plain, "body": "é"}).get("/")
    packed = before(lambda _: {**plain, "body": base64.b64encode("é".encode()).decode(), "isBase64Encoded": True}).get(
        "/"
    )

    assert text.get_data() == packed.get_data() == "é".encode()


def test_handler_that_fails_is_answered_500_and_asked_again_next_time() -> None:
    answers: list[Any] = [LambdaFailed("no"), {"statusCode": 204}]

    def invoke(_: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = before(invoke)
    assert client.get("/").status_code == 500
    assert client.get("/").status_code == 204
