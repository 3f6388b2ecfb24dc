"""`docs/bench.md`: every number of the bench when all were last measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local.docs.markdown import table
from local.proofs import record
from local.proofs.bench.claim import Claim
from local.proofs.record import Run
from ops.repository import REPOSITORY

NAME = "bench"
RECORD = REPOSITORY / "docs" / "bench.json"

_HEAD = """# Numbers

Made by `make bench`, which measures every row several times: the median counts, and a target holds when the median,
made worse by the spread (the interquartile range), still reaches it
([why](adr/0030-a-target-holds-with-its-spread-to-spare.md)). `ROWS="gpx_write lake_bytes"` measures some, and
`ARGS=--quick` all with small inputs; neither writes here.

`event_to_lake` is the time from Strava's request to the activity's rows in the lake, on the stack of `make up` in quiet
times; its four parts are those of the event that took the median time, and add up to it. `event_to_sql` ends with the
answer of a query for those rows.
"""


def render() -> str:
    """The page about what was measured last."""
    return page(record.read(RECORD))


def page(runs: Mapping[str, Run]) -> str:
    """The page about the recorded run; where none was recorded, what will be measured."""
    if NAME not in runs:
        return _HEAD
    run = runs[NAME]
    rows = [(each.proof, each.figures, each.claim, "yes" if each.holds else "**NO**") for each in run.verdicts]
    return f"{_HEAD}\n{table(('row', 'measured', 'target', 'holds'), rows)}\n\n{run.conditions}\n"


def publish(claims: Sequence[Claim], seconds: int, machine: str) -> None:
    """Record all rows, just measured, and write the page."""
    from local.docs.pages import write  # imports what every page needs

    record.keep(NAME, Run.of_today(seconds, machine, [claim.verdict() for claim in claims]), RECORD)
    write(NAME)
