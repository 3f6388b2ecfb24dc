"""An HTTP API in front of the web edge's Lambda: `python -m local.aws.http_api --port 8420`.

The Lambda's environment is this process's own.
"""

from __future__ import annotations

import base64
import logging
import os
import queue
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import FrameType
from typing import Annotated, Any

import typer
from waitress.server import create_server
from werkzeug.wrappers import Request, Response

from local.aws.lambda_runtime import LambdaFailed, lambda_process
from local.aws.resources import HTTP_TIMEOUT_S
from ops.machine.ports import LOOPBACK
from ops.package.http_event import http_event

HANDLER = "webhook_api.aws_lambda.http.handler"
ENVIRONMENTS = 2
"""The number of parallel requests: each of Lambda's execution environments handles one."""

log = logging.getLogger("local.aws.http_api")

Invoke = Callable[[Any], Any]


def to_event(request: Request) -> Mapping[str, Any]:
    """Lambda's event of the request, payload version 2.0."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
    headers |= {"x-forwarded-proto": request.scheme, "x-forwarded-port": request.host.rpartition(":")[2]}
    event = http_event(request.method, request.path, request.get_data(), headers=headers, cookies=cookies)
    return {**event, "rawQueryString": request.query_string.decode()}


def to_response(answer: Mapping[str, Any]) -> Response:
    """The HTTP response of Lambda's answer."""
    body = answer.get("body", "")
    response = Response(status=answer["statusCode"], headers=answer.get("headers", {}))
    response.set_data(base64.b64decode(body) if answer.get("isBase64Encoded") else body)
    for cookie in answer.get("cookies", ()):
        response.headers.add("Set-Cookie", cookie)
    return response


@dataclass(frozen=True, slots=True)
class HttpApi:
    """A WSGI application that passes each request to a free Lambda."""

    free: queue.SimpleQueue[Invoke]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer the request; with 500 when the handler raised, as an HTTP API does."""
        invoke = self.free.get()
        try:
            response = to_response(invoke(to_event(Request(environ))))
        except LambdaFailed:
            log.exception("The handler failed")
            response = Response('{"message":"Internal Server Error"}', status=500, content_type="application/json")
        finally:
            self.free.put(invoke)
        return response(environ, start_response)


def main(port: Annotated[int, typer.Option(help="port on 127.0.0.1")]) -> None:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _stop)
    free: queue.SimpleQueue[Invoke] = queue.SimpleQueue()
    with ExitStack() as lambdas:
        for _ in range(ENVIRONMENTS):
            opened = lambda_process(HANDLER, os.environ, timeout_s=HTTP_TIMEOUT_S, tell=print)
            free.put(lambdas.enter_context(opened).invoke)
        create_server(HttpApi(free), host=LOOPBACK, port=port, threads=ENVIRONMENTS, ident=None).run()


def _stop(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    typer.run(main)
