"""Logs for CloudWatch: one JSON object a line, with counters in the embedded metric format.

A record's counters come with it: `log.info("…", extra={"metrics": {"EventsQueued": 1}})`. Other log handlers ignore
them.
Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import Any

NAMESPACE = "StravaDataIngest"
DIMENSION = "FunctionName"


class JsonFormatter(logging.Formatter):
    """Formats records as JSON; `request_id` is the id of the present invocation."""

    converter = time.gmtime  # type: ignore[assignment]  # typeshed's formatter is bound to the local time

    def __init__(self, function_name: str) -> None:
        super().__init__()
        self.request_id = ""
        self._function_name = function_name

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line. A record with `metrics` gets the fields by which CloudWatch counts them."""
        fields: dict[str, Any] = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": self.request_id,
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        metrics = getattr(record, "metrics", None)
        if metrics:
            fields |= {DIMENSION: self._function_name, "_aws": _directive(record, metrics), **metrics}
        return json.dumps(fields, ensure_ascii=False, default=str)


def configure() -> JsonFormatter:
    """Send this process's log to its standard output as JSON. Effects: replaces the handlers of the runtime."""
    formatter = JsonFormatter(os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"))
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    return formatter


def _directive(record: logging.LogRecord, metrics: dict[str, float]) -> dict[str, Any]:
    units = [{"Name": name, "Unit": "Seconds" if name.endswith("Seconds") else "Count"} for name in metrics]
    return {
        "Timestamp": int(record.created * 1000),
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": units}],
    }
