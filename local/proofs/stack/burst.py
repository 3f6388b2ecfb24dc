"""The proof of a burst: many events at once, then many renames at once, on the stack of `make up`."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from datetime import datetime
from statistics import median, quantiles
from unittest.mock import patch

from local.demo.scenario import CHILD_NAME
from local.proofs.proof import Effort
from local.proofs.stack.family import NotInTime, happened_epoch_s
from local.proofs.stack.shared_stack import SharedStack, shared_stack, stack_with_family
from local.proofs.verdict import Verdict
from local.stack.airflow.postgres import NoPostgres, Programs

EVENTS = 60
IN_LAKE_S = 20
COPIED_P95_S = 60
REQUEST_S = 5.0
_PATIENCE_S = 240
_REQUEST = re.compile(r"^(\S+) .*request finished.* duration_us=(\d+) .* path=(\S+)", re.MULTILINE)
_STALLS = ("Reset the following", "Recovered TaskInstances", "heartbeat recovered", "did not heartbeat")
"""Log lines of a scheduler that considers tasks, or itself, dead."""


def prove_burst(effort: Effort) -> list[Verdict]:
    """60 runs of 400 points are finished at once, then all 60 are renamed at once to name the child.

    Then the same where Airflow uses SQLite. The small burst has six, and no SQLite. Strava's limits are not reached.
    """
    verdicts = _measured(shared_stack(effort), effort)
    return verdicts if effort.is_small else [*verdicts, _on_sqlite(effort)]


def _on_sqlite(effort: Effort) -> Verdict:
    """The same where PostgreSQL does not run; there its latencies are only reported."""
    nowhere = patch.object(Programs, "find", autospec=True, side_effect=NoPostgres("the proof compares both"))
    with nowhere, stack_with_family() as shared:
        try:
            figures = "; ".join(verdict.figures for verdict in _measured(shared, effort))
        except NotInTime as err:
            figures = str(err)
    return Verdict("burst on SQLite", "nothing, to compare: in the lake; copied; requests; stalls", figures, True)


def _measured(shared: SharedStack, effort: Effort) -> list[Verdict]:
    family = shared.family
    began_epoch_s = time.time()
    runs = [family.finish(number) for number in range(effort.rounds(EVENTS, small=6))]
    loaded = happened_epoch_s(runs, family.is_loaded, _PATIENCE_S)
    effort.advance(len(loaded))
    for number, run in enumerate(runs):
        family.control.rename(run, f"Run {number} with {CHILD_NAME}")
    copied = happened_epoch_s(runs, family.is_copied, _PATIENCE_S)
    delivered = family.delivered_epoch_s("update")
    logs = shared.stack.state_dir.logs
    return [
        _in_lake(max(loaded.values()) - began_epoch_s, len(runs), effort.within_s(IN_LAKE_S)),
        _copied(sorted(copied[run] - delivered[run] for run in runs), effort.within_s(COPIED_P95_S)),
        _requests((logs / "airflow-api-server.log").read_text(), began_epoch_s, effort.within_s(REQUEST_S)),
        _stalls((logs / "airflow-scheduler.log").read_text()),
    ]


def _in_lake(seconds: float, count: int, most_s: float) -> Verdict:
    claim = f"{count} events at once are in the lake within {most_s:.0f} s"
    return Verdict("burst", claim, f"{seconds:.1f} s", seconds <= most_s)


def _copied(seconds: list[float], most_s: float) -> Verdict:
    p95_s = quantiles(seconds, n=20, method="inclusive")[-1]
    claim = f"{len(seconds)} renames at once: p95 of event → copy below {most_s:.0f} s"
    figures = f"median {median(seconds):.1f} s, p95 {p95_s:.1f} s, longest {seconds[-1]:.1f} s"
    return Verdict("burst", claim, figures, p95_s < most_s)


def _requests(log: str, since_epoch_s: float, most_s: float) -> Verdict:
    """The figures of Airflow's API server about its own requests."""
    found = [
        (int(duration_us) / 1e6, path)
        for at, duration_us, path in _REQUEST.findall(log)
        if datetime.fromisoformat(at).timestamp() >= since_epoch_s
    ]
    longest_s, path = max(found, default=(0.0, "none"))
    slow = sum(seconds > most_s for seconds, _ in found)
    figures = f"{len(found)} requests, {slow} over {most_s:.0f} s, the longest {longest_s:.1f} s ({path})"
    return Verdict("burst", f"no request to Airflow takes over {most_s:.0f} s", figures, bool(found) and not slow)


def _stalls(log: str, signs: Collection[str] = _STALLS) -> Verdict:
    said = [line for line in log.splitlines() if any(sign in line for sign in signs)]
    figures = f"{len(said)} lines say so" + (f", the first: {said[0][:160]}" if said else "")
    return Verdict("burst", "the scheduler takes no task for dead, nor itself", figures, not said)
