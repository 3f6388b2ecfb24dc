"""`docs/cost.md`: the cost of a month on AWS, computed from Terraform's resources and from counts of real work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from local.docs import markdown
from ops.repository import REPOSITORY

HOURS = 730.0
DAYS = HOURS / 24
EVENTS_A_DAY = 2
"""Events of each athlete: one finished activity, and its title, which the athlete gives it later."""

SECONDS_A_TASK = 10
EVENING_SHARE, EVENING_H = 0.5, 4
"""Half of a day's events come in four hours."""

_MB, _GB = 1.0 / 1024, 1.0
_MILLION = 1_000_000.0

USD: Mapping[str, float] = {
    "mw1.micro, an hour": 0.29,
    "mw1.small, an hour": 0.49,
    "one more worker of mw1.small, an hour": 0.055,
    "MWAA's metadata, a GB": 0.10,
    "NAT gateway, an hour": 0.045,
    "NAT gateway, a GB": 0.045,
    "public IPv4 address, an hour": 0.005,
    "interface endpoint, an hour and zone": 0.01,
    "KMS key": 1.00,
    "10,000 calls of KMS": 0.03,
    "secret": 0.40,
    "10,000 reads of a secret": 0.05,
    "alarm": 0.10,
    "dashboard": 3.00,
    "metric of one's own": 0.30,
    "GB of logs": 0.50,
    "million requests of SQS": 0.40,
    "million requests of the HTTP API": 1.00,
    "million invocations of Lambda": 0.20,
    "GB-second of Lambda on arm": 0.0000133334,
    "million rows read of DynamoDB": 0.125,
    "million rows written of DynamoDB": 0.625,
    "GB of DynamoDB, with recovery": 0.45,
    "1,000 writes or lists of S3": 0.005,
    "1,000 reads of S3": 0.0004,
    "GB of S3": 0.023,
    "crawl, the least": 0.44 * 2 / 6,
    "query of Athena, the least": 5.0 * 10 * _MB / 1024,
}
"""Prices of us-east-1, without taxes and free tiers."""

BUILT: Mapping[str, Mapping[str, int]] = {
    "dev": {"aws_nat_gateway": 1, "aws_eip": 1},
    "prod": {"aws_nat_gateway": 2, "aws_eip": 2},
}
"""Terraform's resources that are billed by number, for each environment; a test counts them in the plan."""

ALIKE: Mapping[str, int] = {
    "aws_kms_key": 2,
    "aws_secretsmanager_secret": 1,
    "aws_cloudwatch_metric_alarm": 21,
    "aws_cloudwatch_dashboard": 1,
    "aws_cloudwatch_log_metric_filter": 6,
}
OWN_METRICS = 10
"""Counters that the functions' logs carry."""

MWAA_ENDPOINT_ZONES = 2
"""MWAA creates an endpoint to its database in each of the two zones, without Terraform."""


@dataclass(frozen=True, slots=True)
class Size:
    """An installation: which environment, and how many athletes."""

    environment: str
    athletes: int


SIZES = (Size("dev", 4), Size("prod", 4), Size("prod", 100), Size("prod", 1000))


@dataclass(frozen=True, slots=True)
class Work:
    """The resource usage of one installation's work in a month."""

    events: float
    rows_read: float
    rows_written: float
    objects_read: float
    objects_written: float
    keys_listed: float
    task_instances: float
    calls_to_strava: float


def counted(athletes: int) -> Work:
    """A month's work, from the counts of `docs/scale.json`: interpolated between two sizes, constant below the first.

    Each run of reconcile counts as if it listed every athlete, which is the maximum.
    """
    sizes = {int(size): work for size, work in json.loads((REPOSITORY / "docs/scale.json").read_text()).items()}
    events = EVENTS_A_DAY * DAYS * athletes
    runs = {"event": events, "catalogue": events, "reconcile": 4 * HOURS, "night": DAYS}

    def total(what: str) -> float:
        return sum(times * _between(sizes, work, what, athletes) for work, times in runs.items())

    return Work(
        events=events,
        rows_read=total("rows read"),
        rows_written=total("rows written"),
        objects_read=total("objects read"),
        objects_written=total("objects written"),
        keys_listed=total("keys listed"),
        task_instances=total("task instances"),
        calls_to_strava=total("calls to Strava"),
    )


