"""One JSON object a line, with counters in CloudWatch's embedded format."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from webhook_api.aws_lambda.logs import JsonFormatter


@pytest.fixture
def formatter() -> JsonFormatter:
    formatter = JsonFormatter("http")
    formatter.request_id = "r-1"
    return formatter


def line(formatter: JsonFormatter, message: str, *args: Any, **more: Any) -> dict[str, Any]:
    record = logging.makeLogRecord(
        {"name": "n", "levelname": "INFO", "msg": message, "args": args, "created": 1_700_000_000.25, "msecs": 250.0}
    )
    record.__dict__.update(more)
    text = formatter.format(record)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_line_says_what_happened_when_and_for_which_request(formatter: JsonFormatter) -> None:
    assert line(formatter, "Zoë's %s\n", "run") == {
        "timestamp": "2023-11-14T22:13:20.250Z",
        "level": "INFO",
        "logger": "n",
        "message": "Zoë's run\n",
        "request_id": "r-1",
    }


def test_counters_come_with_what_makes_cloudwatch_count_them(formatter: JsonFormatter) -> None:
    counted = line(formatter, "x", metrics={"EventsQueued": 1, "EventWaitSeconds": 1.5})

    assert (counted["EventsQueued"], counted["EventWaitSeconds"], counted["FunctionName"]) == (1, 1.5, "http")
    assert counted["_aws"] == {
        "Timestamp": 1_700_000_000_250,
        "CloudWatchMetrics": [
            {
                "Namespace": "StravaDataIngest",
                "Dimensions": [["FunctionName"]],
                "Metrics": [
                    {"Name": "EventsQueued", "Unit": "Count"},
                    {"Name": "EventWaitSeconds", "Unit": "Seconds"},
                ],
            }
        ],
    }


def test_traceback_stays_on_the_line(formatter: JsonFormatter) -> None:
    try:
        raise ValueError("a defect")
    except ValueError:
        failed = line(formatter, "x", exc_info=sys.exc_info())

    assert failed["exception"].endswith("ValueError: a defect")


def test_handlers_load_nothing_heavy_before_a_request_needs_it() -> None:
    heavy = "{'requests', 'boto3', 'botocore', 'cryptography', 'urllib3', 'pyarrow', 'duckdb'}"
    for module in ("webhook_api.aws_lambda.http", "webhook_api.aws_lambda.dispatcher"):
        code = f"import sys, {module}; print(sorted({heavy} & sys.modules.keys()))"
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert answer.stdout == "[]\n", module
