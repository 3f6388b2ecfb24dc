"""`docs/run-walk.md`: a run dies at each of its points, and when everything is as it should be after it."""

from __future__ import annotations

from collections.abc import Sequence

from local.docs.markdown import table
from local.proofs.crash_walk.run_scenarios import RUN_SCENARIOS, RunScenario
from local.proofs.crash_walk.run_walk import PointOutcome, walk
from local.testbed.world import WINDOW_S

_HEAD = """# Nothing is forgotten wherever a run dies

Made by `make docs`: every line comes from running `local/proofs/crash_walk`. The dispatcher, or a task of a run, is
killed before or after each write to the state store or the lake, each message, each start of a run and each call to
Strava. It gets nothing more done, and its run is deleted: none of its tasks is tried again or begun, and a message
that the dispatcher had deleted is gone. Then there is nothing but `strava_reconcile`, once in a window, with the runs
that it has started. It does not list the athletes' activities here: a list would find what the ledgers have
forgotten.

Within an hour the lake holds what Strava shows and nothing else, each named child has one copy, whoever is erased has
left no trace but the certificate, nothing is due any more and no message waits. The minutes say in which window that
was so; 0 where nothing was left to do. What reconcile itself does, and the runs that it sets off, are walked too.
A backfill is asked for with a form of Airflow's, which nobody but its run knows: where that dies before the row of the
history is written and is deleted, it is as if the operator had taken it back, and the walk demands that nothing has
begun (*not asked*). From that write on reconcile goes on with it.
A partition waits for the catalogue as a row from before the lake's write, whichever run dies before it is published.
`make proofs NAME=run_walk` strikes the points in other ways as well: with a second worker, a stall, a lost answer.
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
