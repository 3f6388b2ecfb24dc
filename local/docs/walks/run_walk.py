"""`docs/run-walk.md`: how soon everything is right after a run dies at each of its points."""

from __future__ import annotations

from collections.abc import Sequence

from local.docs.markdown import table
from local.proofs.crash_walk.run_scenarios import RUN_SCENARIOS, RunScenario
from local.proofs.crash_walk.run_walk import PointOutcome, walk
from local.testbed.world import WINDOW_S

_HEAD = """# Nothing is forgotten wherever a run dies

Made by `make docs`: every line comes from running `local/proofs/crash_walk`. The dispatcher, or a task of a run, is
killed before or after each write to the state store or the lake, each message, each start of a run and each call to
Strava. It does nothing more, and its run is deleted: none of its tasks is retried or started, and a message that the
dispatcher had deleted is gone. Then only `strava_reconcile` runs, once in a window, with the runs that it starts. It
does not list the athletes' activities here, because a list would find what the ledgers have forgotten.

Within an hour the lake holds exactly what Strava shows, each named child has one copy, an erased athlete has left no
trace but the certificate, nothing is due and no message waits. The minutes say in which window this was reached; 0
means that nothing remained to do. Reconcile itself and the runs that it starts are walked too.
A backfill is requested with a form in Airflow, which only its run knows: if the run dies before the row of the history
is written, and is deleted, the request is cancelled, and the walk demands that nothing has begun (*not asked*). From
that write on reconcile continues with it.
A partition waits for the catalogue as a row that is written before the lake, whichever run dies before publishing it.
`make proofs NAME=run_walk` also disturbs the points in other ways: with a second worker, a stall, a lost answer.
"""


def render() -> str:
    """The page; it walks every scenario, which takes a while."""
    walked = [(scenario, list(walk(scenario))) for scenario in RUN_SCENARIOS]
    figures = [summary(scenario, outcomes) for scenario, outcomes in walked]
    figures.append(("all", str(sum(len(outcomes) for _, outcomes in walked)), "", ""))
    summaries = table(("what is asked of the system", "points", "minutes at most", "broken"), figures)
    return "\n".join([_HEAD, summaries, *(section(scenario, outcomes) for scenario, outcomes in walked)])


def summary(scenario: RunScenario, outcomes: Sequence[PointOutcome]) -> tuple[str, ...]:
    """One scenario's line of the summary."""
    broken = [outcome.point for outcome in outcomes if outcome.violations]
    longest_s = max(outcome.windows for outcome in outcomes) * WINDOW_S
    return scenario.name, str(len(outcomes)), str(longest_s // 60), ", ".join(broken) or "none"


def section(scenario: RunScenario, outcomes: Sequence[PointOutcome]) -> str:
    """One scenario's part of the page."""
    points = table(("the process dies", "minutes"), [line(outcome) for outcome in outcomes])
    return f"\n## {scenario.name[0].upper()}{scenario.name[1:]}\n\n{points}\n"


def line(outcome: PointOutcome) -> tuple[str, str]:
    """One point's line."""
    minutes = str(outcome.windows * WINDOW_S // 60) if outcome.is_recorded else "not asked"
    return outcome.point, "; ".join(outcome.violations) or minutes
