"""Amazon MWAA's `InvokeRestApi` in front of any Airflow: no AWS emulator has this call.

Point a client at it with `AWS_ENDPOINT_URL_MWAA` and `AWS_DISABLE_HOST_PREFIX_INJECTION=true`.
Source: botocore's model of MWAA, and what MWAA's user guide says about `InvokeRestApi`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ops.machine.ports import LOOPBACK

Airflow = Callable[[str, str, Any], tuple[int, Any]]
"""Answers a method, a path below `/api/v2` and a body, with a status and a document."""

LONGEST_PATH = 64
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[a-z0-9-]+/airflow/aws4_request, "
    r"SignedHeaders=\S+, Signature=[0-9a-f]{64}"
)
_PATH = re.compile(r"/restapi/([A-Za-z][A-Za-z0-9_-]{0,79})")

Answer = tuple[int, Mapping[str, Any], str]
"""The HTTP status, the document, and the kind of an error."""


def invoke(airflow: Airflow, environment: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """MWAA's answer to a request: Airflow's answer, wrapped, or MWAA's own refusal."""
    named = _PATH.fullmatch(path)
    if not _SIGNED.fullmatch(headers.get("Authorization", "")) or "X-Amz-Date" not in headers:
        return 403, {"message": "Missing Authentication Token"}, "AccessDeniedException"
    if named is None or named[1] != environment:
        return 404, {"message": f"no environment {path}"}, "ResourceNotFoundException"
    call = json.loads(body)
    if call.keys() - {"Path", "Method", "Body", "QueryParameters"} or not {"Path", "Method"} <= call.keys():
        return 400, {"message": f"unexpected fields: {sorted(call)}"}, "ValidationException"
    if not 1 <= len(call["Path"]) <= LONGEST_PATH or not call["Path"].startswith("/"):
        return 400, {"message": f"a path has 1 to {LONGEST_PATH} characters and no host"}, "ValidationException"
    status, document = airflow(call["Method"], call["Path"], call.get("Body"))
    wrapped = {"RestApiStatusCode": status, "RestApiResponse": document}
    if status < 400:
        return 200, wrapped, ""
    return 400, wrapped, "RestApiClientException" if status < 500 else "RestApiServerException"


@contextmanager
def serving(answer: Callable[[str, Mapping[str, str], bytes], Answer | None], *, port: int = 0) -> Iterator[str]:
    """The address of a server that gives each POST this answer; None closes the connection without an answer.

    It listens on `port` of the loopback interface; 0 takes a free one.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answered = answer(self.path, dict(self.headers), body)
            if answered is None:
                return
            status, document, kind = answered
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            if kind:
                self.send_header("x-amzn-ErrorType", kind)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Nothing: who starts the server logs."""

    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
