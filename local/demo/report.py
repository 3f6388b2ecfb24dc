"""The demo's report for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Column, Table

from include.lake.query import query
from local.demo.checks import Check, copy_holds, copy_row_holds, lake_holds
from local.demo.demo_run import DemoRun, copies_of
from local.demo.lake_tables import held_tables
from local.demo.leaks import LeakSearch, search
from local.demo.scenario import CHILD_ID, PARENT_ID
from local.strava_simulator.world.activity import SimulatedActivity

QUESTION = """\
SELECT a.sport_type, count(DISTINCT a.activity_id) AS activities, round(sum(a.distance_m) / 1000, 1) AS distance_km,
       (SELECT count(*) FROM streams s JOIN activities b USING (athlete_id, activity_id)
        WHERE b.sport_type = a.sport_type) AS points
FROM activities a
GROUP BY a.sport_type
ORDER BY points DESC"""


@dataclass(frozen=True, slots=True)
class Findings:
    """The results of all checks."""

    lake: tuple[Check, ...]
    copies: tuple[Check, ...]
    copy_rows: tuple[Check, ...]
    misplaced: tuple[str, ...]
    """Data where it must not be, or missing data."""
    leaks: LeakSearch
    lake_url: str
    """The lake that was read."""

    @property
    def hold(self) -> bool:
        """Whether the lake and the child's account agree exactly with the parent's activities, and no secret leaked."""
        return all(check.holds for check in self.checks) and not self.misplaced and not self.leaks.leaks

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every comparison."""
        return (*self.lake, *self.copies, *self.copy_rows)


def examine(demo_run: DemoRun) -> Findings:
    """Compare everything, point by point, with the simulated Strava."""
    inspection = demo_run.stack.inspection()
    lake_url = inspection.lake().as_uri()
    rows = {row["activity_id"]: row for row in query("SELECT * FROM activities", lake_url).to_pylist()}
    points = query("SELECT * FROM streams ORDER BY activity_id, point_index", lake_url)
    truths = [_truth(demo_run, activity_id) for activity_id in sorted(demo_run.control.activity_ids(PARENT_ID))]
    ledger = copies_of(demo_run.stack)
    copied = {copy.parent_activity_id: copy.child_activity_id for copy in ledger}
    originals = {made_id: activity_id for activity_id, made_id in copied.items()}
    childs = set(demo_run.control.activity_ids(CHILD_ID))
    lake = [
        lake_holds(
            truth,
            _points_of(truth.activity_id, points),
            rows.get(truth.activity_id),
            originals.get(truth.activity_id),
        )
        for truth in [*truths, *(_truth(demo_run, activity_id) for activity_id in sorted(childs))]
    ]
    expected = {demo_run.scenario.named_at_once_id, demo_run.scenario.renamed_later_id}
    copies = [
        copy_holds(truth, _truth(demo_run, copied[truth.activity_id] or 0))
        if copied.get(truth.activity_id)
        else Check(f"copy: {truth.activity_id}", 0, ("it is missing",))
        for truth in truths
        if truth.activity_id in expected
    ]
    told = {row["parent_activity_id"]: row for row in query("SELECT * FROM copies", lake_url).to_pylist()}
    copy_rows = [
        copy_row_holds(truth, _truth(demo_run, copied[truth.activity_id] or 0), told.get(truth.activity_id))
        for truth in truths
        if copied.get(truth.activity_id)
    ]
    known = {truth.activity_id for truth in truths}
    misplaced = [f"lake: activity {activity_id}" for activity_id in rows.keys() - known - childs]
    misplaced += [f"lake: copy of {activity_id}" for activity_id in told.keys() - copied.keys()]
    misplaced += [f"child: activity {activity_id}" for activity_id in childs - set(copied.values())]
    settings = demo_run.stack.settings
    secrets = [
        *demo_run.control.tokens(),
        settings.strava_client_secret,
        settings.webhook_path_secret,
        settings.cookie_key,
    ]
    leaks = search(demo_run.stack.state_dir.root, secrets, {**inspection.outside(), **demo_run.stack.database.dump()})
    misplaced += inspection.faults()
    if any(secret in page for page in demo_run.pages for secret in secrets):
        misplaced.append("a page: a secret in its HTML")
    return Findings(tuple(lake), tuple(copies), tuple(copy_rows), tuple(misplaced), leaks, lake_url)


def _points_of(activity_id: int, points: pa.Table) -> list[dict[str, object]]:
    return list(points.filter(pc.field("activity_id") == activity_id).to_pylist())


def _truth(demo_run: DemoRun, activity_id: int) -> SimulatedActivity:
    answer = demo_run.control.activity(activity_id)
    return SimulatedActivity(answer["detail"], answer["streams"])


def show(console: Console, demo_run: DemoRun, findings: Findings) -> None:
    """Print the report."""
    _show_activities(console, demo_run, findings)
    _show_copies(console, demo_run, findings)
    _show_tables(console, findings)
    console.print("\n[bold]A query on the lake[/bold]")
    console.print(QUESTION, style="dim", highlight=False)
    console.print(_as_table(query(QUESTION, findings.lake_url).to_pylist()))
    _show_times(console, demo_run)
    _show_holdings(console, demo_run)
    _show_verdict(console, findings)


