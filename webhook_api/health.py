"""The health check of the web edge."""

from __future__ import annotations

import logging

from flask import Blueprint

from include.errors import IngestError
from webhook_api.edge import Edge, current_edge

blueprint = Blueprint("health", __name__)

_log = logging.getLogger(__name__)


@blueprint.get("/health")
def health() -> tuple[dict[str, str], int]:
    """200 while store and queue can be reached, else 503; only the log names the one that cannot, not the answer."""
    edge = current_edge()
    is_well = True
    for name, ask in (("store", _ask_store), ("queue", _ask_queue)):
        try:
            ask(edge)
        except IngestError as err:
            is_well = False
            _log.error("The health check fails: the %s cannot be reached (%s)", name, type(err).__name__)
    return ({"status": "ok"}, 200) if is_well else ({"status": "failing"}, 503)


def _ask_store(edge: Edge) -> None:
    edge.state.subscriptions.current()


def _ask_queue(edge: Edge) -> None:
    edge.queue().depth()
