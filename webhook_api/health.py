"""The health check of the web edge."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from include.errors import IngestError
from webhook_api.edge import current_edge

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> tuple[dict[str, Any], int]:
    """200 while store and queue can be reached, else 503; says which one cannot."""
    edge = current_edge()
    state: dict[str, Any] = {"store": "reachable", "queue": "reachable"}
    try:
        state["subscribed"] = edge.state.subscriptions.current() is not None
    except IngestError as err:
        state["store"] = type(err).__name__
    try:
        state["waiting_events"] = edge.queue().depth()
    except IngestError as err:
        state["queue"] = type(err).__name__
    well = state["store"] == state["queue"] == "reachable"
    return {"status": "ok" if well else "failing", **state}, 200 if well else 503