def _show_activities(console: Console, demo_run: DemoRun, findings: Findings) -> None:
    fresh = {activity.activity_id for activity in demo_run.scenario.fresh}
    childs = set(demo_run.control.activity_ids(CHILD_ID))
    table = Table("activity", "sport", "title", "rows", "came by", title="Activities in the lake", title_justify="left")
    sql = "SELECT activity_id, sport_type, name, point_count FROM activities ORDER BY start_ts_utc"
    for row in query(sql, findings.lake_url).to_pylist():
        way = "webhook" if row["activity_id"] in fresh else "backfill"
        if row["activity_id"] in childs:
            way = "webhook (the child's)"
        table.add_row(str(row["activity_id"]), row["sport_type"], row["name"], f"{row['point_count']:,}", way)
    console.print()
    console.print(table)
    compared = sum(check.compared for check in findings.lake)
    console.print(f"{len(findings.lake)} activities, {compared:,} values compared with Strava's", highlight=False)


def _show_copies(console: Console, demo_run: DemoRun, findings: Findings) -> None:
    table = Table(
        "child's activity",
        "sport",
        "title",
        "points",
        "from",
        title="The child's copies",
        title_justify="left",
    )
    for copy in copies_of(demo_run.stack):
        if copy.child_activity_id is None:
            table.add_row("–", "", f"{copy.state}: {copy.reason}", "", str(copy.parent_activity_id))
            continue
        truth = _truth(demo_run, copy.child_activity_id)
        points = len((truth.streams or {}).get("time", {}).get("data", []))
        table.add_row(
            str(copy.child_activity_id),
            str(truth.detail["sport_type"]),
            str(truth.detail["name"]),
            f"{points:,}",
            str(copy.parent_activity_id),
        )
    console.print()
    console.print(table)
    compared = sum(check.compared for check in findings.copies)
    rows = sum(check.compared for check in findings.copy_rows)
    console.print(
        f"{compared:,} values of the uploaded files compared with the parent's streams, {rows} of the lake's copies",
        highlight=False,
    )


def _show_tables(console: Console, findings: Findings) -> None:
    filled = Column("% of rows with a value; all other columns are filled in every row", overflow="fold")
    table = Table("table", "rows", filled, title="Tables in the lake", title_justify="left")
    for held in held_tables(findings.lake_url):
        partly = ", ".join(f"{column} {percent:g}" for column, percent in held.partly_filled.items())
        table.add_row(held.name, f"{held.rows:,}", partly)
    console.print()
    console.print(table)


def _show_times(console: Console, demo_run: DemoRun) -> None:
    answers_ms = [delivery["latency_ms"] for delivery in demo_run.control.deliveries()]
    table = Table("what", "median", "longest", "of", title="Times", title_justify="left")
    for name, seconds in (
        ("webhook answer", [value / 1000 for value in answers_ms]),
        ("event → lake", list(demo_run.timings.event_to_lake_s.values())),
        ("event → copy", list(demo_run.timings.event_to_copy_s.values())),
        (f"backfill of {demo_run.backfill.get('loaded', 0)} activities", [demo_run.timings.backfill_s]),
    ):
        table.add_row(name, _time(median(seconds)), _time(max(seconds)), str(len(seconds)))
    console.print()
    console.print(table)
    console.print(
        f"Backfill: the dry run estimated {demo_run.dry_run.get('read_calls', 0)} read calls "
        f"for {demo_run.dry_run.get('to_load', 0)} activities",
        highlight=False,
    )


def _show_holdings(console: Console, demo_run: DemoRun) -> None:
    account = demo_run.stack.inspection().account()
    if account:
        console.print("\n[bold]Contents of each leaf[/bold]")
        console.print(_as_table(account))


def _show_verdict(console: Console, findings: Findings) -> None:
    problems = [f"{check.subject}: {difference}" for check in findings.checks for difference in check.differences]
    problems += [*findings.misplaced, *(f"secret in clear text: {leak}" for leak in findings.leaks.leaks)]
    console.print()
    leaks = findings.leaks
    elsewhere = f" and {leaks.outside} rows, messages, dumps and old versions" if leaks.outside else ""
    console.print(
        f"{leaks.secrets} tokens and secrets searched for in {leaks.files} files{elsewhere}: {len(leaks.leaks)} found",
        highlight=False,
    )
    for problem in problems:
        console.print(f"  ✗ {problem}", style="red", highlight=False, markup=False)
    if findings.hold:
        console.print(
            "[green]✓ The lake and the child's account agree with the parent's activities, point by point.[/green]"
        )


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _as_table(rows: Sequence[Mapping[str, object]]) -> Table:
    table = Table(*(Column(name, overflow="fold") for name in (rows[0] if rows else ())))
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    return table