def _between(sizes: Mapping[int, Mapping[str, Mapping[str, int]]], work: str, what: str, athletes: int) -> float:
    known = sorted((size, counts[work].get(what, 0)) for size, counts in sizes.items())
    if athletes <= known[0][0]:
        return known[0][1]
    for (low, at_low), (high, at_high) in pairwise(known):
        if athletes <= high:
            return at_low + (at_high - at_low) * (athletes - low) / (high - low)
    raise ValueError(f"{athletes} athletes are more than the largest count")


def month(size: Size) -> dict[str, float]:
    """The cost of each part in a month, in US dollars."""
    work, built = counted(size.athletes), BUILT[size.environment]
    return {
        **_airflow(size, work),
        "NAT gateways": built["aws_nat_gateway"] * HOURS * USD["NAT gateway, an hour"]
        + _sent_gb(work) * USD["NAT gateway, a GB"],
        "Public IPv4 addresses": built["aws_eip"] * HOURS * USD["public IPv4 address, an hour"],
        "MWAA's endpoint in the network": MWAA_ENDPOINT_ZONES * HOURS * USD["interface endpoint, an hour and zone"],
        **_watching(work),
        **_keys(work),
        **_edge(work),
        **_stores(size, work),
        "Glue: crawls, one a day": DAYS * USD["crawl, the least"],
        "Athena: ten queries a day": 10 * DAYS * USD["query of Athena, the least"],
    }


def _airflow(size: Size, work: Work) -> dict[str, float]:
    klass = "mw1.micro" if size.environment == "dev" else "mw1.small"
    evening_tasks_an_hour = work.task_instances / DAYS * EVENING_SHARE / EVENING_H
    workers = evening_tasks_an_hour * SECONDS_A_TASK / 3600 / 3
    more_h = max(0.0, workers - 1) * EVENING_H * DAYS
    return {
        "MWAA: environment (dev mw1.micro, prod mw1.small)": HOURS * USD[f"{klass}, an hour"],
        "MWAA: more workers in the evening": more_h * USD["one more worker of mw1.small, an hour"],
        "MWAA: metadata": (10 + work.task_instances * 20 / 1024 / 1024) * USD["MWAA's metadata, a GB"],
    }


def _sent_gb(work: Work) -> float:
    return 5 + work.calls_to_strava * 0.2 * _MB + work.task_instances * 0.05 * _MB


def _watching(work: Work) -> dict[str, float]:
    own = ALIKE["aws_cloudwatch_log_metric_filter"] + OWN_METRICS
    logs_gb = 1 + work.task_instances * 0.02 * _MB
    return {
        "CloudWatch: alarms, dashboard, metrics": ALIKE["aws_cloudwatch_metric_alarm"] * USD["alarm"]
        + ALIKE["aws_cloudwatch_dashboard"] * USD["dashboard"]
        + own * USD["metric of one's own"],
        "CloudWatch: logs": logs_gb * USD["GB of logs"],
    }


def _keys(work: Work) -> dict[str, float]:
    calls = 4 * work.events + work.calls_to_strava + work.task_instances
    return {
        "KMS": ALIKE["aws_kms_key"] * USD["KMS key"] + calls / 10_000 * USD["10,000 calls of KMS"],
        "Secrets Manager": ALIKE["aws_secretsmanager_secret"] * USD["secret"]
        + work.task_instances / 10_000 * USD["10,000 reads of a secret"],
    }


def _edge(work: Work) -> dict[str, float]:
    polls = 5 * HOURS * 3600 / 20  # five pollers of Lambda's, each waiting twenty seconds
    invocations, requests = 2 * work.events, 2 * work.events
    return {
        "SQS, mostly Lambda's polls of an empty queue": (polls + 4 * work.events)
        / _MILLION
        * USD["million requests of SQS"],
        "HTTP API and Lambda": requests / _MILLION * USD["million requests of the HTTP API"]
        + invocations / _MILLION * USD["million invocations of Lambda"]
        + invocations * 0.5 * USD["GB-second of Lambda on arm"],
    }


