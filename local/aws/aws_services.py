"""AWS's APIs, all at one address: `python -m local.aws.aws_services --port 8440`. Its state ends with the process.

It answers one call after the other, because moto checks a condition and writes in two steps: with threads, other calls
would come in between, as they cannot at AWS.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from moto.glue.responses import GlueResponse
from moto.moto_api import state_manager
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from waitress.server import create_server

from ops.machine.ports import LOOPBACK

_CRAWL_S = 1
_COUNTS = ("TablesCreated", "TablesUpdated", "TablesDeleted")


def main(port: Annotated[int, typer.Option(help="port on 127.0.0.1")]) -> None:
    """Serve until SIGTERM."""
    teach_glue()
    create_server(DomainDispatcherApplication(create_backend_app), host=LOOPBACK, port=port, threads=1).run()


def teach_glue() -> None:
    """Let crawls end, which moto's never do, and answer Airflow's following call."""
    responses: Any = GlueResponse
    responses.get_crawler_metrics = _metrics
    state_manager.set_transition("glue::crawl", transition={"progression": "time", "seconds": _CRAWL_S})


def _metrics(response: GlueResponse) -> str:
    wanted = response._get_param("CrawlerNameList")
    times = {"LastRuntimeSeconds": float(_CRAWL_S), "MedianRuntimeSeconds": float(_CRAWL_S)}
    found = [{"CrawlerName": name, **times, **dict.fromkeys(_COUNTS, 0)} for name in wanted]
    return json.dumps({"CrawlerMetricsList": found})


if __name__ == "__main__":
    typer.run(main)
