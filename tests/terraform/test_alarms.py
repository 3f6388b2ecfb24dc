"""Whatever the code counts or complains of is alarmed, charted, or on a list with its reason."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from local.docs.alarms import WORDS
from webhook_api.aws_lambda.logs import DIMENSION, NAMESPACE

ROOT = Path(__file__).parents[2]
CODE = ("webhook_api", "include", "dags", "plugins")
WEBHOOK_ROUTE = "POST /webhook/{secret}"

UNWATCHED = {
    "RunsDeleted": "a night that deletes none is as good; the log says what was kept, and the next night goes on",
}
"""Metrics of the code that nobody has to see, each with its reason."""


def emitted() -> Iterator[str]:
    """The name of every metric that a log call of the code carries; only the functions' logs can count."""
    for path in itertools.chain.from_iterable((ROOT / code).rglob("*.py") for code in CODE):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Dict):
                for key, value in zip(call.keys, call.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "metrics" and isinstance(value, ast.Dict):
                        yield from (name.value for name in value.keys if isinstance(name, ast.Constant))


def own(dimensions_of: list[list]) -> set[tuple[str, str]]:
    """Metric and function of what a dashboard shows of our own namespace."""
    return {(one[1], one[3]) for one in dimensions_of if one[0] == NAMESPACE and one[2] == DIMENSION}


def watched(environment) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Which metrics of which function alarms watch, and which the dashboard shows."""
    alarmed = {
        (alarm["metric_name"], alarm["dimensions"][DIMENSION])
        for alarm in environment.all("aws_cloudwatch_metric_alarm").values()
        if alarm["namespace"] == NAMESPACE and alarm["dimensions"]
    }
    body = json.loads(environment.one("aws_cloudwatch_dashboard", "this")["dashboard_body"])
    panels = [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]
    return alarmed, own([metric for metric in panels if len(metric) > 4])


def test_every_metric_of_the_code_is_alarmed_or_charted_or_listed(environment) -> None:
    alarmed, charted = watched(environment)
    names = set(emitted())

    assert {"EventsDropped", "EventsBuried", "EventsWaiting"} <= names
    assert names == {name for name, _ in alarmed | charted} | UNWATCHED.keys()
    assert not UNWATCHED.keys() & {name for name, _ in alarmed | charted}


def test_metrics_are_looked_for_at_the_function_that_emits_them(environment) -> None:
    alarmed, charted = watched(environment)
    functions = {name: environment.one("aws_lambda_function", name)["function_name"] for name in ("http", "dispatcher")}
    webhook = {"EventsReceived", "EventsQueued", "EventsDropped"}

    for name, function in alarmed | charted:
        assert function == functions["http" if name in webhook else "dispatcher"], name


def test_what_loses_or_delays_events_wakes_somebody(environment) -> None:
    alarmed, _ = watched(environment)
    queues = {
        alarm["dimensions"].get("QueueName")
        for alarm in environment.all("aws_cloudwatch_metric_alarm").values()
        if alarm["namespace"] == "AWS/SQS"
    }

    assert {name for name, _ in alarmed} == {"EventsDropped", "EventsReleased", "EventsWaiting"}
    assert queues == {f"strava-{environment.name}-events", f"strava-{environment.name}-dead-letters"}


def test_alarms_wait_for_words_that_the_code_really_says(environment) -> None:
    said = "\n".join(path.read_text() for path in (ROOT / "include").rglob("*.py"))
    groups = environment.all("aws_cloudwatch_log_metric_filter").values()
    words = {one["pattern"].strip('"') for one in groups if one["pattern"].startswith('"')}

    assert len(words) == 3
    for each in words:
        assert each.removeprefix("daily ") in said, each


def test_webhook_is_judged_apart_from_pages_by_errors_and_by_time(environment) -> None:
    """The access log names its fields as the filters read them, and the latency is a number there."""
    stage = environment.one("aws_apigatewayv2_stage", "default")
    logged = json.loads(re.sub(r":\$context\.\w+", ":45", stage["access_log_settings"][0]["format"]))
    filters = environment.all("aws_cloudwatch_log_metric_filter").values()
    patterns = [one["pattern"] for one in filters if one["pattern"].startswith("{")]

    assert WEBHOOK_ROUTE in {route["route_key"] for route in environment.all("aws_apigatewayv2_route").values()}
    assert sorted(re.sub(r"\$\.route (!?=) .*? &&", r"\1", pattern) for pattern in patterns) == [
        '{ != $.status = "5*" }',
        "{ = $.responseLatencyMs = * }",
        '{ = $.status = "5*" }',
    ]
    assert all(WEBHOOK_ROUTE in pattern for pattern in patterns)
    assert {"route", "status"} <= logged.keys()
    assert logged["responseLatencyMs"] == 45
    slow = environment.one("aws_cloudwatch_metric_alarm", "webhook_p99")
    [measured] = environment.one("aws_cloudwatch_log_metric_filter", "webhook_latency")["metric_transformation"]
    assert (slow["namespace"], slow["metric_name"]) == (measured["namespace"], measured["name"])


def test_page_of_alarms_has_every_alarm_with_the_words_of_its_mail(environment) -> None:
    words = {name: f"{alarm['says']} {alarm['do']}" for name, alarm in json.loads(WORDS.read_text()).items()}
    crawler = environment.one("aws_cloudwatch_event_rule", "crawler")["description"]
    mails = {"crawler": crawler}
    for alarm in environment.all("aws_cloudwatch_metric_alarm").values():
        name, text = alarm["alarm_name"].removeprefix(f"strava-{environment.name}-"), alarm["alarm_description"]
        if name.startswith("failed-"):
            name, text = "failed-<dag>", text.replace(name.removeprefix("failed-").replace("-", "_"), "<dag>")
        mails[name] = text

    assert mails == words


def test_alarms_name_every_dag(environment) -> None:
    alarms = environment.all("aws_cloudwatch_metric_alarm").values()
    failed = {alarm["dimensions"]["DAG"] for alarm in alarms if alarm["metric_name"] == "DAGDurationFailed"}

    assert failed == {path.stem for path in (ROOT / "dags").glob("*.py")}


def test_dag_with_a_schedule_alarms_when_it_is_silent(environment) -> None:
    alarms = environment.all("aws_cloudwatch_metric_alarm").values()
    silent = {alarm["dimensions"]["DAG"] for alarm in alarms if alarm["metric_name"] == "DAGDurationSuccess"}
    timed = {path.stem for path in (ROOT / "dags").glob("*.py") if "CronTriggerTimetable(" in path.read_text()}

    assert silent == timed, (
        "give each DAG with a schedule a line in `silences` of terraform/modules/observability/main.tf"
    )