def _stores(size: Size, work: Work) -> dict[str, float]:
    written = 2 * work.rows_written  # once more for an index
    lake_gb = size.athletes * EVENTS_A_DAY / 2 * 365 * 0.3 * _MB
    old_gb = work.events / DAYS * 7 * 2.5 * _MB
    return {
        "DynamoDB": work.rows_read / _MILLION * USD["million rows read of DynamoDB"]
        + written / _MILLION * USD["million rows written of DynamoDB"]
        + (0.1 + size.athletes * 365 * 4 / 1024 / 1024) * USD["GB of DynamoDB, with recovery"],
        "S3: calls": (work.objects_written + work.keys_listed / 1000) / 1000 * USD["1,000 writes or lists of S3"]
        + work.objects_read / 1000 * USD["1,000 reads of S3"],
        "S3: a year of activities, and a week of old versions": (lake_gb + old_gb) * USD["GB of S3"],
    }


def render() -> str:
    """The page."""
    months = {size: month(size) for size in SIZES}
    columns = [f"{size.environment}, {size.athletes:,} athletes" for size in SIZES]
    rows = [(part, *(_usd(months[size][part]) for size in SIZES)) for part in months[SIZES[0]]]
    sums = ("**sum**", *(f"**{sum(months[size].values()):,.0f}**" for size in SIZES))
    counts = [(size, counted(size.athletes)) for size in SIZES[1:]]
    return (
        "\n\n".join(
            [
                "# Cost of a month on AWS",
                markdown.paragraph(_HEAD),
                markdown.table(["part", *columns], [*rows, sums]),
                "## What is counted",
                markdown.table(
                    ["in a month", *(f"{size.athletes:,} athletes" for size, _ in counts)],
                    [
                        (name, *(f"{getattr(work, field):,.0f}" for _, work in counts))
                        for name, field in _COUNTS.items()
                    ],
                ),
                markdown.paragraph(_COUNTED),
                "## What grows first",
                *_growth(months[SIZES[2]], months[SIZES[3]]),
                "## Worth knowing",
                "\n".join(markdown.item(line) for line in _NOTES),
                "## Prices",
                markdown.table(["what", "US dollars"], [(name, f"{usd:.7g}") for name, usd in USD.items()]),
            ]
        )
        + "\n"
    )


def _growth(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[str]:
    grown = sorted(after, key=lambda part: after[part] - before[part], reverse=True)[:4]
    told = "; ".join(f"{part} by {_usd(after[part] - before[part])}" for part in grown)
    more = sum(after.values()) - sum(before.values())
    yield markdown.paragraph(
        f"From 100 to 1,000 athletes the month grows by {more:,.0f} dollars: {told}. "
        "Strava's own limit comes before any of AWS's: see [scale](scale.md)."
    )


def _usd(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 10 else f"{amount:,.0f}"


_COUNTS = {
    "events": "events",
    "calls to Strava, at most": "calls_to_strava",
    "rows read": "rows_read",
    "rows written": "rows_written",
    "objects read": "objects_read",
    "objects written": "objects_written",
    "task instances": "task_instances",
}

_HEAD = """Computed from prices, from the resources that Terraform builds (a test counts them in its plan), and from the
usage of each kind of work (`docs/scale.json`, counted by `make proofs NAME=scale`). Prices are those of us-east-1 in US
dollars without taxes and free tiers, as published in 2026: check the pricing pages before you rely on them. None of
this has been billed yet."""

_COUNTED = f"""Every athlete finishes one activity a day and renames it later, which makes {EVENTS_A_DAY} events, each
with its own run; half of them arrive within {EVENING_H} hours. Assumed, not counted: {SECONDS_A_TASK} s per task on
MWAA, three tasks per worker; 0.3 MB per activity in the lake and 2.5 MB per rewritten month; 0.2 MB per answer from
Strava; two written rows for a row with an index; the endpoint that MWAA creates in the network."""

_NOTES = (
    "MWAA and NAT are nine tenths of a small bill, and cost the same without a single activity. MWAA cannot be "
    "paused: an environment that is not needed has to be destroyed and built again (half an hour).",
    "For one family AWS is not the cheapest: `make up` runs the same system on one machine.",
    "The crawler runs at most once in `crawl_every_h` (24) hours, however many activities arrive: partitions are "
    "registered without it. One crawl for each change would cost 15 cents an event.",
    "S3 and DynamoDB are reached by gateway endpoints, which are free. Interface endpoints for the other services "
    "would cost more than the NAT gateway that tasks need for Strava anyway.",
    "The budget alarm (dev 350, prod 700 for the whole account) mails at 80 % spent and at 100 % foreseen.",
    "After `make destroy ENV=dev`, which lists what stays, the rest costs a few cents a month.",
)
