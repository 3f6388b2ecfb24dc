"""MWAA's own API for one environment, as far as Terraform uses it; moto has none.

It serves as an HTTP proxy: the provider puts `api.` before the endpoint's host, which then is not an address of this
machine any more, so that `HTTP_PROXY` applies only to these calls.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_ACCOUNT = "123456789012"
_REGION = "eu-central-1"


class _Handler(BaseHTTPRequestHandler):
    """Creates, shows, updates and deletes environments, which are available at once."""

    environments: dict[str, dict[str, Any]]

    def do_PUT(self) -> None:
        """Create."""
        name = self._name()
        arn = f"arn:aws:airflow:{_REGION}:{_ACCOUNT}:environment/{name}"
        self.environments[name] = {
            **self._body(),
            "Name": name,
            "Arn": arn,
            "Status": "AVAILABLE",
            "CreatedAt": 1767225600.0,
            "WebserverUrl": f"{name}.airflow.{_REGION}.on.aws",
            "ServiceRoleArn": f"arn:aws:iam::{_ACCOUNT}:role/mwaa",
            "EndpointManagement": "SERVICE",
        }
        self._answer({"Arn": arn})

    def do_PATCH(self) -> None:
        """Update."""
        environment = self.environments[self._name()]
        environment.update(self._body())
        self._answer({"Arn": environment["Arn"]})

    def do_GET(self) -> None:
        """Show."""
        environment = self.environments.get(self._name())
        if environment is None:
            self._answer({"message": "no such environment"}, status=404)
        else:
            self._answer({"Environment": environment})

    def do_DELETE(self) -> None:
        """Delete."""
        self.environments.pop(self._name(), None)
        self._answer({})

    def log_message(self, *_: object) -> None:
        """No log."""

    def _name(self) -> str:
        return urlsplit(self.path).path.rpartition("/")[2]

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        return body

    def _answer(self, answer: dict[str, Any], status: int = 200) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status == 404:
            self.send_header("x-amzn-errortype", "ResourceNotFoundException")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def mwaa_control() -> Iterator[str]:
    """The proxy's address, while it answers."""
    handler = type("Handler", (_Handler,), {"environments": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, name="mwaa", daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
