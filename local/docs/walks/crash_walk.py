"""`docs/crash-walk.md`: the outcome when a copy's process dies at each of its points."""

from __future__ import annotations

from collections.abc import Sequence

from local.docs.markdown import table
from local.proofs.crash_walk.copy_scenarios import COPY_SCENARIOS, CopyScenario
from local.proofs.crash_walk.copy_walk import RETRY_AFTER_S, CrashOutcome, walk

_HEAD = """# Copies survive a crash at any point

Made by `make docs`: every line comes from running `local/proofs/crash_walk`. A copy is killed before or after each
write to the state store, each write of an object and each call to Strava; the dead process does nothing more. Then
the proof runs what production would run: Airflow's retry after {retry_s} seconds, and `strava_reconcile` with each
window, for as long as anything is due. Where the dead run held the copy's lease, the retry leaves it alone and
reconcile continues.

In the end the child has exactly one activity, the ledger names it, and nothing is due. *listed*, *uploaded*, *polled*
and *looked* are calls to Strava: `GET /athlete/activities`, `POST /uploads`, `GET /uploads/…`, `GET /activities/…`.
A refresh of tokens is not part of this walk; `make proofs NAME=tokens` shows what a kill can cost there.
"""


def render() -> str:
    """The page; it walks every scenario, which takes a while."""
    walked = [(scenario, list(walk(scenario))) for scenario in COPY_SCENARIOS]
    figures = [(scenario.name, str(len(outcomes)), _outcome(scenario, outcomes)) for scenario, outcomes in walked]
    figures.append(("all", str(sum(len(outcomes) for _, outcomes in walked)), ""))
    summary = table(("copy", "points", "outcome at every point"), figures)
    sections = [section(scenario, outcomes) for scenario, outcomes in walked]
    return "\n".join([_HEAD.format(retry_s=RETRY_AFTER_S), summary, *sections])


def section(scenario: CopyScenario, outcomes: Sequence[CrashOutcome]) -> str:
    """One scenario's part of the page."""
    rows = [
        (outcome.point, outcome.retry, outcome.windows or "nothing left", str(outcome.state)) for outcome in outcomes
    ]
    points = table(("the copy dies", "the retry", "reconcile", "ledger"), rows)
    return f"\n## {scenario.name[0].upper()}{scenario.name[1:]}\n\n{points}\n"


def _outcome(scenario: CopyScenario, outcomes: Sequence[CrashOutcome]) -> str:
    broken = [outcome.point for outcome in outcomes if not outcome.holds(scenario)]
    return f"one activity, `{scenario.ends_as}`" if not broken else f"BROKEN: {', '.join(broken)}"
