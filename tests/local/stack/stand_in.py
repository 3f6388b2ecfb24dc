"""Stands in for any server of the stack: `python stand_in.py <port>`; answers what a healthy Airflow would.

With `STAND_IN_DIES` in its environment it ends at once instead, with that exit code.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """One answer for every path: each reader finds its own part in it."""

    def answer(self) -> None:
        """Answer as freshly started."""
        now = datetime.now(UTC).isoformat()
        body = json.dumps(
            {
                "scheduler": {"latest_scheduler_heartbeat": now},
                "dag_processor": {"latest_dag_processor_heartbeat": now},
                "triggerer": {"latest_triggerer_heartbeat": now},
                "dags": [{"dag_id": "hello", "last_parsed_time": now}],
                "access_token": "t",
            }
        ).encode()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 - names that the standard library looks for


if __name__ == "__main__":
    if "STAND_IN_DIES" in os.environ:
        sys.stdout.write("no strength left\n")
        sys.exit(int(os.environ["STAND_IN_DIES"]))
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
